import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { csvLine } from "springhouse/import";
import { describe, expect, it } from "vitest";
import { runCli } from "../../examples/auditor/cli.ts";
import { CSV_COLUMNS } from "../../examples/auditor/csv-columns.ts";
import { temporaryFolder } from "./auditor-database.ts";

const ROW = ["a-1", "00:10:00", "P1", "Atlas", "review", "01:00:00", "2025-06-12", "4", "", "en"];

interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command on a database in a folder. */
async function run(folder: string, ...words: string[]): Promise<Run> {
  let out = "";
  let err = "";
  const write = (text: string): void => {
    out += text;
  };
  const stderr = {
    write(text: string): void {
      err += text;
    },
  };
  const { signal } = new AbortController();
  const argv = ["--db", join(folder, "auditor.db"), ...words];
  const code = await runCli(argv, { stdout: { write }, stderr, signal });
  return { code, out, err };
}

function week(folder: string, rows: readonly (readonly string[])[]): string {
  const path = join(folder, "auditor_tasks_2025-W23.csv");
  writeFileSync(path, [CSV_COLUMNS, ...rows].map((row) => csvLine(row)).join(""));
  return path;
}

describe("the command line of the auditor", () => {
  it("imports, shows, times, sums up and exports a week", async () => {
    using folder = temporaryFolder();
    const source = week(folder.path, [ROW, ROW]);

    const imported = await run(folder.path, "import", source);
    const weeks = await run(folder.path, "week", "--json");
    const page = await run(folder.path, "week", "2025-W23", "--limit", "1");
    const started = await run(folder.path, "start", "1");
    const stopped = await run(folder.path, "stop", "1", "--json");
    const stats = await run(folder.path, "stats", "2025-W23");
    const copy = join(folder.path, "copy.csv");
    const exported = await run(folder.path, "export", "2025-W23", "--to", copy);
    const printed = await run(folder.path, "export", "2025-W23", "--to", "-");

    expect(imported).toMatchObject({ code: 0, out: expect.stringContaining("Imported") });
    const line = { label: "2025-W23", tasks: 2, durationSeconds: 1_200 };
    expect(JSON.parse(weeks.out)).toMatchObject([line]);
    expect((await run(folder.path, "week")).out).toMatch(/2025-W23 +2 +00:20:00/);
    expect(page.out).toMatch(/a-1 .*Atlas.*00:10:00/);
    expect(page.out).toContain("More: --cursor ");
    expect(started.out).toBe("The timer of task 1 runs.\n");
    expect(JSON.parse(stopped.out)).toMatchObject({ id: 1, durationSeconds: 600 });
    expect(stats.out).toContain("00:20:00");
    expect(exported).toMatchObject({ code: 0, out: `2 tasks to ${copy}\n` });
    expect(printed.out).toBe(readFileSync(copy, "utf8"));
    expect(readFileSync(copy, "utf8")).toBe(readFileSync(source, "utf8"));
  });

  it("goes on where a page ended", async () => {
    using folder = temporaryFolder();
    await run(folder.path, "import", week(folder.path, [ROW, ROW, ROW]));

    const first = JSON.parse(
      (await run(folder.path, "week", "2025-W23", "--limit", "2", "--json")).out,
    );
    const { out } = await run(folder.path, "week", "2025-W23", "--cursor", first.next, "--json");

    expect(first.rows.map((task: { id: number }) => task.id)).toEqual([1, 2]);
    expect(JSON.parse(out).rows.map((task: { id: number }) => task.id)).toEqual([3]);
  });

  it("lists refused rows and ends with 1", async () => {
    using folder = temporaryFolder();
    const source = week(folder.path, [ROW, ["x"], ROW.with(1, "soon")]);

    const text = await run(folder.path, "import", source);
    const json = await run(folder.path, "import", source, "--json");

    expect(text.code).toBe(1);
    expect(text.out).toMatch(/4 +Duration +soon +is not a duration/);
    expect(json.code).toBe(1);
    expect(JSON.parse(json.out)).toMatchObject({
      sources: [{ rowsRead: 3, rowsImported: 1, refused: { rows: 2 } }],
    });
  });

  it("says how many refused rows it does not list", async () => {
    using folder = temporaryFolder();
    const rows = Array.from({ length: 23 }, () => ROW.with(1, "soon"));

    const { out } = await run(folder.path, "import", week(folder.path, rows));

    expect(out).toMatch(/^ {2}… 3 more$/m);
  });

  it("prints an error as one JSON line, and no progress, when JSON is asked for", async () => {
    using folder = temporaryFolder();

    const good = await run(folder.path, "import", week(folder.path, [ROW]), "--json");
    const bad = await run(folder.path, "import", join(folder.path, "none.csv"), "--json");
    const usage = await run(folder.path, "start", "one", "--json");

    expect(good).toMatchObject({ code: 0, err: "" });
    expect(bad).toMatchObject({ code: 1, err: "" });
    expect(JSON.parse(bad.out)).toMatchObject({ ok: false, error: { code: "NOT_FOUND" } });
    expect(usage.code).toBe(2);
    expect(JSON.parse(usage.out)).toMatchObject({ ok: false, error: { code: "USAGE" } });
  });

  it("tells of an interruption as one JSON line too", async () => {
    using folder = temporaryFolder();
    const path = week(folder.path, [ROW]);
    let out = "";
    const stdout = { write: (text: string) => (out += text) };
    const argv = ["--db", join(folder.path, "auditor.db"), "import", path, "--json"];

    const code = await runCli(argv, { stdout, stderr: stdout, signal: AbortSignal.abort() });

    expect(code).toBe(130);
    expect(JSON.parse(out)).toMatchObject({ ok: false, error: { code: "ABORTED" } });
  });

  it("names the week of each file, and takes no other name for one", async () => {
    using folder = temporaryFolder();
    const good = week(folder.path, [ROW]);
    const nameless = join(folder.path, "w.csv");
    copyFileSync(good, nameless);

    const refused = await run(folder.path, "import", good, nameless);
    const isMade = existsSync(join(folder.path, "auditor.db"));
    const imported = await run(folder.path, "import", nameless, "--week", "2025-W24");

    expect(refused).toMatchObject({ code: 2, out: "" });
    expect(isMade).toBe(false);
    expect(refused.err).toContain('"w.csv" does not say which week it is. Give --week');
    expect(imported.out).toMatch(/w\.csv +2025-W24 +1 +1/);
  });

  it("tells what was imported before a file failed", async () => {
    using folder = temporaryFolder();
    const good = week(folder.path, [ROW]);
    const [broken, never] = ["2025-W24.csv", "2025-W25.csv"].map((name) => join(folder.path, name));
    writeFileSync(broken ?? "", "");
    copyFileSync(good, never ?? "");
    const words = ["import", good, broken ?? "", never ?? ""];

    const text = await run(folder.path, ...words);
    const json = await run(folder.path, ...words, "--json");

    expect(text.code).toBe(1);
    expect(text.out).toMatch(/auditor_tasks_2025-W23\.csv +2025-W23 +1 +1/);
    expect(text.out).toContain(`Not imported: ${broken}, ${never}\n`);
    expect(text.err).toContain("error VALIDATION: The file is empty.");
    expect(JSON.parse(json.out)).toMatchObject({
      ok: false,
      error: { code: "VALIDATION" },
      sources: [{ week: "2025-W23", rowsImported: 1 }],
      notImported: [broken, never],
    });
  });

  it("says only that a row is none when its fields cannot be told apart", async () => {
    using folder = temporaryFolder();

    const { out } = await run(folder.path, "import", week(folder.path, [ROW.slice(1)]), "--json");

    const reason = "has 9 fields where the header has 10";
    expect(JSON.parse(out).sources[0].refused.totals).toEqual([{ column: "", reason, rows: 1 }]);
  });

  it("ends in peace when nobody reads on", async () => {
    using folder = temporaryFolder();
    await run(folder.path, "import", week(folder.path, Array(3_000).fill(ROW)));
    const cli = join(import.meta.dirname, "../../examples/auditor/cli.ts");
    const words = ["--db", join(folder.path, "auditor.db"), "export", "2025-W23", "--to", "-"];

    const child = spawn(process.execPath, ["--conditions=springhouse-source", cli, ...words]);
    let err = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
    child.stdout.once("data", () => child.stdout.destroy());
    const [code] = await once(child, "close");

    expect({ code, err }).toEqual({ code: 0, err: "" });
  });

  it("migrates the origin's file", async () => {
    using folder = temporaryFolder();
    const source = join(folder.path, "tasks.db");
    using old = new DatabaseSync(source);
    old.exec(`
      CREATE TABLE weeks (id INTEGER PRIMARY KEY, week_label TEXT);
      CREATE TABLE tasks (id INTEGER PRIMARY KEY, week_id INTEGER, duration TEXT, mood TEXT);
      INSERT INTO weeks VALUES (1, 'old');
      INSERT INTO tasks VALUES (1, 1, '00:01:00', ''), (2, 1, 'long', '');`);
    old.close();

    const refused = await run(folder.path, "migrate-legacy", source);
    const migrated = await run(folder.path, "migrate-legacy", source, "--skip-bad");

    expect(refused).toMatchObject({ code: 1, out: "" });
    expect(refused.err).toContain('row 2, duration: "long" is not a duration');
    expect(migrated.code).toBe(1);
    expect(migrated.out).toContain("Left out: column tasks.mood");
    expect((await run(folder.path, "stats", "old")).out).toContain("00:01:00");
  });

  it("says what is wrong, without a stack", async () => {
    using folder = temporaryFolder();

    const none = await run(folder.path, "week");
    await run(folder.path, "import", week(folder.path, [ROW]));
    const task = await run(folder.path, "start", "99");
    const label = await run(folder.path, "stats", "2030-W01");
    const file = await run(folder.path, "import", join(folder.path, "none.csv"));

    expect(none).toMatchObject({ code: 1, err: expect.stringContaining("error UNOPENABLE") });
    expect(task).toMatchObject({ code: 1, err: "error NOT_FOUND: There is no task 99.\n" });
    expect(label).toMatchObject({ code: 1, err: expect.stringContaining("NOT_FOUND") });
    expect(file).toMatchObject({ code: 1, err: expect.stringContaining("NOT_FOUND") });
    for (const { err } of [none, task, label, file]) expect(err).not.toMatch(/^ +at /m);
  });

  it.each([
    [["import"]],
    [["import", "a.csv", "b.csv", "--week", "x"]],
    [["import", "a.csv", "--cesaw", "."]],
    [["start", "one"]],
    [["week", "--limit", "-1"]],
    [["week", "--limit", "2"]],
    [["week", "--cursor", "zzz"]],
    [["week", "2025-W23", "--limit", "5000"]],
    [["week", "2025-W23", "--offset", "1", "--cursor", "abc"]],
    [["dance"]],
    [["week", "--colour"]],
  ])("ends with 2 and makes no database for %j", async (words) => {
    using folder = temporaryFolder();

    const { code, err } = await run(folder.path, ...words);

    expect(code).toBe(2);
    expect(err).toMatch(/^error: /m);
    expect(existsSync(join(folder.path, "auditor.db"))).toBe(false);
  });

  it("explains itself with examples", async () => {
    using folder = temporaryFolder();

    const { code, out } = await run(folder.path, "--help");

    expect(code).toBe(0);
    expect(out).toContain("auditor import auditor_tasks_2025-W23.csv");
    expect(out).toContain("130  interrupted");
  });
});
