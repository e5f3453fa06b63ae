import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Change } from "../../src/change/change.ts";
import { changesOf, type LoggedRow } from "../../src/change/changes-of.ts";
import type { Atom } from "../../src/change/footprint.ts";
import { atomText } from "../../src/change/footprint-text.ts";
import type { TableStructure } from "../../src/change/structure.ts";
import { touches } from "../../src/change/touches.ts";
import { type ImageValue, type StoredValue, UNKNOWN } from "../../src/change/value.ts";

const COLUMNS = ["id", "code", "note"];

function logged(kind: LoggedRow["kind"], ...values: ImageValue[]): LoggedRow {
  return { table: "items", kind, columns: COLUMNS, values };
}

function elsewhere(row: LoggedRow): LoggedRow {
  return { ...row, table: "others" };
}

function row(before: ImageValue[] | undefined, after: ImageValue[] | undefined): Change {
  const image = (values: ImageValue[] | undefined) => values && { columns: COLUMNS, values };
  return { kind: "row", table: "items", before: image(before), after: image(after) };
}

const OLD = [1n, "x", "old"];
const NEW = [1n, "x", "new"];
const OTHER = [2n, "y", "old"];

describe("the changes of logged rows", () => {
  it("have the images of inserts, updates and deletes", () => {
    const rows = [
      logged("insert", ...OLD),
      logged("update", ...OLD, ...NEW),
      logged("delete", ...NEW),
      { ...logged("table"), table: "others", columns: [] },
    ];

    expect(changesOf(rows)).toEqual([
      row(undefined, OLD),
      row(OLD, NEW),
      row(NEW, undefined),
      { kind: "table", table: "others" },
    ]);
  });

  it("have a row that may be replaced as deleted", () => {
    const rows = [logged("maybe-replaced", ...OLD), logged("insert", ...NEW)];

    expect(changesOf(rows)).toEqual([row(OLD, undefined), row(undefined, NEW)]);
    expect(changesOf(rows.slice(0, 1))).toEqual([row(OLD, undefined)]);
  });

  it("leave it out when the next row of the table updates the same image", () => {
    const rows = [
      logged("maybe-replaced", ...OLD),
      elsewhere(logged("insert", ...OLD)),
      logged("maybe-replaced", ...OLD),
      logged("update", ...OLD, ...NEW),
    ];

    expect(changesOf(rows).slice(1)).toEqual([row(OLD, NEW)]);
  });

  it("keep it when another row may be replaced too", () => {
    const rows = [
      logged("maybe-replaced", ...OTHER),
      logged("maybe-replaced", ...OLD),
      logged("update", ...OLD, ...NEW),
    ];

    expect(changesOf(rows)).toEqual([row(OTHER, undefined), row(OLD, undefined), row(OLD, NEW)]);
  });

  it("keep it when anything else comes before that update", () => {
    const update = logged("update", ...OLD, ...NEW);
    const between = [
      logged("insert", ...OTHER),
      logged("delete", ...OTHER),
      logged("table"),
      logged("update", ...OTHER, ...NEW),
    ];

    for (const other of between) {
      const changes = changesOf([logged("maybe-replaced", ...OLD), other, update]);

      expect(changes[0]).toEqual(row(OLD, undefined));
    }
  });

  it("keep it when the images are not surely the same", () => {
    const doubts: ImageValue[][] = [
      [1n, "x", UNKNOWN],
      [1n, "x", "\uFFFD"],
    ];

    for (const doubt of doubts) {
      const rows = [logged("maybe-replaced", ...doubt), logged("update", ...doubt, ...NEW)];

      expect(changesOf(rows)).toEqual([row(doubt, undefined), row(doubt, NEW)]);
    }
    const others = [[1, "x", "old"], [1n, "X", "old"], OTHER];
    for (const other of others) {
      const rows = [logged("maybe-replaced", ...other), logged("update", ...OLD, ...NEW)];

      expect(changesOf(rows)).toHaveLength(2);
    }
    const shape = { ...logged("maybe-replaced", ...OLD), columns: ["id", "note", "code"] };
    expect(changesOf([shape, logged("update", ...OLD, ...NEW)])).toHaveLength(2);
  });

  it("are of the whole table when the values do not fit the columns", () => {
    const rows = [logged("update", ...OLD), logged("insert", ...OLD, ...NEW), logged("delete")];

    expect(changesOf(rows)).toEqual(rows.map(() => ({ kind: "table", table: "items" })));
  });
});

/** A log as the triggers of a table with two unique keys write it. */
const SCHEMA = `
  CREATE TABLE log (seq INTEGER PRIMARY KEY, kind, a, b, c, d, e, f);
  CREATE TABLE items (id INTEGER PRIMARY KEY, code TEXT UNIQUE COLLATE NOCASE, note,
    parent INTEGER REFERENCES items ON DELETE SET NULL);
  CREATE TRIGGER before_insert BEFORE INSERT ON items BEGIN
    INSERT INTO log (kind, a, b, c) SELECT 'maybe-replaced', id, code, note FROM items
      WHERE id = NEW.id OR code = NEW.code;
  END;
  CREATE TRIGGER before_update BEFORE UPDATE OF id, code ON items BEGIN
    INSERT INTO log (kind, a, b, c) SELECT 'maybe-replaced', id, code, note FROM items
      WHERE id = NEW.id OR code = NEW.code;
  END;
  CREATE TRIGGER after_insert AFTER INSERT ON items BEGIN
    INSERT INTO log (kind, a, b, c) VALUES ('insert', NEW.id, NEW.code, NEW.note);
  END;
  CREATE TRIGGER after_update AFTER UPDATE ON items BEGIN
    INSERT INTO log (kind, a, b, c, d, e, f)
      VALUES ('update', OLD.id, OLD.code, OLD.note, NEW.id, NEW.code, NEW.note);
  END;
  CREATE TRIGGER after_delete AFTER DELETE ON items BEGIN
    INSERT INTO log (kind, a, b, c) VALUES ('delete', OLD.id, OLD.code, OLD.note);
  END;
  CREATE TABLE parts (item INTEGER REFERENCES items ON DELETE CASCADE ON UPDATE CASCADE);
  CREATE TRIGGER without_part AFTER DELETE ON parts BEGIN
    UPDATE items SET note = 'less' WHERE id BETWEEN OLD.item AND OLD.item + 1;
  END;`;

