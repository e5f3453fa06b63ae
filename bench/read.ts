/**
 * Reads that are answered from memory beside the reads that they save: a row by its key, by a
 * prepared statement of node:sqlite on the same file, and an aggregate over all rows. Kysely and
 * Drizzle read the same row by the same engine.
 *
 * A hit is waited for, as its callers do; the prepared statement is called as its callers do, and
 * gives the row at once.
 */

import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { eq } from "drizzle-orm";
import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { drizzle } from "drizzle-orm/sqlite-proxy";
import { entity, open, t } from "../src/index.ts";
import type { BenchOptions, BenchResult } from "./bench.ts";
import { loopsOf, median, withFolder } from "./support.ts";

const ROWS = 200_000;
const KEYS = 1_000;
const STRIDE = 617;
/** How many times fewer reads of a contender fill the same time. */
const SLOWNESS: Readonly<Record<string, number>> = { raw: 5, kysely: 50, drizzle: 50, miss: 20 };
/** Turns until rows are kept, at most: the log of changes is made first. */
const TURNS_MAX = 10_000;

const Task = entity("tasks", {
  id: t.int().primaryKey(),
  weekId: t.int().index(),
  projectName: t.text(),
  durationSeconds: t.int(),
  score: t.int(),
});

const PROJECTS = 50;
const AGGREGATE = `SELECT project_name, count(*) AS tasks, sum(duration_seconds) AS seconds
  FROM tasks GROUP BY project_name`;

/** Runs the bench. */
export function run(options: BenchOptions): Promise<BenchResult> {
  return withFolder((folder) => measure(join(folder, "read.db"), options));
}

async function measure(path: string, { quick }: BenchOptions): Promise<BenchResult> {
  await using db = await openFilled(path);
  await using uncached = await open({ url: urlOf(path), entities: [Task], cache: false });
  using plain = new DatabaseSync(path);
  const keys = Array.from({ length: KEYS }, (_, index) => index * (ROWS / KEYS) + 1);
  const contenders = await makeContenders({ db, uncached, plain }, keys);
  const rounds = quick ? 5 : 15;
  const count = quick ? 50_000 : 200_000;
  const times = new Map<string, number[]>();
  for (let round = 0; round < rounds; round++) {
    for (const [name, { isSync, read }] of Object.entries(contenders)) {
      const { timeAsync, timeSync } = await loopsOf(name);
      const reads = { keys, stride: STRIDE, count: count / (SLOWNESS[name] ?? 1) };
      const ns = isSync
        ? timeSync(reads, read)
        : await timeAsync(reads, read as (key: number) => Promise<unknown>);
      times.set(name, [...(times.get(name) ?? []), ns]);
    }
  }
  const aggregate = await measureAggregate(db, plain, quick ? 5 : 15);
  return report(times, aggregate);
}

function report(
  times: ReadonlyMap<string, readonly number[]>,
  aggregate: { readonly rawMs: number; readonly ratio: number },
): BenchResult {
  const ratio = (above: string, below: string): number =>
    median((times.get(above) ?? []).map((ns, round) => ns / (times.get(below)?.[round] ?? 0)));
  const ns = (name: string): number => median(times.get(name) ?? []);
  return {
    bench: "read",
    figures: {
      raw_get_over_hit_exclusive: ratio("raw", "exclusive"),
      raw_get_over_hit_turn: ratio("raw", "turn"),
      aggregate_over_hit: aggregate.ratio,
      raw_get_over_repository_hit_turn: ratio("raw", "repository"),
      kysely_over_repository_hit: ratio("kysely", "repository"),
      drizzle_over_repository_hit: ratio("drizzle", "repository"),
      raw_get_ns: ns("raw"),
      hit_exclusive_ns: ns("exclusive"),
      hit_turn_ns: ns("turn"),
      repository_hit_turn_ns: ns("repository"),
      repository_uncached_ns: ns("miss"),
      kysely_get_ns: ns("kysely"),
      drizzle_get_ns: ns("drizzle"),
      aggregate_ms: aggregate.rawMs,
    },
    targets: {
      raw_get_over_hit_exclusive: { atLeast: 3 },
      raw_get_over_hit_turn: { atLeast: 2.5 },
      aggregate_over_hit: { atLeast: 1_000 },
    },
    notes: [
      `${KEYS.toLocaleString("en-US")} of ${ROWS.toLocaleString("en-US")} rows, read in turn`,
      "ratios are medians over the rounds, in each of which all run in turn",
      "kysely_get_ns: db.query, uncached; repository_uncached_ns: cache: false",
      "drizzle_get_ns: its proxy driver over the same prepared statements",
    ],
  };
}

