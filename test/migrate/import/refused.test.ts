import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { importTable } from "springhouse/import";
import { describe, expect, it } from "vitest";
import { ImportFolder, issues, type rowsOf } from "./support.ts";

const KEYS = "SELECT key FROM issues ORDER BY key";
const STATUSES = "SELECT issue_key AS key, status FROM changes ORDER BY issue_key";

/** An issue of "key: title" and its change, which refers to a third one of "key: title: other". */
function mapped(item: Parameters<typeof rowsOf>[0]) {
  const [key = "", title = key, of = key] = String(item.value).split(": ");
  return { issues: { key, title }, changes: [{ issueKey: of, status: title }] };
}

describe("rows that conflict with those of the target", () => {
  it("become rejects with file and line; the others are imported", async () => {
    await using folder = await ImportFolder.make();
    await folder.import({ sources: await folder.file("a.json", ["Z: taken"]), map: mapped });
    const first = await folder.file("b.jsonl", '"A: one"\n"B: taken"\n"C: two"\n');
    const second = await folder.file("c.jsonl", '"D: three"\n\n"E: taken"\n');
    const backupDirectory = join(folder.path, "backups");

    const report = await folder.import({ sources: [first, second], map: mapped, backupDirectory });

    const reason = "issues: UNIQUE constraint failed: issues.title, in the target";
    expect(report).toMatchObject({
      items: 5,
      rejected: 2,
      tables: [
        { table: "issues", rows: 3, inserted: 3 },
        { table: "changes", rows: 3, inserted: 3 },
      ],
    });
    // "E" gets as far as the target when "B", which has the same title, is out of its way.
    expect(report.rejects).toEqual([
      { file: "b.jsonl", line: 2, reason },
      { file: "c.jsonl", line: 3, reason },
    ]);
    expect(folder.rows(STATUSES)).toEqual([
      { key: "A", status: "one" },
      { key: "C", status: "two" },
      { key: "D", status: "three" },
      { key: "Z", status: "taken" },
    ]);
    expect(readdirSync(backupDirectory)).toHaveLength(1);
    expect(existsSync(`${folder.target}.importing`)).toBe(false);
  });

  it("are found among many", async () => {
    await using folder = await ImportFolder.make();
    await folder.import({ sources: await folder.file("a.json", ["Z: Issue A-1500"]), map: mapped });
    const sources = await folder.file("b.json", issues(3_000));

    const report = await folder.import({ sources });

    expect(report).toMatchObject({ items: 3_000, rejected: 1, rejects: [{ file: "b.json" }] });
    expect(folder.rows("SELECT count(*) AS n FROM changes")).toEqual([{ n: 3_000 }]);
    expect(folder.rows("SELECT 1 FROM issues WHERE key = 'A-1500'")).toEqual([]);
  });

  it("are told of by a dry run, which changes nothing", async () => {
    await using folder = await ImportFolder.make();
    await folder.import({ sources: await folder.file("a.json", ["Z: taken"]), map: mapped });
    const sources = await folder.file("b.json", ["A: one", "B: taken"]);

    const report = await folder.import({ sources, map: mapped, dryRun: true });

    expect(report).toMatchObject({
      status: "rehearsed",
      rejected: 1,
      tables: [{ inserted: 1 }, {}],
    });
    expect(folder.rows(KEYS)).toEqual([{ key: "Z" }]);
  });

  it("end the import when they are too many, with the lines", async () => {
    await using folder = await ImportFolder.make();
    await folder.import({ sources: await folder.file("a.json", ["Z: taken"]), map: mapped });
    const sources = await folder.file("b.json", ["A: one", "B: taken"]);

    await expect(folder.import({ sources, map: mapped, rejectsMax: 0 })).rejects.toMatchObject({
      code: "VALIDATION",
      message: expect.stringContaining("b.json:1 issues: UNIQUE constraint failed"),
    });
    expect(folder.rows(KEYS)).toEqual([{ key: "Z" }]);
    expect(existsSync(`${folder.target}.importing`)).toBe(false);
  });

  it("end the import when no item has given them", async () => {
    await using folder = await ImportFolder.make();
    await folder.import({ sources: await folder.file("a.json", ["Z: taken"]), map: mapped });
    const sources = await folder.file("b.json", ["A: one"]);
    const finish = () => ({ issues: { key: "Y", title: "taken" } });

    await expect(folder.import({ sources, map: mapped, finish })).rejects.toMatchObject({
      code: "CONSTRAINT",
      message: expect.stringContaining("issues.title, in the target"),
    });
    expect(folder.rows(KEYS)).toEqual([{ key: "Z" }]);
    expect(existsSync(`${folder.target}.importing`)).toBe(false);
  });

  it("are rejects of a table without an entity, too", async () => {
    await using folder = await ImportFolder.make();
    using database = new DatabaseSync(folder.target);
    database.exec("CREATE TABLE uq (id INTEGER PRIMARY KEY, e TEXT UNIQUE, n)");
    database.exec("INSERT INTO uq VALUES (9, 'x', 1)");
    const sources = await folder.file(
      "uq.jsonl",
      '{"id":1,"e":"x","n":1}\n{"id":2,"e":"y","n":2}\n',
    );
    const { target } = folder;

    const report = await importTable({ target, sources, table: "uq", backupDirectory: false });

    expect(report.rejects).toEqual([
      { file: "uq.jsonl", line: 1, reason: "uq: UNIQUE constraint failed: uq.e, in the target" },
    ]);
    expect(folder.rows("SELECT id, typeof(n) AS type FROM uq ORDER BY id")).toEqual([
      { id: 2, type: "integer" },
      { id: 9, type: "integer" },
    ]);
  });
});

