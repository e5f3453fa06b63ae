import { DatabaseSync } from "node:sqlite";
import { importTable } from "springhouse/import";
import { describe, expect, it } from "vitest";
import { ImportFolder } from "./support.ts";

const TABLE = "t";

/** Imports one file into the table. */
async function run(folder: ImportFolder, name: string, text: string, sampleItems = 1_000) {
  const sources = await folder.file(name, text);
  const { target } = folder;
  return await importTable({ target, sources, table: TABLE, backupDirectory: false, sampleItems });
}

describe("numbers in a column of any type", () => {
  it("stay whole numbers, real ones and texts", async () => {
    await using folder = await ImportFolder.make();

    await run(folder, "a.json", '[{"n":"a"},{"n":5},{"n":1.5},{"n":"5"},{"n":true}]');

    expect(folder.rows("SELECT n, typeof(n) AS type FROM t")).toEqual([
      { n: "a", type: "text" },
      { n: 5, type: "integer" },
      { n: 1.5, type: "real" },
      { n: "5", type: "text" },
      { n: 1, type: "integer" },
    ]);
  });

  it("stay whole numbers in a column of the target without a type; texts of CSV texts", async () => {
    await using folder = await ImportFolder.make();
    using database = new DatabaseSync(folder.target);
    database.exec("CREATE TABLE t (id INTEGER PRIMARY KEY, n)");

    await run(folder, "a.json", '[{"id":1,"n":5}]');
    await run(folder, "b.csv", "id,n\n2,5\n");

    expect(folder.rows("SELECT typeof(n) AS type FROM t ORDER BY id")).toEqual([
      { type: "integer" },
      { type: "text" },
    ]);
  });
});

describe("whole numbers beyond 2^53", () => {
  it.each([
    ["first of a column", '[{"n":9007199254740993}]', "9007199254740993", "integer"],
    ["inside of JSON", '[{"n":{"x":9007199254740993}}]', '{"x":9007199254740993}', "text"],
    ["among texts", '[{"n":"a"},{"n":9007199254740993}]', "9007199254740993", "integer"],
  ])("are kept when they are %s", async (_, text, kept, type) => {
    await using folder = await ImportFolder.make();

    const { inferred, rejected } = await run(folder, "a.json", text);

    const sql = "SELECT CAST(n AS TEXT) AS kept, typeof(n) AS type FROM t WHERE n <> 'a'";
    expect(folder.rows(sql)).toEqual([{ kept, type }]);
    expect(rejected).toBe(0);
    expect(["a", kept]).toContain(inferred.columns[0]?.example);
  });

  it("are the key when all of them differ", async () => {
    await using folder = await ImportFolder.make();
    const text = '[{"id":9007199254740993},{"id":9007199254740992}]';

    const { inferred } = await run(folder, "a.json", text);

    expect(inferred.key).toEqual(["id"]);
    expect(folder.rows("SELECT CAST(id AS TEXT) AS id FROM t ORDER BY id")).toEqual([
      { id: "9007199254740992" },
      { id: "9007199254740993" },
    ]);
  });
});

describe("numbers that a column cannot keep", () => {
  const real = "n: 9007199254740993 would be rounded in a real column";
  const beyond = "n: is a number beyond 1.8e308, which no column keeps";

  it.each([
    ["rounded, of JSON", "a.jsonl", '{"n":1.5}\n{"n":9007199254740993}\n', 1, real],
    ["rounded, of CSV", "a.csv", "n\n1.5\n9007199254740993\n", 2, real],
    ["too large for a double", "a.jsonl", '{"n":1.5}\n{"n":1e400}\n', 2, beyond],
    ["too large for a double, of CSV", "a.csv", "n\n1.5\n1.5e400\n", 1, 'n: "1.5e400" is not of'],
    ["beyond 64 bits", "a.jsonl", '{"n":1}\n{"n":9223372036854775808}\n', 2, "into 64 bits"],
    [
      "inside of JSON",
      "a.jsonl",
      '{"n":{}}\n{"n":{"x":[-1e400]}}\n',
      2,
      "n: holds a number beyond",
    ],
    ["a text", "a.jsonl", '{"n":1.5}\n{"n":"5"}\n', 1, 'n: "5" is not of type real'],
  ])("are rejects: %s", async (_, name, text, sampleItems, reason) => {
    await using folder = await ImportFolder.make();

    const report = await run(folder, name, text, sampleItems);

    const line = name.endsWith(".csv") ? 3 : 2;
    expect(report.rejects).toEqual([{ file: name, line, reason: expect.stringContaining(reason) }]);
    expect(folder.rows("SELECT count(*) AS n FROM t")).toEqual([{ n: 1 }]);
  });

  it("are none of those that a double holds exactly", async () => {
    await using folder = await ImportFolder.make();

    const report = await run(folder, "a.jsonl", '{"n":1.5}\n{"n":9007199254740994}\n{"n":1e22}\n');

    expect(report.rejected).toBe(0);
    expect(folder.rows("SELECT n FROM t WHERE n = 9007199254740994.0")).toHaveLength(1);
  });
});
