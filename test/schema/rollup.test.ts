/** Declarations of rollups: what follows from them, and what is refused. */

import { describe, expect, it } from "vitest";
import { rollupSources } from "../../src/capture/rollup.ts";
import type { SpringhouseError } from "../../src/core/errors.ts";
import { ddl } from "../../src/migrate/ddl.ts";
import { createCatalog } from "../../src/schema/catalog.ts";
import { t } from "../../src/schema/column.ts";
import { entity, factsOf } from "../../src/schema/entity.ts";
import { avg, count, countDistinct, max, min, sum, topK } from "../../src/schema/measure.ts";
import { rollup } from "../../src/schema/rollup.ts";
import type { ColumnHandle, Entity } from "../../src/schema/types.ts";

const Task = entity("tasks", {
  id: t.int().primaryKey(),
  weekId: t.int().nullable(),
  name: t.text(),
  kind: t.enum(["a", "b"]),
  data: t.json(),
  bytes: t.blob(),
  big: t.bigint(),
  ratio: t.real(),
  at: t.timestamp(),
});
const Other = entity("others", { id: t.int().primaryKey(), name: t.text() });
const measures = { tasks: count() };

/** The message of the refusal of what TypeScript would refuse, too. */
function refusalOf(options: unknown, name = "stats", source: unknown = Task): string {
  try {
    rollup(name, source as Entity, options as never);
  } catch (error) {
    expect(error).toMatchObject({ code: "INVALID_SCHEMA" });
    return (error as SpringhouseError).message;
  }
  throw new Error("it was not refused");
}

describe("a rollup", () => {
  it("has the columns of its key and of its measures, with their kinds", () => {
    const facts = factsOf(
      rollup("stats", Task, {
        by: { weekId: Task.weekId, theName: { column: Task.name, collate: "nocase" } },
        measures: {
          tasks: count(),
          names: countDistinct(Task.name),
          bigSum: sum(Task.big),
          ratioAvg: avg(Task.ratio),
          firstKind: min(Task.kind),
          newest: max(Task.at),
          best: topK(Task.ratio, 3, { of: Task.name }),
        },
      }),
    );

    const columns = facts.columns.map(({ name, kind, nullable, primaryKey }) => {
      return `${name} ${kind}${nullable ? "?" : ""}${primaryKey ? " key" : ""}`;
    });
    expect(columns).toEqual([
      "week_id int? key",
      "the_name text key",
      "tasks int",
      "names int",
      "big_sum bigint",
      "ratio_avg real",
      "first_kind enum",
      "newest timestamp",
      "best json",
    ]);
    expect(facts.byName.get("first_kind")?.values).toEqual(["a", "b"]);
  });

  it("without groups has one, with the key id", () => {
    const facts = factsOf(rollup("stats", Task, { by: {}, measures }));

    expect(facts.primaryKey.map(({ property }) => property)).toEqual(["id"]);
  });

  it.each([
    ["its options are misspelt", { by: {}, measure: {} }, 'Did you mean "measures"?'],
    ["by is missing", { measures }, "by is an object such as { weekId: Task.weekId }"],
    ["it has no measures", { by: {}, measures: {} }, "has no measures"],
    [
      "a measure is none",
      { by: {}, measures: { n: Task.id } },
      'property "n": is a measure such as',
    ],
    [
      "a group is none",
      { by: { n: "week_id" }, measures },
      "a column is given as Task.score, not as",
    ],
    ["a column is another's", { by: { n: Other.name }, measures }, "is not a column of the source"],
    ["a property is no name", { by: { "a b": Task.id }, measures }, "a property is a letter"],
    ["a property is a word of where", { by: {}, measures: { not: count() } }, "is a word of where"],
    ["groups are of json", { by: { n: Task.data }, measures }, "groups cannot be made by json"],
    ["groups are of real", { by: { n: Task.ratio }, measures }, "groups cannot be made by real"],
    ["a sum is of text", { by: {}, measures: { n: sum(Task.name as never) } }, "sum() is for int"],
    [
      "a mean is of moments",
      { by: {}, measures: { n: avg(Task.at as never) } },
      "avg() is for int",
    ],
    ["a minimum is of json", { by: {}, measures: { n: min(Task.data) } }, "json has no order"],
    [
      "values are of json",
      { by: {}, measures: { n: countDistinct(Task.data) } },
      "json has no values",
    ],
    [
      "a list tells of bytes",
      { by: {}, measures: { n: topK(Task.id, 1, { of: Task.bytes }) } },
      "a list cannot tell a blob",
    ],
    [
      "a list is endless",
      { by: {}, measures: { n: topK(Task.id, 101) } },
      "from 1 to 100, not 101",
    ],
    [
      "an order is none",
      { by: {}, measures: { n: topK(Task.id, 1, { order: "up" as never }) } },
      'is "asc" or "desc"',
    ],
    [
      "a collation is none",
      { by: { n: { column: Task.name, collate: "x" } }, measures },
      'collate is "binary"',
    ],
    [
      "a collation is of numbers",
      { by: { n: { column: Task.id, collate: "nocase" } }, measures },
      "collate is for text",
    ],
    [
      "two columns have one name",
      { by: { aB: Task.id }, measures: { a_b: count() } },
      'the same SQL name as "aB"',
    ],
    ["a condition is empty", { by: {}, measures, where: " " }, "where is a condition such as"],
    [
      "a condition has the property's name",
      { by: {}, measures, where: "weekId > 1" },
      'write "week_id"',
    ],
    [
      "a condition changes",
      { by: {}, measures, where: "at > unixepoch()" },
      "where (at > unixepoch()) cannot work",
    ],
    [
      "a condition depends on who writes",
      { by: {}, measures, where: "name Like 'a%'" },
      "PRAGMA case_sensitive_like",
    ],
  ])("is refused when %s", (_, options, reason) => {
    expect(refusalOf(options)).toContain(reason);
  });

  it("is refused when its name or its source cannot be one", () => {
    const options = { by: {}, measures };
    const stats = rollup("stats", Task, options);

    expect(refusalOf(options, "springhouse_x")).toContain("are reserved");
    expect(refusalOf(options, "stats", {})).toContain("is of an entity made by entity()");
    expect(refusalOf(options, "more", stats)).toContain("is of an entity made by entity()");
  });

  it("cannot be asked for a column by TypeScript that has another kind", () => {
    // @ts-expect-error a text cannot be added up
    sum(Task.name);
    // @ts-expect-error a moment has no mean
    avg(Task.at);
    const handle: ColumnHandle = Task.name;

    expect(handle.table).toBe("tasks");
  });
});

