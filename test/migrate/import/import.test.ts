import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../../src/core/clock.ts";
import { thisProcess } from "../../../src/core/process-mark.ts";
import { open } from "../../../src/open.ts";
import { Change, ImportFolder, Issue, issues, rowsOf } from "./support.ts";

const COUNTS = "SELECT (SELECT count(*) FROM issues) AS i, (SELECT count(*) FROM changes) AS c";

describe("an import into a new file", () => {
  it("makes a database that open takes, with every row of every table", async () => {
    await using folder = await ImportFolder.make();
    const source = await folder.file("issues.json", issues(1_000));

    const report = await folder.import({ sources: source });

    expect(report).toMatchObject({
      status: "imported",
      isNew: true,
      items: 1_000,
      rejected: 0,
      rejectsFile: undefined,
      tables: [
        { table: "issues", rows: 1_000, inserted: 1_000 },
        { table: "changes", rows: 1_000, inserted: 1_000 },
      ],
    });
    const db = await open({ url: `sqlite:${folder.target}`, entities: [Issue, Change] });
    expect(await db.repository(Issue).get("A-3")).toMatchObject({ points: 2, done: false });
    expect(await db.repository(Change).count()).toBe(1_000);
    await db.close();
    expect(folder.rows("SELECT count(*) > 0 AS analysed FROM sqlite_stat1")).toEqual([
      { analysed: 1 },
    ]);
    expect(readdirSync(folder.path).sort()).toEqual(["issues.json", "made.db"]);
    expect(statSync(folder.target).mode & 0o777).toBe(0o600);
  });

  it.each([
    ["a list", "a.json", (list: object[]) => JSON.stringify(list, null, 2)],
    ["lines", "a.ndjson", (list: object[]) => list.map((one) => JSON.stringify(one)).join("\r\n")],
    [
      "lines in a .json file",
      "b.json",
      (list: object[]) => list.map((one) => JSON.stringify(one)).join("\n"),
    ],
    ["an object", "c.json", (list: object[]) => JSON.stringify(Object.fromEntries(list.entries()))],
    ["a packed list", "a.json.gz", (list: object[]) => gzipSync(JSON.stringify(list))],
    [
      "packed lines",
      "a.jsonl.zst",
      (list: object[]) => zstdCompressSync(list.map((one) => JSON.stringify(one)).join("\n")),
    ],
    [
      "a text with a byte order mark",
      "d.json",
      (list: object[]) => `\uFEFF${JSON.stringify(list)}`,
    ],
  ])("reads %s", async (_, name, textOf) => {
    await using folder = await ImportFolder.make();
    const source = await folder.file(name, textOf(issues(20)));

    const report = await folder.import({ sources: source });

    expect(report.items).toBe(20);
    expect(folder.rows(COUNTS)).toEqual([{ i: 20, c: 20 }]);
  });

  it("reads a folder of files deep, in the order of their names", async () => {
    await using folder = await ImportFolder.make();
    await mkdir(join(folder.path, "in/b"), { recursive: true });
    await folder.file("in/b/two.json", { key: "B", changes: ["x"] });
    await folder.file("in/a.json", { key: "A" });
    await folder.file("in/notes.txt", "no data");
    const seen: unknown[] = [];

    await folder.import({
      sources: { path: join(folder.path, "in"), name: "all" },
      map(item) {
        seen.push([item.source, item.file, item.line, item.key]);
        return rowsOf(item);
      },
    });

    expect(seen).toEqual([
      ["all", "a.json", 1, undefined],
      ["all", "b/two.json", 1, undefined],
    ]);
  });

  it("reads a list inside, and the rest of the same file without it", async () => {
    await using folder = await ImportFolder.make();
    const path = await folder.file("cache.json", { issues: issues(3), key: "rest" });

    await folder.import({
      sources: [
        { path, name: "rest", format: "document", omit: ["issues"] },
        { path, name: "issues", at: "issues" },
      ],
    });

    expect(folder.rows("SELECT key FROM issues ORDER BY key")).toEqual(
      ["A-1", "A-2", "A-3", "rest"].map((key) => ({ key })),
    );
  });

  it("writes what the end of the mapping adds, and runs its statements", async () => {
    await using folder = await ImportFolder.make();
    const source = await folder.file("a.json", issues(2));

    await folder.import({
      sources: source,
      finish: () => ({ changes: { issueKey: "A-1", status: "migrated" } }),
      statements: ["CREATE VIEW done AS SELECT key FROM issues WHERE done"],
    });

    expect(folder.rows("SELECT status FROM changes ORDER BY id DESC LIMIT 1")).toEqual([
      { status: "migrated" },
    ]);
    expect(folder.rows("SELECT * FROM done")).toEqual([]);
  });

  it("rounds no number", async () => {
    await using folder = await ImportFolder.make();
    const source = await folder.file("a.json", '[{"key": "x", "big": 9007199254740993}]');
    const seen: unknown[] = [];

    await folder.import({
      sources: source,
      map: ({ value }) => {
        seen.push(value);
        return undefined;
      },
    });

    expect(seen).toEqual([{ key: "x", big: 9_007_199_254_740_993n }]);
  });

  it("refuses to be placed beside the log of a database that is gone", async () => {
    await using folder = await ImportFolder.make();
    const source = await folder.file("a.json", issues(1));
    await folder.file("made.db-wal", "the log of another");

    await expect(folder.import({ sources: source })).rejects.toMatchObject({ code: "UNOPENABLE" });
    expect(existsSync(folder.target)).toBe(false);
  });
});

