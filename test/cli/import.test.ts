import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { Project } from "./support.ts";

const CSV = "id,name,zip,height,isNew\n1,Ann,00501,1.5,true\n2,,12345,2,false\n";
const ENTITIES = join(import.meta.dirname, "../migrate/import/support.ts");
const IMPORT = join(import.meta.dirname, "../../src/migrate/import/import.ts");
const MAPPING = `
  import { defineImport } from ${JSON.stringify(IMPORT)};
  import { TABLES } from ${JSON.stringify(ENTITIES)};
  export default defineImport({
    tables: TABLES,
    map: ({ value }) => ({ issues: { key: String(value), title: String(value) } }),
  });`;

function rowsOf(project: Project, sql: string): unknown[] {
  using database = new DatabaseSync(project.path("app.db"));
  return database
    .prepare(sql)
    .all()
    .map((row) => ({ ...row }));
}

describe("springhouse import", () => {
  it("makes a table whose columns follow from the file, and says which", async () => {
    await using project = await Project.make({ "people.csv": CSV });

    const dry = await project.run("import people.csv --dry-run");
    const isMade = existsSync(project.path("app.db"));
    const run = await project.run("import people.csv");

    expect(dry.out).toContain("Rehearsed 2 of 2 items");
    expect(isMade).toBe(false);
    expect(run).toMatchObject({ code: 0, err: "" });
    expect(run.out).toMatch(/id \(key\) +integer +1\n/);
    expect(run.out).toMatch(/zip +text +00501\n/);
    expect(run.out).toMatch(/people +2 +2 +0 +0 /);
    expect(run.out).toMatch(/Copies: .*backups.migration-\d{8}-\d{6}\n$/);
    expect(rowsOf(project, "SELECT * FROM people")).toEqual([
      { id: 1, name: "Ann", zip: "00501", height: 1.5, isNew: 1 },
      { id: 2, name: "", zip: "12345", height: 2, isNew: 0 },
    ]);
  });

  it("updates by the key, adds what is new, and does nothing the second time", async () => {
    await using project = await Project.make({ "a.json": '[{"n": 1, "x": {"y": 1}}]' });
    await project.run("import a.json --into t --key n");
    await using other = await Project.make({
      "b.json": '[{"n": 1, "x": [2]}, {"n": 2, "x": null}]',
    });
    const line = `import ${other.path("b.json")} --into t --key n --json --no-backup`;

    const first = await project.run(line);
    const second = await project.run(line);

    expect(JSON.parse(first.out)).toMatchObject({
      ok: true,
      status: "imported",
      tables: [{ table: "t", inserted: 1, updated: 1 }],
      inferred: {
        columns: [
          { name: "n", type: "integer" },
          { name: "x", type: "json", nulls: 1 },
        ],
      },
    });
    expect(first.out).not.toContain('"backup"');
    expect(JSON.parse(second.out)).toMatchObject({ ok: true, status: "unchanged" });
    expect(rowsOf(project, "SELECT n, x FROM t ORDER BY n")).toEqual([
      { n: 1, x: "[2]" },
      { n: 2, x: null },
    ]);
  });

  it("lists what does not fit the sample and ends with 1", async () => {
    await using project = await Project.make({
      "a.ndjson": '{"id":1,"n":2}\n{"id":2,"n":"two"}\n{"id":3,"n":4,"m":5}\n7\n',
    });

    const { code, out } = await project.run("import a.ndjson --sample 1");

    expect(code).toBe(1);
    expect(out).toContain('rejected a.ndjson:2 n: "two" is not of type integer');
    expect(out).toContain('rejected a.ndjson:3 there is no column "m"');
    expect(out).toContain("rejected a.ndjson:4 is no object: 7");
    expect(rowsOf(project, "SELECT * FROM a")).toEqual([{ id: 1, n: 2 }]);
  });

  it("shows no secret, neither as an example nor in a reason", async () => {
    await using project = await Project.make({
      "a.csv": "id,password,url\n1,s3cret1,http://h?token=s3cret2\nx,s3cret3,\n",
      "a.ndjson":
        '{"id":1,"apiKey":"s3cret4","auth":{"password":"s3cret5"}}\n' +
        '{"id":2,"apiKey":["s3cret6"]}\n{"apiKey":"s3cret7" x}\n["token=s3cret8"]\n' +
        '{"id":"http://h?token=s3cret9"}\n',
    });

    const runs = [
      await project.run("import a.csv --dry-run --sample 1"),
      await project.run("import a.ndjson --json --sample 1"),
    ];
    const all = [
      ...runs.map(({ out, err }) => out + err),
      readFileSync(`${project.path("app.db")}.rejects.ndjson`, "utf8"),
    ];

    expect(all[0]).toMatch(/password +text +\*\*\*\n/);
    expect(all[0]).toContain("http://h?token=***");
    expect(all[0]).toContain('id: "x" is not of type integer');
    expect(all[1]).toContain("is no JSON: Expected ',' or '}' after property value");
    expect(all[1]).toContain('apiKey: \\"***\\" is not of type text');
    expect(all.join()).not.toContain("s3cret");
  });

  it("escapes what would command the terminal", async () => {
    await using project = await Project.make({
      "a.json": '[{"a\\u001b[2J":"x\\ny\\u001b[31m\\u202e"}, {"b\\u0007":1}]',
    });

    const { out } = await project.run("import a.json --sample 1");

    expect(out).toContain("a\\u001b[2J");
    expect(out).toContain("x\\ny\\u001b[31m\\u202e\n");
    expect(out).toContain('there is no column "b\\u0007"');
    expect(out.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\u202e]/u);
  });

  it("looks at the first items of each file, and says so", async () => {
    await using project = await Project.make({
      "a.json": '[{"n":1},{"n":2},{"n":3,"late":1}]',
      "b.json": '[{"n":4},{"n":5}]',
    });

    const { out } = await project.run("import a.json b.json --sample 3");

    expect(out).toContain("From a sample of 4 items, the first ones of each of 2 files.");
    expect(out).toContain('there is no column "late": a larger --sample would have found it');
  });

  it("runs a mapping of a module", async () => {
    await using project = await Project.make({ "a.json": '["A", "B"]', "map.ts": MAPPING });

    const run = await project.run("import a.json --map map.ts");

    expect(run).toMatchObject({ code: 0, err: "" });
    expect(rowsOf(project, "SELECT key FROM issues")).toEqual([{ key: "A" }, { key: "B" }]);
  });

  it.each([
    ["import none.csv", 1, "none.csv"],
    ["import a.json --map none.ts", 2, "--map"],
    ["import a.json --map a.json --into x", 2, "exclude each other"],
    ["import a.json --key nope", 2, 'the items have no "nope"'],
    ["import a.json --format xml", 2, "There are: array"],
    ["import a.json --sample 0", 2, "--sample 0 finds no columns"],
    ["import a.json --into sqlite_a", 2, '"sqlite_a" is no name of a table'],
    ["import a.json --url sqlite::memory:", 2, "needs a database file"],
    ["import", 2, "sources"],
  ])("refuses %j with %d and makes nothing", async (line, code, message) => {
    await using project = await Project.make({ "a.json": '[{"id": 1}]' });

    const run = await project.run(line);

    expect(run).toMatchObject({ code, err: expect.stringContaining(message) });
    expect(existsSync(project.path("app.db"))).toBe(false);
  });

  it("stops on Ctrl-C and says so with 130", async () => {
    await using project = await Project.make({ "a.json": '[{"id": 1}]' });
    const stop = new AbortController();
    stop.abort();

    const { code } = await project.run("import a.json", { signal: stop.signal });

    expect(code).toBe(130);
    expect(existsSync(project.path("app.db"))).toBe(false);
  });
});
