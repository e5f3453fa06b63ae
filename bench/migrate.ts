/**
 * A backfill of a large table while the program goes on writing: the longest that one of its writes
 * had to wait. Beside it stands what most migration tools do, one UPDATE over the whole table.
 */

import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { backfill } from "../src/migrate/batched.ts";
import { defineMigration } from "../src/migrate/files.ts";
import { createMigrator } from "../src/migrate/run.ts";
import { openSqliteStore, type SqliteStore } from "../src/store/sqlite/store.ts";
import type { BenchOptions, BenchResult } from "./bench.ts";
import { median, timeMs, withFolder } from "./support.ts";

const TABLES = `
  CREATE TABLE events (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, minutes INTEGER NOT NULL, seconds INTEGER
  ) STRICT;
  CREATE TABLE clicks (id INTEGER PRIMARY KEY, at INTEGER NOT NULL) STRICT;`;
const FILL = `INSERT INTO events (kind, minutes)
  WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < ?)
  SELECT 'kind ' || (i % 10), i % 500 FROM n`;
const CLICK = "INSERT INTO clicks (at) VALUES (?)";
const UPDATE = "UPDATE events SET seconds = minutes * 60";
/** A program that writes a thousand times a second at most. */
const CLICK_PAUSE_MS = 1;
/** Writes before the clock runs: the threads have started, the caches are warm. */
const WARM_CLICKS = 50;

/** Runs the bench. */
export function run(options: BenchOptions): Promise<BenchResult> {
  return withFolder((folder) => measure(folder, options));
}

async function measure(folder: string, { quick }: BenchOptions): Promise<BenchResult> {
  const rows = quick ? 200_000 : 1_000_000;
  const original = join(folder, "original.db");
  prepare(original, rows);
  const rounds: Round[] = [];
  for (let round = 0; round < (quick ? 1 : 5); round++) {
    rounds.push(await inCopy(original, join(folder, `batched-${round}.db`), migrateAll));
  }
  const whole = await inCopy(original, join(folder, "whole.db"), updateAll);
  const middle = (name: keyof Round): number =>
    Number(median(rounds.map((round) => round[name])).toFixed(2));
  return {
    bench: "migrate",
    figures: {
      writer_stall_ms: middle("longestMs"),
      writer_p99_ms: middle("p99Ms"),
      rows,
      rows_per_s: Math.round(rows / (middle("totalMs") / 1_000)),
      one_update_stall_ms: Number(whole.longestMs.toFixed(2)),
    },
    targets: { writer_stall_ms: { atMost: 20 } },
    notes: [
      `one writer beside the backfill, synchronous=FULL; medians of ${rounds.length} runs`,
      "writer_stall_ms: the longest write of a run; one_update_stall_ms: beside a single UPDATE",
    ],
  };
}

function prepare(path: string, rows: number): void {
  using database = new DatabaseSync(path);
  database.exec(TABLES);
  database.prepare(FILL).run(rows);
}

interface Round {
  readonly totalMs: number;
  readonly longestMs: number;
  readonly p99Ms: number;
}

/** Runs `work` on a copy of the file, with a writer beside it. */
async function inCopy(
  original: string,
  path: string,
  work: (store: SqliteStore) => Promise<unknown>,
): Promise<Round> {
  copyFileSync(original, path);
  await using store = await openSqliteStore({ url: `sqlite:${path}` });
  for (let click = 0; click < WARM_CLICKS; click++) await clickOnce(store);
  const waits: number[] = [];
  let isDone = false;
  const clicking = (async () => {
    while (!isDone) {
      waits.push(await clickOnce(store));
      await sleep(CLICK_PAUSE_MS);
    }
  })();
  let totalMs: number;
  try {
    totalMs = await timeMs(() => work(store));
  } finally {
    isDone = true;
    await clicking;
  }
  waits.sort((a, b) => a - b);
  const p99Ms = waits[Math.floor(waits.length * 0.99)] ?? Number.NaN;
  return { totalMs, longestMs: waits.at(-1) ?? Number.NaN, p99Ms };
}

function clickOnce(store: SqliteStore): Promise<number> {
  return timeMs(() => store.write([{ sql: CLICK, parameters: [1] }]));
}

async function migrateAll(store: SqliteStore): Promise<void> {
  const data = backfill({ table: "events", set: { seconds: "minutes * 60" } });
  const migrations = [defineMigration({ version: 1, name: "seconds", up: "", data })];
  await createMigrator({ store, migrations }).up();
}

function updateAll(store: SqliteStore): Promise<unknown> {
  return store.write([{ sql: UPDATE, parameters: [] }]);
}
