import { describe, expect, it } from "vitest";
import { captureOf } from "../../src/capture/capture-level.ts";
import { columnCollations } from "../../src/capture/column-text.ts";
import { LOGGED_COLUMNS_MAX } from "../../src/capture/log-tables.ts";
import { affinityOf, tableStructure } from "../../src/capture/table-structure.ts";
import { databaseOf, tablesOf } from "./log-support.ts";

function structureOf(...statements: readonly string[]): readonly (readonly string[])[] {
  using db = databaseOf(...statements);
  return tablesOf(db).tables.flatMap((table) =>
    tableStructure(table, "rows").columns.map(({ name, affinity, collation }) => [
      name,
      affinity,
      collation,
    ]),
  );
}

/** Why the first table of the statements is logged without its rows; "rows" when it is not. */
function levelOf(...statements: readonly string[]): string {
  using db = databaseOf(...statements);
  const file = tablesOf(db);
  const [table] = file.tables;
  const capture = table && captureOf(table, file);
  return capture?.level === "table" ? capture.reason : String(capture?.level);
}

const PLAIN = "CREATE TABLE t (id INTEGER PRIMARY KEY, a)";

describe("the structure of a table", () => {
  it("has affinities by SQLite's rules, and the collations of the text", () => {
    const columns = structureOf(
      `CREATE TABLE T ("Ab" CHARINT DEFAULT ('x' COLLATE NOCASE), b VARCHAR(3) COLLATE "NoCase",
        c, d FLOAT /* COLLATE RTRIM */, e JSON CHECK (e <> 'COLLATE' COLLATE RTRIM),
        f TEXT DEFAULT ',' COLLATE rtrim, g AS (b) STORED, PRIMARY KEY (b COLLATE RTRIM))`,
    );

    expect(columns).toEqual([
      ["ab", "integer", "binary"],
      ["b", "text", "nocase"],
      ["c", "blob", "binary"],
      ["d", "real", "binary"],
      ["e", "numeric", "binary"],
      ["f", "text", "rtrim"],
      ["g", "blob", "binary"],
    ]);
  });

  it("tells columns apart whose names JavaScript alone has alike", () => {
    const columns = structureOf(`CREATE TABLE t ("Äb" TEXT, "äb" INT, "\u212A", k REAL, "Ω" BLOB)`);

    expect(columns.map(([name]) => name)).toEqual(["Äb", "äb", "\u212A", "k", "Ω"]);
  });

  it("says whether the file is in UTF-16", () => {
    const isUtf16 = (...statements: readonly string[]): unknown => {
      using db = databaseOf(...statements, PLAIN);
      const [table] = tablesOf(db).tables;
      return table && tableStructure(table, "rows").isUtf16;
    };

    expect(isUtf16()).toBe(false);
    expect(isUtf16("PRAGMA encoding = 'UTF-16le'")).toBe(true);
    expect(isUtf16("PRAGMA encoding = 'UTF-16be'")).toBe(true);
  });

  it("knows ANY in a strict table, where nothing is converted, from the word elsewhere", () => {
    expect([affinityOf("ANY", true), affinityOf("any", false)]).toEqual(["blob", "numeric"]);
  });

  it("says that a collation is unknown when the text is not what the columns say", () => {
    const sql = "CREATE TABLE t (a COLLATE NOCASE, b)";

    expect(columnCollations(sql, ["b", "a"])).toEqual(["unknown", "unknown"]);
    expect(columnCollations(sql, ["a"])).toEqual(["unknown"]);
    expect(columnCollations("CREATE TABLE t (a COLLATE NOCASE, 'b", ["a", "b"])).toEqual([
      "unknown",
      "unknown",
    ]);
  });

  it("follows ALTER TABLE", () => {
    const columns = structureOf(
      "CREATE TABLE t (a COLLATE NOCASE, CHECK (a))",
      "ALTER TABLE t ADD COLUMN b TEXT COLLATE RTRIM",
      "ALTER TABLE t RENAME COLUMN a TO z",
    );

    expect(columns.map(([name, , collation]) => [name, collation])).toEqual([
      ["z", "nocase"],
      ["b", "rtrim"],
    ]);
  });

  it("leaves out what is not an ordinary table", () => {
    using db = databaseOf(
      PLAIN,
      "CREATE VIEW v AS SELECT * FROM t",
      "CREATE VIRTUAL TABLE words USING fts5 (x)",
      "CREATE TABLE springhouse_actor (id)",
      "CREATE TABLE more (id INTEGER PRIMARY KEY AUTOINCREMENT)",
    );

    expect(tablesOf(db).tables.map(({ name }) => name)).toEqual(["t", "more"]);
  });

  it("tells the rowid by each of its names that is free", () => {
    using db = databaseOf(
      PLAIN,
      "CREATE TABLE u (oid, a, PRIMARY KEY (a))",
      "CREATE TABLE v (id INTEGER PRIMARY KEY DESC, rowid)",
      "CREATE TABLE w (id INTEGER PRIMARY KEY) WITHOUT ROWID",
    );

    expect(
      tablesOf(db).tables.map(({ rowidColumn, rowidNames }) => [rowidColumn, rowidNames.join()]),
    ).toEqual([
      ["id", "rowid,_rowid_,oid"],
      [undefined, "rowid,_rowid_"],
      [undefined, "_rowid_,oid"],
      [undefined, ""],
    ]);
  });
});