describe("rows that refer to nothing", () => {
  it.each([
    ["a new file", []],
    ["a file that is there", ["Z: old"]],
  ])("become rejects, and so do those that refer to them: %s", async (_, before) => {
    await using folder = await ImportFolder.make();
    if (before.length > 0) {
      await folder.import({ sources: await folder.file("a.json", before), map: mapped });
    }
    const sources = await folder.file(
      "b.jsonl",
      '"A: one"\n"B: two: gone"\n"C: three: B"\n"D: four: A"\n',
    );

    const report = await folder.import({ sources, map: mapped });

    const reason = "changes: issue_key refers to no row of issues";
    expect(report.rejects).toEqual([
      { file: "b.jsonl", line: 2, reason },
      { file: "b.jsonl", line: 3, reason },
    ]);
    const keys = ["A", "D", ...before.map(() => "Z")];
    expect(folder.rows(KEYS)).toEqual(keys.map((key) => ({ key })));
  });

  it("in a table WITHOUT ROWID end the import, also beside old ones", async () => {
    await using folder = await ImportFolder.make();
    using database = new DatabaseSync(folder.target, { enableForeignKeyConstraints: false });
    database.exec("CREATE TABLE p (id INTEGER PRIMARY KEY)");
    database.exec("CREATE TABLE c (id INTEGER PRIMARY KEY, p REFERENCES p (id)) WITHOUT ROWID");
    database.exec("INSERT INTO c VALUES (1, 77)");
    const sources = await folder.file("c.json", [{ id: 2, p: 78 }]);
    const { target } = folder;
    const options = { target, sources, table: "c", backupDirectory: false } as const;

    for (const dryRun of [true, false]) {
      await expect(importTable({ ...options, dryRun })).rejects.toMatchObject({
        code: "CONSTRAINT",
        message: expect.stringContaining("c → p: 1 rows"),
      });
    }
    expect(folder.rows("SELECT id FROM c")).toEqual([{ id: 1 }]);
  });

  it("that were in the target before are none of the import's", async () => {
    await using folder = await ImportFolder.make();
    await folder.import({ sources: await folder.file("a.json", ["Z: old"]), map: mapped });
    using database = new DatabaseSync(folder.target, { enableForeignKeyConstraints: false });
    database.exec("INSERT INTO changes (id, issue_key, status) VALUES (99, 'lost', 'x')");
    const sources = await folder.file("b.json", ["A: one", "B: two: gone"]);

    const report = await folder.import({ sources, map: mapped });

    expect(report.rejects).toEqual([expect.objectContaining({ line: 1 })]);
    expect(folder.rows(KEYS)).toEqual([{ key: "A" }, { key: "Z" }]);
  });
});
