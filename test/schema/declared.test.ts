import { describe, expect, test } from "vitest";
import { t } from "../../src/schema/column.ts";
import { entity } from "../../src/schema/entity.ts";
import { failureOf } from "./support.ts";

const id = t.int().primaryKey();
const check = (expression: string): object => ({ checks: [{ name: "small", expression }] });

describe("a default that breaks a check", () => {
  test("is refused when it is declared, with the check", () => {
    const declare = (): unknown => entity("things", { id, x: t.int().default(5) }, check("x < 3"));

    expect(declare).toThrow(
      'Entity "things": a row of defaults breaks the check "small" (x < 3); ' +
        "change one of the defaults or the check.",
    );
    expect(declare).toThrow(expect.objectContaining({ code: "INVALID_SCHEMA" }));
  });

  test("is found over several columns, by their SQL names and as they are stored", () => {
    const columns = {
      id,
      isOpen: t.boolean().default(true),
      state: t.enum(["open", "done"]).default("done"),
      since: t.timestamp().default(new Date(0)),
    };

    const declare = (expression: string) => (): unknown =>
      entity("things", columns, check(expression));

    expect(declare("is_open = 0 OR state = 'open' /* not both */")).toThrow("breaks the check");
    expect(declare("things.since > 0")).toThrow("breaks the check");
    expect(declare("is_open = 1 AND length(state) = 4")).not.toThrow();
  });

  test("is left to the database when the check names a column that has no default", () => {
    const columns = { id, x: t.int().default(5), y: t.int(), z: t.int().nullable() };

    const declare = (expression: string) => (): unknown =>
      entity("things", columns, check(expression));

    expect(declare("x < y")).not.toThrow();
    expect(declare('"z" IS NOT NULL')).not.toThrow();
    expect(declare("x > 4")).not.toThrow();
    expect(() => entity("things", { id, y: t.int() }, check("1 = 0"))).not.toThrow();
  });
});

describe("a condition that cannot work is refused when it is declared, with its name:", () => {
  const columns = { id, weekId: t.int().default(1), due: t.date(), n: t.int() };
  const refusalOf = (options: object): string => {
    const error = failureOf(() => entity("tasks", columns, options));
    expect(error).toMatchObject({ code: "INVALID_SCHEMA", fields: { table: "tasks" } });
    return error.message;
  };

  test("the name of a property, with the name in SQL", () => {
    expect(refusalOf(check("weekId > 0"))).toBe(
      'Entity "tasks": the check "small" (weekId > 0) cannot work: no such column: weekId; ' +
        'write "week_id": columns have their SQL names in conditions.',
    );
    expect(refusalOf(check("tasks.weekId > 0"))).toContain('write "week_id"');
    expect(refusalOf(check('"weekId" > 0'))).toContain('write "week_id"');
    expect(refusalOf(check("week_ids > 0"))).toContain('week_ids; is "week_id" meant.');
    expect(refusalOf(check('"open" = 1'))).toContain("(id, week_id, due, n) and texts in single");
  });

  test.each([
    ["a syntax error", "n >"],
    ["a subquery", "n > (SELECT 1)"],
    ["an unknown function", "starts_with(due, '2')"],
    ["words of one database", "n::text = '1'"],
    ["chance", "random() > 0"],
    ["a moment that passes", "due < date('now')"],
    ["a parameter", "n > ?"],
    ["a sum", "sum(n) > 0"],
    ["two expressions", "n > 0, n < 9"],
    ["a comment that takes the rest", "n > 0 -- always"],
  ])("%s in a check", (_, expression) => {
    const good = { name: "ck_good", expression: "n <> 1" };
    const bad = { name: "ck_bad", expression };

    expect(refusalOf({ checks: [good, bad] })).toMatch(
      /the check "ck_bad" \(.*\) cannot work: .*; write one expression over the columns/,
    );
  });

  test("and no word of the index that a check was tried in", () => {
    expect(refusalOf(check("random() > 0"))).toContain(
      "non-deterministic functions prohibited; write",
    );
  });

  test.each(["weekId > 0", "n >", "n > (SELECT 1)", "random() > 0", "due < date('now')"])(
    "%s as the condition of an index",
    (where) => {
      const indexes = [{ on: ["n"] }, { on: ["n"], where, name: "idx_open" }];

      const message = refusalOf({ checks: [{ name: "c", expression: "n IS NOT NULL" }], indexes });

      expect(message).toContain(`where of the index "idx_open" (${where}) cannot work: `);
    },
  );

  test("and one that can work passes", () => {
    const where = "week_id > 0 AND due IS NOT NULL";
    const expression = "length(due) = 10 AND coalesce(n, 1) IN (1, 2) AND due GLOB '2*'";

    const declare = (): unknown =>
      entity("tasks", columns, { ...check(expression), indexes: [{ on: ["n"], where }] });

    expect(declare).not.toThrow();
  });
});

test("options that a kind does not have are refused, with the nearest one", () => {
  const make = (kind: string, options: object) => (): unknown =>
    (t as unknown as Record<string, (options: object) => unknown>)[kind]?.(options);

  expect(make("text", { maxLen: 3 })).toThrow(
    't.text(): unknown option "maxLen". Did you mean "maxLength"? ' +
      "Known options: minLength, maxLength, pattern, trim.",
  );
  expect(make("text", { maxLen: 3 })).toThrow(expect.objectContaining({ code: "INVALID_SCHEMA" }));
  expect(make("text", { nullable: true })).toThrow('unknown option "nullable"');
  for (const kind of ["int", "bigint", "real"]) {
    expect(make(kind, { maximum: 3 })).toThrow('unknown option "maximum"');
  }
  for (const kind of ["boolean", "json", "uuid", "date", "timestamp", "blob"]) {
    expect(make(kind, { max: 3 })).toThrow(
      `t.${kind}(): unknown option "max". It takes no options`,
    );
    expect(make(kind, {})).not.toThrow();
  }
});

test("a property cannot have the name of a word of where", () => {
  for (const word of ["and", "or", "not"]) {
    const declare = (): unknown => entity("things", { id, [word]: t.int() });

    expect(declare).toThrow(`property "${word}": is a word of where (and, or, not)`);
  }
  expect(() => entity("things", { id, negation: t.int().column("not") })).not.toThrow();
});
