import { readdirSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { importTable, readCsv } from "springhouse/import";
import { describe, expect, it } from "vitest";
import { ImportFolder } from "./support.ts";

/** So many lists in each other. */
function nested(depth: number): string {
  return "[".repeat(depth) + "]".repeat(depth);
}

interface Given {
  readonly table?: string;
  readonly sampleItems?: number;
}

async function run(folder: ImportFolder, name: string, text: string, given: Given = {}) {
  const sources = await folder.file(name, text);
  const { target } = folder;
  return await importTable({ target, sources, table: "t", backupDirectory: false, ...given });
}

describe("a name that no column can have", () => {
  it.each([
    ["a.jsonl", '{"id":1}\n{"id":5,"\\u0000":1}\n', 2],
    ["a.csv", "id,a\0b\n1,2\n", 2],
  ])("is refused with file and line, and nothing is left: %s", async (name, text, line) => {
    await using folder = await ImportFolder.make();

    await expect(run(folder, name, text)).rejects.toMatchObject({
      code: "VALIDATION",
      message: expect.stringMatching(new RegExp(`${name}, line ${line}: a name holds "\\\\u0000"`)),
    });
    expect(readdirSync(folder.path)).toEqual([name]);
  });
});

describe("a staging file that cannot be made", () => {
  it("is not left behind", async () => {
    await using folder = await ImportFolder.make();
    using database = new DatabaseSync(folder.target);
    // The index needs a function that only its own program has.
    database.function("own", { deterministic: true }, (value) => value);
    database.exec("CREATE TABLE t (id INTEGER PRIMARY KEY)");
    database.exec("CREATE UNIQUE INDEX t_own ON t (own(id))");

    await expect(run(folder, "a.json", '[{"id":1}]')).rejects.toMatchObject({ code: "SQL" });
    expect(readdirSync(folder.path).filter((name) => name.includes("importing"))).toEqual([]);
  });
});

describe("names of tables and samples", () => {
  it.each<[Given, string]>([
    [{ table: 'a"b' }, 'holds a quote (")'],
    [{ table: "" }, "is no text"],
    [{ table: "SQLite_x" }, "SQLite's own"],
    [{ sampleItems: 0 }, "sampleItems: 0 cannot be used"],
    [{ sampleItems: Number.NaN }, "sampleItems: NaN cannot be used"],
  ])("that cannot be meant are refused with the reason: %j", async (given, message) => {
    await using folder = await ImportFolder.make();

    await expect(run(folder, "a.json", '[{"id":1}]', given)).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringContaining(message),
    });
    expect(readdirSync(folder.path)).toEqual(["a.json"]);
  });
});

describe("CSV whose lines end with CR alone", () => {
  it.each(["id,n\r1,2\r", '"id","a ""b"""\r1,2\r', "id\r\r"])("is refused: %j", async (text) => {
    await using folder = await ImportFolder.make();

    await expect(run(folder, "a.csv", text)).rejects.toMatchObject({
      code: "VALIDATION",
      message: expect.stringMatching(/a\.csv, line 1: it ends with a carriage return/),
    });
  });

  it("is not meant where CR stands in quotes or before LF", async () => {
    const records = await Array.fromAsync(readCsv(['"a\rb",c\r\n1,2\r\n']));

    expect(records.map(({ fields }) => fields)).toEqual([
      ["a\rb", "c"],
      ["1", "2"],
    ]);
  });
});

describe("JSON that is nested too deeply", () => {
  const plain = '{"id":1,"n":[]}\n';

  it.each([
    ["behind another", `${plain}{"id":2,"n":${nested(20_000)}}\n`, 2],
    ["as the first example", `{"id":2,"n":${nested(20_000)}}\n${plain}`, 1],
    ["beside a long number", `${plain}{"id":9007199254740993,"n":${nested(20_000)}}\n`, 2],
  ])("is a reject that says so: %s", async (_, text, line) => {
    await using folder = await ImportFolder.make();

    const report = await run(folder, "a.jsonl", text);

    expect(report.rejects).toEqual([{ file: "a.jsonl", line, reason: "is nested too deeply" }]);
    expect(folder.rows("SELECT id FROM t")).toEqual([{ id: 1 }]);
  });
});
