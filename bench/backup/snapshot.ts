/**
 * A backup, its verification included, of a database that nobody uses, and of the same one while
 * this process writes 500 transactions a second: how much longer it takes, how long a write waits
 * at most, and how long the event loop of the writing process stands still.
 */

import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { createBackup } from "../../src/backup/create.ts";
import { openSqliteStore, type SqliteStore } from "../../src/store/sqlite/store.ts";
import type { BenchResult } from "../bench.ts";
import { type Gap, longestGap } from "../event-loop/gap.ts";
import { median, percentile, timeMs } from "../support.ts";

const WRITES_PER_S = 500;
/** About 1 KB a row: words that repeat, and a third that no packer makes smaller. */
const ROW_BYTES = 1_024;
const FILL = `INSERT INTO documents (title, body, picture)
  WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < ?)
  SELECT 'document ' || i, printf('%.640c', 'x') || hex(randomblob(16)), randomblob(330) FROM n`;
const WRITE = "INSERT INTO log (at, text) VALUES (?, ?)";

/** The figures of this part. */
export async function measureSnapshot(
  folder: string,
  quick: boolean,
): Promise<Omit<BenchResult, "bench">> {
  const bytes = (quick ? 64 : 1_024) * 1_024 ** 2;
  const rounds = quick ? 2 : 3;
  const path = join(folder, "app.db");
  fill(path, Math.floor(bytes / ROW_BYTES));
  await using store = await openSqliteStore({ url: `sqlite:///${path}` });
  // The first write starts the writer's thread.
  await store.write([{ sql: WRITE, parameters: [0, "a line"] }]);
  const backUp = (): Promise<unknown> => {
    return createBackup({ url: `sqlite:///${path}`, directory: join(folder, "backups") });
  };
  const idleMs: number[] = [];
  const loadedMs: number[] = [];
  const gaps: Gap[] = [];
  const waits: number[] = [];
  const alone: number[] = [];
  for (let round = 0; round < rounds; round++) {
    idleMs.push(await timeMs(backUp));
    alone.push(...(await whileWriting(store, () => sleep(1_000))).waits);
    const loaded = await whileWriting(store, async () => {
      gaps.push(await longestGap(async () => loadedMs.push(await timeMs(backUp))));
    });
    waits.push(...loaded.waits);
  }
  return {
    figures: {
      loaded_over_idle: Number((median(loadedMs) / median(idleMs)).toFixed(2)),
      writer_stall_ms: Number(Math.max(...waits).toFixed(1)),
      gap_ms: Number(Math.max(...gaps.map(({ ownMs }) => ownMs)).toFixed(1)),
      idle_s: Number((median(idleMs) / 1_000).toFixed(2)),
      loaded_s: Number((median(loadedMs) / 1_000).toFixed(2)),
      writer_p99_ms: Number(percentile(waits, 99).toFixed(1)),
      writer_alone_stall_ms: Number(Math.max(...alone).toFixed(1)),
      megabytes: Math.round(bytes / 1_024 ** 2),
    },
    targets: {
      loaded_over_idle: { atMost: 2 },
      writer_stall_ms: { atMost: 50 },
      gap_ms: { atMost: 10 },
    },
    notes: [
      `loaded: ${WRITES_PER_S} durable transactions a second by the process that asks for it`,
      "writer_stall_ms: the longest wait of one write during a backup; alone: without one",
      "all times include restoring the backup beside and checking it",
    ],
  };
}

function fill(path: string, rows: number): void {
  using database = new DatabaseSync(path);
  database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
    CREATE TABLE documents (id INTEGER PRIMARY KEY, title TEXT, body TEXT, picture BLOB);
    CREATE INDEX documents_by_title ON documents (title);
    CREATE TABLE log (id INTEGER PRIMARY KEY, at INTEGER, text TEXT)`);
  database.prepare(FILL).run(rows);
}

/** Writes at a steady pace until `work` is done; how long each write waited. */
async function whileWriting(
  store: SqliteStore,
  work: () => Promise<unknown>,
): Promise<{ readonly waits: readonly number[] }> {
  const waits: number[] = [];
  const writes = new Set<Promise<unknown>>();
  const startMs = performance.now();
  let written = 0;
  const timer = setInterval(() => {
    // A timer that comes late has more to do: the pace is kept.
    const due = ((performance.now() - startMs) * WRITES_PER_S) / 1_000;
    for (; written < due; written++) {
      const write = timeMs(() => store.write([{ sql: WRITE, parameters: [written, "a line"] }]));
      writes.add(write);
      void write.then((ms) => {
        waits.push(ms);
        writes.delete(write);
      });
    }
  }, 1);
  await work();
  clearInterval(timer);
  await Promise.all(writes);
  return { waits };
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