describe("an import into a file that is there", () => {
  it("inserts what is new, updates what differs and leaves the rest", async () => {
    await using folder = await ImportFolder.make();
    const first = await folder.file("a.json", [
      { key: "A", points: 1 },
      { key: "B", points: 2 },
    ]);
    const second = await folder.file("b.json", [
      { key: "B", points: 3 },
      { key: "A", points: 1 },
      { key: "C" },
    ]);
    await folder.import({ sources: first });

    const report = await folder.import({ sources: second });

    expect(report).toMatchObject({
      isNew: false,
      tables: [{ table: "issues", rows: 3, inserted: 1, updated: 1, unchanged: 1 }],
    });
    expect(folder.rows("SELECT key, points FROM issues ORDER BY key")).toEqual([
      { key: "A", points: 1 },
      { key: "B", points: 3 },
      { key: "C", points: null },
    ]);
    expect(readdirSync(folder.path).sort()).toEqual(["a.json", "b.json", "made.db"]);
  });

  it("does nothing when the same was imported before, unless it is told to", async () => {
    await using folder = await ImportFolder.make();
    const sources = await folder.file("a.json", issues(10));
    await folder.import({ sources });

    const again = await folder.import({ sources });
    const rows = folder.rows(COUNTS);
    const forced = await folder.import({ sources, again: true });

    expect(again.status).toBe("unchanged");
    expect(rows).toEqual([{ i: 10, c: 10 }]);
    expect(forced).toMatchObject({ status: "imported", tables: [{ unchanged: 10 }, { rows: 10 }] });
  });

  it("changes nothing when the target refuses a row", async () => {
    await using folder = await ImportFolder.make();
    await folder.import({ sources: await folder.file("a.json", issues(2)) });
    using database = new DatabaseSync(folder.target);
    database.exec("UPDATE issues SET title = 'Issue Z-9' WHERE key = 'A-1'");
    const before = folder.rows("SELECT * FROM issues");
    const sources = await folder.file("b.json", [{ key: "Z-8" }, { key: "Z-9" }]);

    await expect(folder.import({ sources, rejectsMax: 0 })).rejects.toMatchObject({
      code: "VALIDATION",
      message: expect.stringContaining("UNIQUE constraint failed: issues.title, in the target"),
    });
    expect(folder.rows("SELECT * FROM issues")).toEqual(before);
    expect(existsSync(`${folder.target}.importing`)).toBe(false);
  });

  it("changes nothing when a trigger of the target changes what is written", async () => {
    await using folder = await ImportFolder.make();
    await folder.import({ sources: await folder.file("a.json", issues(2)) });
    using database = new DatabaseSync(folder.target);
    database.exec(`CREATE TRIGGER spoil AFTER INSERT ON issues BEGIN
      UPDATE issues SET points = 99 WHERE key = new.key; END`);
    const sources = await folder.file("b.json", [{ key: "Z-8", points: 1 }]);

    await expect(folder.import({ sources })).rejects.toMatchObject({
      code: "CORRUPT",
      message: expect.stringContaining("A trigger"),
    });
    expect(folder.rows(COUNTS)).toEqual([{ i: 2, c: 2 }]);
  });

  it("takes columns of the target into account before anything is read", async () => {
    await using folder = await ImportFolder.make();
    using database = new DatabaseSync(folder.target);
    database.exec("CREATE TABLE issues (key TEXT PRIMARY KEY)");
    const sources = await folder.file("a.json", issues(1));

    await expect(folder.import({ sources })).rejects.toMatchObject({
      code: "SCHEMA_MISMATCH",
      fields: { missing: ["points", "done", "title"] },
    });
  });
});