describe("a table is logged without its rows", () => {
  const many = Array.from({ length: LOGGED_COLUMNS_MAX + 1 }, (_, at) => `c${at}`).join(", ");

  it.each([
    [[`CREATE TABLE t (${many})`], /65 columns/],
    [["CREATE TABLE t (rowid, _rowid_, oid)"], /nothing names its rowid/],
    [[PLAIN, "CREATE UNIQUE INDEX i ON t (lower(a))"], /over an expression/],
    [["CREATE TABLE t (a, g AS (a) UNIQUE)"], /g is computed/],
    [["CREATE TABLE t (a NOT NULL DEFAULT (1 + 1) UNIQUE)"], /default of a/],
    [
      [PLAIN, "CREATE TRIGGER x BEFORE INSERT ON t BEGIN DELETE FROM t WHERE a = NEW.a; END"],
      /trigger x writes/,
    ],
    [[PLAIN, "CREATE TRIGGER x UPDATE ON t BEGIN REPLACE INTO t VALUES (1, 2); END"], /trigger x/],
    [
      [
        PLAIN,
        "CREATE TABLE u (x REFERENCES t ON DELETE CASCADE)",
        "CREATE TRIGGER x AFTER DELETE ON u BEGIN SELECT RAISE(FAIL, 'no'); END",
      ],
      /RAISE\(FAIL\)/,
    ],
  ])("when it cannot be done without doubt: %s", (statements, reason) => {
    expect(levelOf(...statements)).toMatch(reason);
  });

  it.each([
    [[PLAIN]],
    [["CREATE TABLE t (a NOT NULL DEFAULT -1 UNIQUE, b NOT NULL DEFAULT 'it''s' UNIQUE)"]],
    [[PLAIN, "CREATE INDEX i ON t (lower(a))"]],
    [[PLAIN, "CREATE TRIGGER x BEFORE INSERT ON t BEGIN SELECT replace(NEW.a, 1, 2); END"]],
    [[PLAIN, "CREATE TRIGGER x BEFORE DELETE ON t BEGIN DELETE FROM t WHERE a = OLD.a; END"]],
    [
      [
        PLAIN,
        "CREATE TABLE springhouse_notes (a)",
        "CREATE TRIGGER x BEFORE INSERT ON t BEGIN DELETE FROM springhouse_notes; END",
      ],
    ],
    [[PLAIN, "CREATE TRIGGER x AFTER INSERT ON t BEGIN SELECT RAISE(FAIL, 'no'); END"]],
  ])("only then: %s", (statements) => {
    expect(levelOf(...statements)).toBe("rows");
  });
});
