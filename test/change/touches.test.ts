import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Change, Image } from "../../src/change/change.ts";
import { type Atom, wholeTable } from "../../src/change/footprint.ts";
import type { TableStructure } from "../../src/change/structure.ts";
import { touches } from "../../src/change/touches.ts";
import { type ImageValue, UNKNOWN } from "../../src/change/value.ts";
import {
  boundOf,
  build,
  cases,
  createTable,
  cyclic,
  databaseIn,
  ENCODINGS,
  imagesOf,
  insert,
  placeholderOf,
  written,
} from "./support.ts";

const TASKS: TableStructure = {
  name: "tasks",
  columns: [
    { name: "week", affinity: "integer", collation: "binary" },
    { name: "score", affinity: "real", collation: "binary" },
    { name: "title", affinity: "text", collation: "nocase" },
  ],
  capture: "rows",
};
const ATOM: Atom = {
  table: "tasks",
  columns: new Set(["week", "score"]),
  predicate: { kind: "compare", column: "week", operator: "=", value: 7n },
};

function image(...values: ImageValue[]): Image {
  return { columns: ["week", "score", "title"], values };
}

function row(before: Image | undefined, after: Image | undefined): Change {
  return { kind: "row", table: "tasks", before, after };
}

describe("a change touches what was read", () => {
  const inside = image(7n, 1, "a");
  const outside = image(8n, 1, "a");

  it("when it inserts or deletes a row that meets the predicate", () => {
    expect(touches(row(undefined, inside), ATOM, TASKS)).toBe(true);
    expect(touches(row(inside, undefined), ATOM, TASKS)).toBe(true);
    expect(touches(row(undefined, outside), ATOM, TASKS)).toBe(false);
    expect(touches(row(outside, undefined), ATOM, TASKS)).toBe(false);
  });

  it("when a row moves in, moves out or changes inside", () => {
    expect(touches(row(outside, inside), ATOM, TASKS)).toBe(true);
    expect(touches(row(inside, outside), ATOM, TASKS)).toBe(true);
    expect(touches(row(inside, image(7n, 2, "a")), ATOM, TASKS)).toBe(true);
    expect(touches(row(outside, image(9n, 2, "a")), ATOM, TASKS)).toBe(false);
  });

  it("only when one of the columns changed, storage class and bytes", () => {
    expect(touches(row(inside, image(7n, 1, "b")), ATOM, TASKS)).toBe(false);
    expect(touches(row(inside, image(7n, 1n, "a")), ATOM, TASKS)).toBe(true);
    expect(touches(row(image(7n, 0, "a"), image(7n, -0, "a")), ATOM, TASKS)).toBe(true);
    expect(touches(row(inside, image(7n, UNKNOWN, "a")), ATOM, TASKS)).toBe(true);

    const titled = { ...ATOM, columns: new Set(["title"]) };
    const long = image(7n, 1, UNKNOWN);
    expect(touches(row(inside, image(7n, 1, "A")), titled, TASKS)).toBe(true);
    expect(touches(row(long, long), titled, TASKS)).toBe(true);
    expect(touches(row(image(7n, 1, "\uFFFD"), image(7n, 1, "\uFFFD")), titled, TASKS)).toBe(true);
    expect(touches(row(inside, inside), titled, TASKS)).toBe(false);
  });

  it("when a text of a file in UTF-16 may have become another one that is read alike", () => {
    const titled = { ...ATOM, columns: new Set(["title"]) };
    const paired = row(image(7n, 1, "\u{10041}"), image(7n, 1, "\u{10041}"));

    expect(touches(paired, titled, TASKS)).toBe(false);
    expect(touches(paired, titled, { ...TASKS, isUtf16: true })).toBe(true);
    expect(touches(row(inside, inside), titled, { ...TASKS, isUtf16: true })).toBe(false);
  });

  it("when a column that it read is not in the log", () => {
    const other = { ...ATOM, columns: new Set(["added"]) };

    expect(touches(row(inside, inside), other, TASKS)).toBe(true);
  });

  it("by any update that was logged when it read more than columns", () => {
    const all: Atom = { ...ATOM, columns: "all" };

    expect(touches(row(inside, inside), all, TASKS)).toBe(true);
    expect(touches(row(outside, outside), all, TASKS)).toBe(false);
    expect(touches(row(outside, outside), wholeTable("tasks"), TASKS)).toBe(true);
  });

  it("when anything in its table may have changed, and never from another table", () => {
    expect(touches({ kind: "table", table: "tasks" }, ATOM, TASKS)).toBe(true);
    expect(touches({ kind: "table", table: "weeks" }, ATOM, TASKS)).toBe(false);
    expect(touches({ ...row(inside, undefined), table: "weeks" }, ATOM, TASKS)).toBe(false);
  });
});

describe("a random change of a random table", () => {
  const writes = fc.array(
    fc.record({
      kind: fc.constantFrom("insert", "update", "update", "delete"),
      row: fc.nat(),
      column: fc.nat(),
      value: fc.nat(),
    }),
    { minLength: 6, maxLength: 12 },
  );

  it.each(ENCODINGS)("touches every query whose result it changes, in %s", (encoding) => {
    using db = databaseIn(encoding);
    const counts = { changed: 0, touched: 0, missed: 0 };

    fc.assert(
      fc.property(cases(true), writes, (example, list) => {
        const structure = createTable(db, example);
        const queries = example.conditions.map((condition, at) => {
          const one = build(condition, structure, example.domain);
          const { name } = cyclic(structure.columns, at);
          const columns = new Set([...one.columns, name]);
          const atom: Atom = { table: "t", columns, predicate: one.predicate };
          const statement = db.prepare(`SELECT hex(${name}), typeof(${name}), ${name} FROM t
            WHERE ${one.sql} ORDER BY rowid`);
          statement.setReadBigInts(true);
          return { atom, read: () => statement.all(...one.parameters) };
        });
        for (const write of list) {
          const results = queries.map(({ read }) => read());
          const change = changeBy(write);
          if (change === undefined) continue;
          queries.forEach(({ atom, read }, at) => {
            const changed = !isDeepStrictEqual(read(), results[at]);
            const touched = touches(change, atom, structure);
            if (changed) expect(touched).toBe(true);
            counts[changed ? "changed" : touched ? "touched" : "missed"]++;
          });
        }

        function changeBy({ kind, row, column, value }: (typeof list)[number]): Change | undefined {
          const before = imagesOf(db, structure);
          const rowid = [...before.keys()][row % Math.max(before.size, 1)];
          const { name } = cyclic(structure.columns, column);
          const next = cyclic(example.domain, value);
          if (kind === "insert") {
            insert(
              db,
              structure.columns.map((_, at) => cyclic(example.domain, value + at * row)),
            );
          } else if (rowid === undefined) {
            return undefined;
          } else if (kind === "delete") {
            db.prepare("DELETE FROM t WHERE rowid = ?").run(rowid);
          } else {
            const sql = `UPDATE t SET ${name} = ${placeholderOf(next)} WHERE rowid = ?`;
            written(() => db.prepare(sql).run(boundOf(next), rowid));
          }
          const after = imagesOf(db, structure);
          const place = kind === "insert" ? [...after.keys()].at(-1) : rowid;
          if (place === undefined || (kind === "insert" && after.size === before.size)) return;
          const [old, now] = [before.get(place), after.get(place)];
          return { kind: "row", table: "t", before: old, after: now };
        }
      }),
      { seed: 8, numRuns: 200 },
    );

    expect(counts.changed).toBeGreaterThan(1_000);
    expect(counts.missed).toBeGreaterThan(counts.touched);
  });
});