interface Contender {
  readonly isSync?: boolean;
  readonly read: (key: number) => unknown;
}

type Db = Awaited<ReturnType<typeof openFilled>>;

async function makeContenders(
  { db, uncached, plain }: { readonly db: Db; readonly uncached: Db; readonly plain: DatabaseSync },
  keys: readonly number[],
): Promise<Readonly<Record<string, Contender>>> {
  const get = plain.prepare("SELECT * FROM tasks WHERE id = ?");
  const cachedAt = (freshness: "exclusive" | "turn") =>
    db.cached(
      `task ${freshness}`,
      (q, id: number) => q.selectFrom("tasks").selectAll().where("id", "=", id).executeTakeFirst(),
      { freshness },
    );
  const [exclusive, turn] = [cachedAt("exclusive"), cachedAt("turn")];
  const tasks = db.repository(Task);
  const uncachedTasks = uncached.repository(Task);
  for (const key of keys) await Promise.all([exclusive(key), turn(key)]);
  await fill(db, keys);
  return {
    raw: { isSync: true, read: (key) => get.get(key) },
    exclusive: { read: (key) => exclusive(key) },
    turn: { read: (key) => turn(key) },
    repository: { read: (key) => tasks.get(key) },
    miss: { read: (key) => uncachedTasks.get(key) },
    kysely: {
      read: (key) =>
        db.query.selectFrom("tasks").selectAll().where("id", "=", key).executeTakeFirst(),
    },
    drizzle: { read: drizzleGet(plain) },
  };
}

/** Reads all rows until they are kept. */
async function fill(db: Db, keys: readonly number[]): Promise<void> {
  const tasks = db.repository(Task);
  const [first = 1] = keys;
  for (let turns = 0; turns < TURNS_MAX; turns++) {
    for (const key of keys) await tasks.get(key);
    const row = await tasks.get(first);
    if ((await tasks.get(first)) === row) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error("what the repository reads is not kept");
}

/** Drizzle has no driver for node:sqlite in this version; its proxy gets prepared statements. */
function drizzleGet(plain: DatabaseSync): (key: number) => Promise<unknown> {
  const table = sqliteTable("tasks", {
    id: integer("id").primaryKey(),
    weekId: integer("week_id").notNull(),
    projectName: text("project_name").notNull(),
    durationSeconds: integer("duration_seconds").notNull(),
    score: integer("score").notNull(),
  });
  const statements = new Map<string, ReturnType<DatabaseSync["prepare"]>>();
  const orm = drizzle(async (sql, parameters) => {
    const known = statements.get(sql) ?? plain.prepare(sql);
    statements.set(sql, known);
    known.setReturnArrays(true);
    return { rows: known.all(...parameters) };
  });
  return async (key) => (await orm.select().from(table).where(eq(table.id, key)))[0];
}

async function measureAggregate(
  db: Db,
  plain: DatabaseSync,
  rounds: number,
): Promise<{ readonly rawMs: number; readonly ratio: number }> {
  const statement = plain.prepare(AGGREGATE);
  const cached = db.cached("aggregate", async () => (await db.execute(AGGREGATE)).rows);
  await cached();
  const [rawMs, ratios]: [number[], number[]] = [[], []];
  const hits = 10_000;
  for (let round = 0; round < rounds; round++) {
    const startMs = performance.now();
    const rows = statement.all();
    const endMs = performance.now();
    for (let hit = 0; hit < hits; hit++) await cached();
    const hitMs = (performance.now() - endMs) / hits;
    if (rows.length !== (await cached()).length) throw new Error("the results differ");
    rawMs.push(endMs - startMs);
    ratios.push((endMs - startMs) / hitMs);
  }
  return { rawMs: median(rawMs), ratio: median(ratios) };
}

async function openFilled(path: string) {
  const db = await open({ url: urlOf(path), entities: [Task] });
  await db.repository(Task).createMany(rowsOfTasks());
  return db;
}

function* rowsOfTasks() {
  for (let index = 0; index < ROWS; index++) {
    yield {
      weekId: index % 520,
      projectName: `project ${index % PROJECTS}`,
      durationSeconds: (index * 37) % 7_200,
      score: index % 100,
    };
  }
}

function urlOf(path: string): string {
  return `sqlite:///${path}`;
}