describe("a catalog", () => {
  const stats = rollup("stats", Task, { by: { weekId: Task.weekId }, measures });
  const values = rollup("values", Task, { by: {}, measures: { names: countDistinct(Task.name) } });

  it("refuses what stands on the wrong side, a source that is missing, and a name used twice", () => {
    expect(() => createCatalog([Task, stats])).toThrow("is a rollup, so give it under rollups");
    expect(() => createCatalog([Task], [Other])).toThrow("is no rollup, so give it under entities");
    expect(() => createCatalog([Other], [stats])).toThrow('its source "tasks" is not among');
    expect(() => createCatalog([Task], [rollup("tasks", Task, { by: {}, measures })])).toThrow(
      'the name "tasks" is used twice',
    );
    expect(() => createCatalog([Task], {} as never)).toThrow("Rollups are given as a list");
  });

  it("leads from every name of a rollup to the table that it follows from", () => {
    const sources = rollupSources(createCatalog([Task, Other], [stats, values]));

    expect([...sources].sort()).toEqual([
      ["springhouse_replaced_tasks", "tasks"],
      ["springhouse_rollup_stats", "tasks"],
      ["springhouse_rollup_values", "tasks"],
      ["springhouse_rollup_values.names", "tasks"],
      ["stats", "tasks"],
      ["values", "tasks"],
    ]);
  });

  it("gives its rollups as SQL for SQLite, and refuses them for PostgreSQL", () => {
    expect(ddl([Task], "sqlite", [stats]).some((sql) => /^CREATE VIEW "stats"/.test(sql))).toBe(
      true,
    );
    expect(() => ddl([Task], "postgres", [stats])).toThrow("rollups are kept on SQLite only");
  });
});