describe("rows that refer to nothing, where no reject is allowed,", () => {
  it("end the import, with nothing written", async () => {
    await using folder = await ImportFolder.make();
    const sources = await folder.file("a.json", [{ key: "A" }]);
    const map = () => ({ changes: { issueKey: "gone", status: "x" } });

    const refused = {
      code: "VALIDATION",
      message: expect.stringContaining("a.json:1 changes: issue_key refers to no row of issues"),
    };

    await expect(folder.import({ sources, map, rejectsMax: 0 })).rejects.toMatchObject(refused);
    expect(existsSync(folder.target)).toBe(false);
    await folder.import({ sources });
    await expect(folder.import({ sources, map, rejectsMax: 0 })).rejects.toMatchObject(refused);
    expect(folder.rows(COUNTS)).toEqual([{ i: 1, c: 0 }]);
  });
});

describe("copies of the originals", () => {
  it("are made first, private and without secrets, and the originals stay", async () => {
    await using folder = await ImportFolder.make();
    await mkdir(join(folder.path, "profiles"));
    const text = '[{"key": "A", "token": "s3cret"}]';
    const path = await folder.file("profiles/a.json", text);
    await folder.file("profiles/b.json.gz", gzipSync(text.replace('"A"', '"B"')));
    const clock = { ...systemClock, nowMs: () => 0 };

    const report = await folder.import({
      sources: join(folder.path, "profiles"),
      backupDirectory: join(folder.path, "backups"),
      clock,
    });

    expect(report.backup).toBe(join(folder.path, "backups/migration-19700101-000000"));
    const copy = join(report.backup ?? "", "profiles/a.json");
    expect(readFileSync(copy, "utf8")).toBe('[{"key": "A", "token": "***"}]');
    expect(statSync(copy).mode & 0o777).toBe(0o600);
    expect(readFileSync(path, "utf8")).toBe(text);
    const list = JSON.parse(readFileSync(join(report.backup ?? "", "originals.json"), "utf8"));
    expect(list.files).toMatchObject([
      { copy: "profiles/a.json", original: path, masked: 1 },
      { copy: "profiles/b.json.gz", masked: 1 },
    ]);
  });

  it("have names of their own, that of their list and of one second included", async () => {
    await using folder = await ImportFolder.make();
    const backups = join(folder.path, "backups");
    const sources = await folder.file("originals.json", [{ key: "A" }]);
    const clock = { ...systemClock, nowMs: () => 0 };
    await mkdir(join(backups, "migration-19700101-000000/taken"), { recursive: true });

    const report = await folder.import({ sources, backupDirectory: backups, clock });

    expect(report.backup).toBe(join(backups, "migration-19700101-000000-2"));
    const list = JSON.parse(readFileSync(join(report.backup ?? "", "originals.json"), "utf8"));
    expect(list.files).toMatchObject([{ copy: "1/originals.json", original: sources }]);
    const copy = readFileSync(join(report.backup ?? "", "1/originals.json"), "utf8");
    expect(JSON.parse(copy)).toEqual([{ key: "A" }]);
  });

  it("take away what killed imports have left there, and nothing of a running one", async () => {
    await using folder = await ImportFolder.make();
    const sources = await folder.file("a.json", [{ key: "A" }]);
    const backupDirectory = join(folder.path, "backups");
    const ended = { ...thisProcess(), pid: spawnSync(process.execPath, ["--version"]).pid };
    for (const [name, owner] of Object.entries({ killed: ended, running: thisProcess() })) {
      const work = join(backupDirectory, `.work-${name}`);
      await mkdir(join(work, "copies"), { recursive: true });
      writeFileSync(join(work, "owner.json"), JSON.stringify(owner));
    }

    const { backup } = await folder.import({ sources, backupDirectory });

    const left = [".work-running", basename(backup ?? "")];
    expect(readdirSync(backupDirectory).sort()).toEqual(left);
  });

  it("are not made by a dry run, which says what would be done", async () => {
    await using folder = await ImportFolder.make();
    await folder.import({ sources: await folder.file("a.json", [{ key: "A" }, { key: "B" }]) });
    const sources = await folder.file("b.json", [
      { key: "A", points: 5 },
      { key: "B" },
      { key: "C" },
    ]);

    const report = await folder.import({
      sources,
      dryRun: true,
      backupDirectory: join(folder.path, "x"),
    });

    expect(report).toMatchObject({
      status: "rehearsed",
      backup: undefined,
      tables: [{ inserted: 1, updated: 1, unchanged: 1 }],
    });
    expect(folder.rows(COUNTS)).toEqual([{ i: 2, c: 0 }]);
    expect(readdirSync(folder.path).sort()).toEqual(["a.json", "b.json", "made.db"]);
  });
});
