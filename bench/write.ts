/**
 * Durable writes: one caller beside plain `node:sqlite`, 256 callers beside one, four processes on
 * one file, and what the log of changes costs a writer.
 */

import { execFile } from "node:child_process";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import { openSqliteStore, type SqliteStore } from "../src/store/sqlite/store.ts";
import type { Statement } from "../src/store/store.ts";
import type { BenchOptions, BenchResult } from "./bench.ts";
import { median, timeMs, withFolder } from "./support.ts";
import { type CaptureTax, captureTax } from "./write/capture-tax.ts";

const CALLERS = 256;
const PROCESSES = 4;
const TABLE = "CREATE TABLE rows (id INTEGER PRIMARY KEY, value TEXT)";
const INSERT = "INSERT INTO rows (value) VALUES (?)";
const VALUE = "x".repeat(200);
const unit: readonly Statement[] = [{ sql: INSERT, parameters: [VALUE] }];

/** Runs the bench. */
export function run(options: BenchOptions): Promise<BenchResult> {
  return withFolder((folder) => measure(folder, options));
}

async function measure(folder: string, { quick }: BenchOptions): Promise<BenchResult> {
  await using store = await openSqliteStore({ url: `sqlite:${join(folder, "store.db")}` });
  await store.write([{ sql: TABLE, parameters: [] }]);
  using plain = openPlain(join(folder, "plain.db"));
  const insert = plain.prepare(INSERT);
  const rounds = quick ? 9 : 31;
  const writes = quick ? 100 : 200;
  const plainMs: number[] = [];
  const oneMs: number[] = [];
  const manyMs: number[] = [];

  await writeFrom(store, 1, 200);
  await writeFrom(store, CALLERS, 20_000);
  for (let round = 0; round < rounds; round++) {
    plainMs.push((await timeMs(() => repeat(writes, () => insert.run(VALUE)))) / writes);
    oneMs.push((await timeMs(() => writeFrom(store, 1, writes))) / writes);
    const many = writes * 50;
    manyMs.push((await timeMs(() => writeFrom(store, CALLERS, many))) / many);
  }
  const processes = await writeFromProcesses(join(folder, "shared.db"), quick ? 1_000 : 4_000);
  return report({ plainMs, oneMs, manyMs }, processes, captureTax(folder, quick));
}

interface Times {
  readonly plainMs: readonly number[];
  readonly oneMs: readonly number[];
  readonly manyMs: readonly number[];
}

function report(
  { plainMs, oneMs, manyMs }: Times,
  { writes, seconds, busyErrors, lost }: ProcessWrites,
  tax: CaptureTax,
): BenchResult {
  const perSecond = (ms: readonly number[]): number => Math.round(1_000 / median(ms));
  return {
    bench: "write",
    figures: {
      durable_256_over_1: ratio(oneMs, manyMs),
      one_caller_over_plain: ratio(oneMs, plainMs),
      insert_capture_tax: tax.insert,
      update_capture_tax: tax.update,
      delete_capture_tax: tax.delete,
      single_capture_tax: tax.single,
      busy_errors: busyErrors,
      lost_writes: lost,
      plain_per_s: perSecond(plainMs),
      callers_1_per_s: perSecond(oneMs),
      callers_256_per_s: perSecond(manyMs),
      processes_4_per_s: Math.round(writes / seconds),
    },
    targets: {
      durable_256_over_1: { atLeast: 20 },
      one_caller_over_plain: { atMost: 1.5 },
      insert_capture_tax: { atMost: 1.9 },
      update_capture_tax: { atMost: 2.5 },
      delete_capture_tax: { atMost: 1.7 },
      single_capture_tax: { atMost: 1.1 },
      busy_errors: { atMost: 0 },
      lost_writes: { atMost: 0 },
    },
    notes: [
      "rows of 200 bytes, synchronous=FULL, one row in each unit",
      "one_caller_over_plain: time of a write beside node:sqlite alone, in alternation",
      "capture taxes: node:sqlite with the log's triggers over without, 1,000 rows a commit or one",
      `${PROCESSES} processes with four callers each on one file`,
    ],
  };
}

/** The middle of the ratios of each round, which a disturbed round does not move. */
function ratio(a: readonly number[], b: readonly number[]): number {
  return median(a.map((value, round) => value / (b[round] ?? Number.NaN)));
}

function openPlain(path: string): DatabaseSync {
  const database = new DatabaseSync(path);
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  database.exec(TABLE);
  return database;
}

function repeat(times: number, run: () => unknown): void {
  for (let index = 0; index < times; index++) run();
}

/** Callers that each wait for their write before they begin the next. */
async function writeFrom(store: SqliteStore, callers: number, writes: number): Promise<void> {
  let left = writes;
  const caller = async (): Promise<void> => {
    while (left-- > 0) await store.write(unit);
  };
  await Promise.all(Array.from({ length: callers }, caller));
}

interface ProcessWrites {
  readonly writes: number;
  readonly seconds: number;
  readonly busyErrors: number;
  /** Acknowledged increments that the counter does not have. */
  readonly lost: number;
}

async function writeFromProcesses(path: string, durationMs: number): Promise<ProcessWrites> {
  {
    await using store = await openSqliteStore({ url: { kind: "file", path } });
    await store.write([
      { sql: "CREATE TABLE counter (value INTEGER)", parameters: [] },
      { sql: "INSERT INTO counter VALUES (0)", parameters: [] },
    ]);
  }
  const script = join(import.meta.dirname, "processes", "writer.ts");
  const runs = Array.from({ length: PROCESSES }, () =>
    promisify(execFile)(process.execPath, [script, path, String(durationMs)]),
  );
  let writes = 0;
  let busyErrors = 0;
  for (const { stdout } of await Promise.all(runs)) {
    const counted = JSON.parse(stdout) as { writes: number; busyErrors: number };
    writes += counted.writes;
    busyErrors += counted.busyErrors;
  }
  using plain = new DatabaseSync(path, { readOnly: true });
  const value = plain.prepare("SELECT value FROM counter").get()?.["value"];
  return { writes, seconds: durationMs / 1_000, busyErrors, lost: writes - Number(value) };
}
