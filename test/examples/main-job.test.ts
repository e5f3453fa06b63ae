import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { text } from "node:stream/consumers";
import { csvLine } from "springhouse/import";
import { describe, expect, it } from "vitest";
import { CSV_COLUMNS } from "../../examples/auditor/csv-columns.ts";
import { runJob } from "../../examples/auditor/job.ts";
import { jobText } from "../../examples/auditor/job-text.ts";
import { Progress } from "../../examples/common/progress.ts";
import { temporaryFolder } from "./auditor-database.ts";

const SCRIPT = join(import.meta.dirname, "../../examples/auditor/main-job.ts");
const ROW = ["a-1", "00:10:00", "P1", "Atlas", "review", "01:00:00", "2025-06-12", "4", "", "en"];

const FAST = ["--measure", "50", "--operations", "200"];

const silent = new Progress({ write: () => undefined });

/** Starts the main job with a temporary folder of its own to work in. */
function start(temporary: string, ...words: string[]): ChildProcess {
  const argv = ["--conditions=springhouse-source", SCRIPT, ...FAST, ...words];
  return spawn(process.execPath, argv, {
    env: { ...process.env, TMPDIR: temporary, TMP: temporary, TEMP: temporary },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

describe("the main job", () => {
  it("works on a given file, and says all in tables", async () => {
    using folder = temporaryFolder();
    const input = join(folder.path, "auditor_tasks_2025-W23.csv");
    const rows = [CSV_COLUMNS, ROW, ROW.with(7, "x"), ROW];
    writeFileSync(input, rows.map((row) => csvLine(row)).join(""));
    const { signal } = new AbortController();

    const report = await runJob(
      { input, dataFolder: "none", folder: folder.path, measureMs: 50, operations: 200, signal },
      silent,
    );

    expect(report).toMatchObject({
      source: input,
      import: { rowsRead: 3, rowsImported: 2, rowsRefused: 1, written: { weeks: 1, tasks: 2 } },
      weeks: { count: 1, first: [{ label: "2025-W23", tasks: 2, durationSeconds: 1_200 }] },
      week: { label: "2025-W23", statistics: { totalTasks: 2, totalDurationSeconds: 1_200 } },
      writes: [{ callers: 1 }, { callers: 64 }],
      cache: { tasks: 2 },
      live: { own: { commits: 25, seen: 25 }, foreign: { commits: 25, seen: 25 } },
      mixed: { operations: 200, staleReads: 0 },
      integrity: { ok: true, faults: [] },
    });
    for (const rate of report.writes) expect(rate.writes).toBeGreaterThan(0);
    const shown = jobText(report);
    expect(shown).toMatch(/Refused from auditor_tasks_2025-W23\.csv/);
    expect(shown).toMatch(/3 +Score +x +is not a whole number/);
    expect(shown).toMatch(/stale reads +0\n/);
    expect(shown).toMatch(/pages, references, durations, rollups +everything agrees/);
  });

  it("says so when every row was refused", async () => {
    using folder = temporaryFolder();
    const input = join(folder.path, "2025-W23.csv");
    writeFileSync(input, csvLine(CSV_COLUMNS) + csvLine(ROW.with(1, "soon")));
    const { signal } = new AbortController();

    const options = {
      input,
      dataFolder: "none",
      folder: folder.path,
      measureMs: 1,
      operations: 200,
      signal,
    };
    const report = await runJob(options, silent);

    expect(report).toMatchObject({ weeks: { count: 0 }, week: null, import: { rowsRefused: 1 } });
    expect(jobText(report)).toContain("Weeks (0)\n  (none)");
  });

  it("migrates the origin's file when that is given", async () => {
    using folder = temporaryFolder();
    const input = join(folder.path, "tasks.db");
    using old = new DatabaseSync(input);
    old.exec(`
      CREATE TABLE weeks (id INTEGER PRIMARY KEY, week_label TEXT);
      CREATE TABLE tasks (id INTEGER PRIMARY KEY, week_id INTEGER, duration TEXT);
      INSERT INTO weeks VALUES (1, 'old');
      INSERT INTO tasks VALUES (1, 1, '00:01:00'), (2, 1, 'long');`);
    old.close();
    const { signal } = new AbortController();

    const options = {
      input,
      dataFolder: "none",
      folder: folder.path,
      measureMs: 1,
      operations: 200,
      signal,
    };
    const report = await runJob(options, silent);

    expect(report).toMatchObject({
      source: input,
      import: {
        rowsRead: 3,
        rowsImported: 2,
        written: { weeks: 1, tasks: 1, events: 1 },
        sources: [{ name: "weeks" }, { name: "tasks", refused: { rows: 1 } }],
      },
      week: { label: "old", statistics: { totalDurationSeconds: 60 } },
      integrity: { ok: true },
    });
  });

  it("prints one JSON line and leaves nothing behind", async () => {
    using folder = temporaryFolder();
    using temporary = temporaryFolder();
    const input = join(folder.path, "2025-W23.csv");
    writeFileSync(input, csvLine(CSV_COLUMNS) + csvLine(ROW));

    const job = start(temporary.path, "--input", input, "--json");
    const [out, err, [code]] = await Promise.all([
      text(job.stdout as never),
      text(job.stderr as never),
      once(job, "exit"),
    ]);

    expect(code).toBe(0);
    expect(err).toBe("");
    expect(out.trimEnd().split("\n")).toHaveLength(1);
    expect(JSON.parse(out)).toMatchObject({ integrity: { ok: true }, weeks: { count: 1 } });
    expect(readdirSync(temporary.path)).toEqual([]);
  });

  it.each(["SIGINT", "SIGTERM"] as const)(
    "leaves nothing behind when it gets %s in the middle of an import",
    async (signal) => {
      using temporary = temporaryFolder();

      const job = start(temporary.path, "--data", "none");
      const stopped = once(job, "exit");
      for await (const chunk of job.stderr as AsyncIterable<Buffer>) {
        if (chunk.toString().includes("Importing")) break;
      }
      expect(readdirSync(temporary.path)).toHaveLength(1);
      job.kill(signal);
      const [code] = await stopped;

      expect(code).toBe(130);
      expect(readdirSync(temporary.path)).toEqual([]);
    },
  );

  it("keeps the database where it is told to", async () => {
    using folder = temporaryFolder();
    const input = join(folder.path, "2025-W23.csv");
    const keep = join(folder.path, "kept");
    writeFileSync(input, csvLine(CSV_COLUMNS) + csvLine(ROW));

    const job = start(folder.path, "--input", input, "--keep", keep);
    const [out, [code]] = await Promise.all([text(job.stdout as never), once(job, "exit")]);

    expect(code).toBe(0);
    expect(out).toContain(`The database is kept in ${join(keep, "auditor.db")}\n`);
    expect(readdirSync(keep)).toEqual(["auditor.db"]);
    const [again] = await once(start(folder.path, "--input", input, "--keep", keep), "exit");
    expect(again).toBe(2);
  });

  it("says what is wrong as one JSON line, when that is asked for", async () => {
    using folder = temporaryFolder();

    const results = [["--input", join(folder.path, "none.csv")], ["--colour"]].map((words) => {
      const job = start(folder.path, ...words, "--json");
      return Promise.all([text(job.stdout as never), once(job, "exit")]);
    });
    const [missing, usage] = await Promise.all(results);

    expect(JSON.parse(missing?.[0] ?? "")).toMatchObject({
      ok: false,
      error: { code: "NOT_FOUND", message: expect.stringContaining("none.csv") },
    });
    expect(JSON.parse(usage?.[0] ?? "")).toMatchObject({ ok: false, error: { code: "USAGE" } });
    expect([missing?.[1][0], usage?.[1][0]]).toEqual([1, 2]);
  });

  it("shows a small input in small units, and how many broken values it does not show", async () => {
    using folder = temporaryFolder();
    const input = join(folder.path, "2025-W23.csv");
    const bad = Array.from({ length: 7 }, () => csvLine(ROW.with(7, "x")));
    writeFileSync(input, [csvLine(CSV_COLUMNS), csvLine(ROW), ...bad].join(""));
    const { signal } = new AbortController();

    const options = {
      input,
      dataFolder: "none",
      folder: folder.path,
      measureMs: 1,
      operations: 200,
      signal,
    };
    const report = await runJob(options, silent);

    const shown = jobText(report);
    expect(shown).toMatch(/^ {2}… 2 more$/m);
    expect(shown).toMatch(/^ {2}time +\d+ ms$/m);
    expect(shown).toMatch(/^ {2}database +\d+ KB$/m);
  });

  it("says what is wrong with an input, and ends with 1 or 2", async () => {
    using folder = temporaryFolder();

    const missing = start(folder.path, "--input", join(folder.path, "none.csv"));
    const [error, [code]] = await Promise.all([
      text(missing.stderr as never),
      once(missing, "exit"),
    ]);
    const [usage] = await once(start(folder.path, "--colour"), "exit");

    expect(error).toMatch(/error NOT_FOUND: There is no .*none\.csv\. Check the name/);
    expect(error).not.toMatch(/^ +at /m);
    expect([code, usage]).toEqual([1, 2]);
    expect(readdirSync(folder.path)).toEqual([]);
  });
});
