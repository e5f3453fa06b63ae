/**
 * Reads on several reader threads against one: aggregates, which compute, and lists, which also
 * send rows. Scaling ends at the cores of the machine; one core is left to the main thread only
 * where there are more than two.
 */

import { availableParallelism } from "node:os";
import { join } from "node:path";
import { openSqliteStore, type SqliteStore } from "../src/store/sqlite/store.ts";
import type { Statement } from "../src/store/store.ts";
import type { BenchOptions, BenchResult } from "./bench.ts";
import { timeMs, withFolder } from "./support.ts";

const ROWS = 100_000;
const FOUR_CORES = 4;

/** Runs the bench. */
export function run(options: BenchOptions): Promise<BenchResult> {
  return withFolder((folder) => measure(join(folder, "readers.db"), options));
}

async function measure(path: string, { quick }: BenchOptions): Promise<BenchResult> {
  await prepare(path);
  const sizes = availableParallelism() >= FOUR_CORES ? [1, 2, 4] : [1, 2];
  const rounds = quick ? 5 : 15;
  const samples = new Map<number, number[]>(sizes.map((size) => [size, []]));
  for (let round = 0; round < rounds; round++) {
    for (const size of sizes) samples.get(size)?.push(await readWith(path, size));
  }
  // Another process on one of the cores only ever makes a run longer: the shortest ones compare.
  const shortest = (size: number): number => Math.min(...(samples.get(size) ?? []));
  const scaling = (size: number): number => shortest(1) / shortest(size);
  const four = sizes.includes(FOUR_CORES);
  return {
    bench: "readers",
    figures: {
      scaling_2: scaling(2),
      ...(four ? { scaling_4: scaling(FOUR_CORES) } : {}),
      one_thread_ms: shortest(1),
      two_threads_ms: shortest(2),
    },
    targets: { scaling_2: { atLeast: 1.6 }, ...(four ? { scaling_4: { atLeast: 3.2 } } : {}) },
    notes: [
      `the shortest of ${rounds} runs of the same reads each; ${availableParallelism()} cores`,
      ...(four ? [] : ["scaling_4 needs four cores and was not measured"]),
    ],
  };
}

/** Time for all reads with as many threads; each size has connections of its own. */
async function readWith(path: string, size: number): Promise<number> {
  const pool = { minSize: size, maxSize: size };
  await using store = await openSqliteStore({ url: { kind: "file", path }, pool });
  await readAll(store, size);
  return await timeMs(() => readAll(store, size * 2));
}

const AGGREGATE = `SELECT kind, count(*), avg(score), sum(length(value)), max(score % ?)
  FROM rows WHERE value LIKE '%7%' GROUP BY kind`;
const LIST = "SELECT * FROM rows WHERE score > ? ORDER BY score, id LIMIT 200";

/** The work of one run, by as many callers as keep all threads busy. */
async function readAll(store: SqliteStore, callers: number): Promise<void> {
  const work: Statement[] = Array.from({ length: 24 }, (_, index) => ({
    sql: index % 3 === 0 ? AGGREGATE : LIST,
    parameters: [100 + index],
  }));
  const caller = async (): Promise<void> => {
    for (let next = work.pop(); next !== undefined; next = work.pop()) await store.read(next);
  };
  await Promise.all(Array.from({ length: callers }, caller));
}

async function prepare(path: string): Promise<void> {
  await using store = await openSqliteStore({ url: { kind: "file", path } });
  const table = `CREATE TABLE rows
    (id INTEGER PRIMARY KEY, kind TEXT, value TEXT, score INTEGER)`;
  await store.write([{ sql: table, parameters: [] }]);
  function* rows(): Generator<readonly (string | number)[]> {
    for (let id = 0; id < ROWS; id++) {
      yield [`kind ${id % 10}`, `value ${(id * 7_919).toString(36)}`, (id * 31) % 1_000];
    }
  }
  await store.writeMany("INSERT INTO rows (kind, value, score) VALUES (?, ?, ?)", rows());
}