const WRITES = [
  "INSERT OR IGNORE INTO items VALUES ($id, $code, $note, $other)",
  "INSERT OR REPLACE INTO items VALUES ($id, $code, $note, $id)",
  "INSERT OR REPLACE INTO items VALUES ($id, $code, $note, $other), ($other, $code, $note, $id)",
  "UPDATE OR REPLACE items SET code = $code, note = $note WHERE id = $other OR id = $id",
  "UPDATE OR REPLACE items SET id = $id WHERE id = $other",
  "UPDATE OR IGNORE items SET note = $note, code = $code WHERE parent = $id",
  "INSERT INTO parts VALUES ($id)",
  "DELETE FROM items WHERE id = $other AND note = $note",
  `INSERT INTO items VALUES ($id, $code, $note, NULL)
    ON CONFLICT (id) DO UPDATE SET note = $note ON CONFLICT (code) DO UPDATE SET note = $note`,
  `INSERT INTO items VALUES ($id, $code, $note, $other)
    ON CONFLICT (id) DO UPDATE SET note = $note, code = $code`,
];

const ITEMS: TableStructure = {
  name: "items",
  columns: [
    { name: "id", affinity: "integer", collation: "binary" },
    { name: "code", affinity: "text", collation: "binary" },
    { name: "note", affinity: "blob", collation: "binary" },
  ],
  capture: "rows",
};

describe("the changes of random writes with REPLACE and upserts", () => {
  const small = (stem: string) => fc.nat(3).map((number) => `${stem}${number}`);
  const write = fc.record({
    sql: fc.constantFrom(...WRITES),
    $id: fc.bigInt(1n, 4n),
    $other: fc.bigInt(1n, 4n),
    $code: fc.oneof(small("c"), small("C"), fc.constant(null)),
    $note: small("n"),
  });

  it("touch whoever counts rows by columns of which the count has changed", () => {
    const counts = { deleted: 0, spared: 0 };

    fc.assert(
      fc.property(fc.array(write, { minLength: 5, maxLength: 20 }), (writes) => {
        using db = new DatabaseSync(":memory:");
        db.exec(SCHEMA);
        for (const { sql, ...parameters } of writes) {
          const before = rowsOf(db, "SELECT id, code, note FROM items");
          const used = Object.entries(parameters).filter(([name]) => sql.includes(name));
          try {
            db.prepare(sql).run(Object.fromEntries(used));
          } catch (error) {
            // A statement that fails takes its log rows back with it.
            expect(String(error)).toMatch(/constraint failed/);
          }
          const after = rowsOf(db, "SELECT id, code, note FROM items");
          const rows = rowsOf(db, "SELECT kind, a, b, c, d, e, f FROM log ORDER BY seq").map(
            ([kind, ...values]) =>
              logged(kind as LoggedRow["kind"], ...values.slice(0, kind === "update" ? 6 : 3)),
          );
          db.exec("DELETE FROM log");
          const changes = changesOf(rows);

          for (const atom of countsChanged(before, after)) {
            expect(changes.some((change) => touches(change, atom, ITEMS))).toBe(true);
          }
          counts.deleted += Math.max(before.length - after.length, 0);
          counts.spared += rows.length - changes.length;
        }
      }),
      { seed: 9, numRuns: 150 },
    );

    expect(Math.min(...Object.values(counts))).toBeGreaterThan(50);
  });
});

function rowsOf(db: DatabaseSync, sql: string): StoredValue[][] {
  const statement = db.prepare(sql);
  statement.setReadBigInts(true);
  statement.setReturnArrays(true);
  return statement.all() as unknown as StoredValue[][];
}

/** What reads each number of rows that are alike in some columns, and is not what it was. */
function countsChanged(before: StoredValue[][], after: StoredValue[][]): Atom[] {
  return [[0], [1], [2], [0, 1], [0, 2], [1, 2], [0, 1, 2]]
    .flatMap((places) => {
      const columns = new Set(places.map((place) => COLUMNS[place] as string));
      const atomOf = (row: StoredValue[]): Atom => ({
        table: "items",
        columns,
        predicate: {
          kind: "and",
          parts: places.map((place) => ({
            kind: "compare",
            ...{ column: COLUMNS[place] as string, operator: "is", value: row[place] ?? null },
          })),
        },
      });
      const atoms = new Map(
        [...before, ...after].map(atomOf).map((atom) => [atomText(atom), atom]),
      );
      const count = (rows: StoredValue[][], text: string): number =>
        rows.filter((row) => atomText(atomOf(row)) === text).length;
      return [...atoms].filter(([text]) => count(before, text) !== count(after, text));
    })
    .map(([, atom]) => atom);
}
