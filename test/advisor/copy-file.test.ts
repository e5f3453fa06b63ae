import { statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { advise } from "../../src/advisor/advise.ts";
import { type CopyRequest, copyFile } from "../../src/advisor/copy-file.ts";
import { inspect } from "../../src/advisor/inspect.ts";
import { change } from "../../src/advisor/measure.ts";
import { Sampler } from "../../src/advisor/sample.ts";
import { parseWorkload } from "../../src/advisor/workload.ts";
import { makeDatabase, makeFolder, rowsOf } from "./support.ts";

const ROWS = 20_000;
const WANTED = 1_000;

function factsOf(path: string): CopyRequest["facts"] {
  using database = new DatabaseSync(path, { readOnly: true });
  const sampler = new Sampler(database);
  return inspect(database, (table, rowid) => sampler.rows(table, rowid));
}

/** Copies a sample of every table, and opens it. */
function sampleOf(path: string, rows = WANTED): { copy: DatabaseSync; file: string } {
  const facts = factsOf(path);
  const to = join(makeFolder(), "copy.db");
  using database = new DatabaseSync(path, { readOnly: true });
  const sample = { tables: facts.tables.map(({ name }) => name), rows };
  copyFile(database, { kind: "copy", path, to, sample, facts });
  return { copy: new DatabaseSync(to), file: to };
}

/** Every name that the advisor's own SQL uses, and what SQLite has of its own. */
const NAMES = ["at", "last", "step", "t", "source", "rows", "main", "true", "NULL", "key", "value"];
const ROWID_NAMES = ["rowid", "_rowid_", "oid", "ROWID"];

describe("a sample", () => {
  it.each([...NAMES, ...ROWID_NAMES])("is the same with a column named %s", (column) => {
    // 0, so that a search for it instead of a step would find the first row again and again.
    const path = makeDatabase(
      `CREATE TABLE step (id INTEGER PRIMARY KEY, "${column}" INTEGER, body TEXT)`,
      rowsOf("step", ROWS, "i", "0", "'b' || i"),
    );
    const { copy } = sampleOf(path);
    using _ = copy;

    const found = copy.prepare("SELECT count(*) AS n, max(id) AS last FROM step").get();

    expect(found).toEqual({ n: WANTED, last: ROWS - ROWS / WANTED + 1 });
  });

  it.each([...NAMES, ...ROWID_NAMES])("finds an index beside a column named %s", async (column) => {
    const path = makeDatabase(
      `CREATE TABLE keys ("${column}" INTEGER, body TEXT)`,
      rowsOf("keys", ROWS, "1e12 + i", "'b' || i"),
    );
    const workload = parseWorkload("SELECT * FROM keys WHERE body = ?", "test");

    const { advice } = await advise({ path, workload, savedMin: 0.01, sampleRows: 10_000 });

    expect(advice.map(({ index }) => index)).toEqual(["idx_keys_body"]);
  });

  it("has rows where columns have all names of rowids", () => {
    const path = makeDatabase(
      "CREATE TABLE odd (rowid, oid, _rowid_)",
      rowsOf("odd", ROWS, "0", "0", "i"),
    );
    const { copy } = sampleOf(path);
    using _ = copy;
    const [table] = factsOf(path).tables;

    const { n } = copy.prepare("SELECT count(*) AS n FROM odd").get() as { n: number };
    const sql = "CREATE INDEX by_oid ON odd (oid)";
    const changed =
      table && change(copy, { kind: "change", copy: "", sql, index: "by_oid", table });

    expect(n).toBeGreaterThan(WANTED / 2);
    expect(n).toBeLessThanOrEqual(WANTED);
    expect(changed?.bytes).toBeGreaterThan(0);
  });

  it("is no larger where rowids are far apart, or too large for a number", () => {
    const path = makeDatabase(
      "CREATE TABLE t (id INTEGER PRIMARY KEY, body TEXT)",
      rowsOf("t", ROWS, "9000000000000000001 + 1000000000 * i", "'b' || i"),
    );
    const { copy } = sampleOf(path);
    using _ = copy;

    const { n } = copy.prepare("SELECT count(*) AS n FROM t").get() as { n: number };

    expect(n).toBeGreaterThan(WANTED / 2);
    expect(n).toBeLessThanOrEqual(WANTED);
  });

  it("never takes more rows than it was asked for, however many there are meanwhile", () => {
    const path = makeDatabase(
      "CREATE TABLE t (id INTEGER PRIMARY KEY, body TEXT)",
      rowsOf("t", ROWS, "i", "'b' || i"),
    );
    const facts = factsOf(path);
    const to = join(makeFolder(), "copy.db");
    using database = new DatabaseSync(path, { readOnly: true });
    // What was estimated before the table grew.
    const small = { ...facts, tables: facts.tables.map((table) => ({ ...table, rows: 10 })) };
    const sample = { tables: ["t"], rows: WANTED };

    copyFile(database, { kind: "copy", path, to, sample, facts: small });

    using copy = new DatabaseSync(to);
    expect(copy.prepare("SELECT count(*) AS n FROM t").get()).toEqual({ n: WANTED });
  });

  it("stops before it takes more room than twice the database", () => {
    // Computed columns take no room in the table, and a lot in an index.
    const path = makeDatabase(
      `CREATE TABLE t (id INTEGER PRIMARY KEY,
        wide TEXT AS (hex(zeroblob(1000)) || id) VIRTUAL)`,
      rowsOf("t (id)", ROWS, "i"),
    );
    using database = new DatabaseSync(path);
    const facts = factsOf(path);
    const texts = [
      ...facts.texts,
      { kind: "index", name: "w", table: "t", sql: "CREATE INDEX w ON t (wide)", isShadow: false },
    ];
    const to = join(makeFolder(), "copy.db");
    const sample = { tables: ["t"], rows: ROWS };
    const request = { kind: "copy", path, to, sample, facts: { ...facts, texts } } as const;

    expect(() => copyFile(database, request)).toThrow(/^a sample may take .* and needs more/);
    expect(statSync(to).size).toBeLessThan(17 * 2 ** 20);
  });
});
