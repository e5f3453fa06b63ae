/**
 * How exact the cache is, and what matching costs.
 *
 * A seeded mix of reads and writes runs on one file. After each commit every result that was in
 * memory is asked for with `peek`, and computed anew by a plain connection: one that is there and
 * differs is stale, one that is gone and does not differ was dropped in vain. The same commits are
 * judged by two coarser rules: by table, and by equal columns of whole rows.
 *
 * The cost of a changed row is that of reading it from the log and finding whom it concerns.
 */

import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Coherence } from "../src/coherence/coherence.ts";
import { useCoherence } from "../src/coherence/shared.ts";
import { type CachedFunction, entity, open, t } from "../src/index.ts";
import { createCatalog } from "../src/schema/catalog.ts";
import { openSqliteStore } from "../src/store/sqlite/store.ts";
import { Choices } from "../src/testing/coherence/choices.ts";
import type { BenchOptions, BenchResult } from "./bench.ts";
import {
  isDroppedByEquality,
  isDroppedByTable,
  KINDS,
  PROJECTS,
  type Question,
  questions,
  type Row,
  STATUSES,
  type Write,
  writeOf,
} from "./coherence/mix.ts";
import { median, withFolder } from "./support.ts";

const SEED = 4711;
const WEEKS = 40;
const TASKS = 1_000;

const Week = entity("weeks", { id: t.int().primaryKey(), label: t.text() });
const Task = entity("tasks", {
  id: t.int().primaryKey(),
  weekId: t.int().index(),
  status: t.text(),
  project: t.text(),
  seconds: t.int(),
  note: t.text(),
});

/** Runs the bench. */
export function run(options: BenchOptions): Promise<BenchResult> {
  return withFolder((folder) => measure(folder, options));
}

async function measure(folder: string, { quick }: BenchOptions): Promise<BenchResult> {
  const commits = quick ? 200 : 2_000;
  const counts = await runMix(join(folder, "mix.db"), commits);
  const untouched = await untouchedCommit(folder, quick ? 300 : 2_000);
  const few = await changedRowUs(folder, 1_000);
  const many = await changedRowUs(folder, 100_000);
  const most = await changedRowUs(folder, quick ? 200_000 : 1_000_000);
  const over = (dropped: number): number => dropped / counts.changed;
  return {
    bench: "coherence",
    figures: {
      stale: counts.stale,
      invalidated_over_changed: over(counts.dropped),
      table_invalidated_over_changed: over(counts.byTable),
      equality_invalidated_over_changed: over(counts.byEquality),
      us_per_row_1k: few,
      us_per_row_100k: many,
      us_per_row_1m: most,
      us_per_row_growth: most / few,
      untouched_commit_us: untouched,
      checks: counts.checks,
    },
    targets: {
      stale: { atMost: 0 },
      invalidated_over_changed: { atMost: 2.5 },
      table_invalidated_over_changed: { atLeast: 8 },
      equality_invalidated_over_changed: { atLeast: 4 },
      us_per_row_100k: { atMost: 10 },
      us_per_row_growth: { atMost: 3 },
      untouched_commit_us: { atMost: 20 },
    },
    notes: [
      `seed ${SEED}: ${commits} commits of one write, ${questions(WEEKS).length} questions live`,
      `of a hundred writes: note 30, seconds 30, status 20, week 5, project 5, label 2, delete 4,`,
      `upsert 4; really changed ${counts.changed}, dropped ${counts.dropped}`,
      ...(quick ? ["us_per_row_1m was measured with 200,000 entries"] : []),
      "untouched_commit_us: a commit with 10,000 results live, none touched, over one with none",
    ],
  };
}

interface Counts {
  checks: number;
  stale: number;
  changed: number;
  dropped: number;
  byTable: number;
  byEquality: number;
}

async function runMix(path: string, commits: number): Promise<Counts> {
  await using db = await open({ url: `sqlite:///${path}`, entities: [Week, Task], cache: STRICT });
  using plain = new DatabaseSync(path, { readOnly: true });
  const choices = new Choices(SEED);
  await fill(db, choices);
  const ask = askedOf(db);
  const read = async ({ kind, args }: Question): Promise<string> =>
    JSON.stringify(await ask[kind]?.(...args));
  const live = questions(WEEKS).map((question) => ({ question, known: "" }));
  for (const each of live) each.known = await read(each.question);
  const counts = { checks: 0, stale: 0, changed: 0, dropped: 0, byTable: 0, byEquality: 0 };
  for (let commit = 0; commit < commits; commit++) {
    const write = writeOf(choices, WEEKS, TASKS);
    const before = rowOf(plain, write);
    await db.execute(write.sql, write.parameters);
    const after = rowOf(plain, write);
    for (const each of live) {
      const { kind, args } = each.question;
      const present = JSON.stringify(plain.prepare(KINDS[kind] ?? "").all(...args));
      const isGone = ask[kind]?.peek(...args) === undefined;
      const isChanged = present !== each.known;
      counts.checks++;
      counts.changed += Number(isChanged);
      counts.stale += Number(isChanged && !isGone);
      counts.dropped += Number(isGone);
      counts.byTable += Number(isDroppedByTable(each.question, write));
      counts.byEquality += Number(isDroppedByEquality(each.question, write, before, after));
      if (isGone) each.known = await read(each.question);
    }
  }
  return counts;
}

const STRICT = { freshness: "strict" } as const;

type Db = Awaited<ReturnType<typeof open<readonly [typeof Week, typeof Task]>>>;
type Asked = CachedFunction<(string | number)[], unknown>;

/** The questions of `mix.ts` as cached functions. */
function askedOf(db: Db): Readonly<Record<string, Asked>> {
  const own = (name: string, compute: (...args: (string | number)[]) => Promise<unknown>): Asked =>
    db.cached(name, (_, ...args: (string | number)[]) => compute(...args));
  const tasks = (): ReturnType<typeof db.query.selectFrom<"tasks">> => db.query.selectFrom("tasks");
  return {
    total: own("total", (week) =>
      tasks()
        .select((e) => e.fn.sum("seconds").as("total"))
        .where("week_id", "=", Number(week))
        .execute(),
    ),
    top: own("top", (week) =>
      tasks()
        .select(["id", "seconds"])
        .where("week_id", "=", Number(week))
        .orderBy("seconds", "desc")
        .orderBy("id")
        .limit(3)
        .execute(),
    ),
    open: own("open", (project) =>
      tasks()
        .select(["id", "seconds"])
        .where("project", "=", String(project))
        .where("status", "=", "open")
        .where("seconds", ">", 3_000)
        .orderBy("id")
        .execute(),
    ),
    statuses: own("statuses", (week) =>
      tasks()
        .select((e) => ["status", e.fn.countAll().as("n")])
        .where("week_id", "=", Number(week))
        .groupBy("status")
        .orderBy("status")
        .execute(),
    ),
    long: own("long", (seconds) =>
      tasks()
        .select(["id", "seconds"])
        .where("seconds", ">=", Number(seconds))
        .orderBy("id")
        .execute(),
    ),
    week: own("week", (week) =>
      db.query
        .selectFrom("weeks as w")
        .innerJoin("tasks as t", "t.week_id", "w.id")
        .select((e) => ["w.label", e.fn.sum("t.seconds").as("total")])
        .where("w.id", "=", Number(week))
        .where("t.status", "=", "done")
        .execute(),
    ),
  };
}

async function fill(db: Db, choices: Choices): Promise<void> {
  const weeks = Array.from({ length: WEEKS }, (_, at) => ({ id: at + 1, label: `week ${at}` }));
  await db.repository(Week).createMany(weeks);
  const rows = Array.from({ length: TASKS }, (_, at) => ({
    id: at + 1,
    weekId: 1 + choices.below(WEEKS),
    status: choices.one(STATUSES),
    project: choices.one(PROJECTS),
    seconds: choices.below(3_600),
    note: "",
  }));
  await db.repository(Task).createMany(rows);
}

function rowOf(plain: DatabaseSync, { table, id }: Write): Row {
  return plain.prepare(`SELECT * FROM ${table} WHERE id = ?`).get(id) as Row;
}

/** Microseconds that a commit takes longer with 10,000 results live of which it touches none. */
async function untouchedCommit(folder: string, commits: number): Promise<number> {
  const open2 = async (name: string, results: number): Promise<() => Promise<number>> => {
    const url = `sqlite:///${join(folder, name)}`;
    const db = await open({ url, entities: [Week, Task], cache: STRICT });
    const week = db.cached("week", (q, id: number) =>
      q.selectFrom("tasks").selectAll().where("week_id", "=", id).execute(),
    );
    await db.repository(Week).create({ id: 1, label: "" });
    for (let id = 1; id <= results; id++) await week(id);
    let label = 0;
    return async () => {
      const startMs = performance.now();
      await db.execute("UPDATE weeks SET label = ? WHERE id = 1", [String(label++)]);
      week.peek(1);
      return (performance.now() - startMs) * 1_000;
    };
  };
  const [bare, full] = [await open2("bare.db", 0), await open2("full.db", 10_000)];
  const [without, withResults]: [number[], number[]] = [[], []];
  for (let commit = 0; commit < commits; commit++) {
    without.push(await bare());
    withResults.push(await full());
  }
  return median(withResults) - median(without);
}

const ROWS_PER_COMMIT = 500;
const COMMITS = 40;

/**
 * Microseconds that one changed row costs, from the log to the last one it concerns, while so many
 * results of a few each week are watched. Another connection writes, so that nothing but looking
 * is timed.
 */
async function changedRowUs(folder: string, results: number): Promise<number> {
  const catalog = createCatalog([Week, Task]);
  const path = join(folder, `rows-${results}.db`);
  {
    await using db = await open({ url: `sqlite:///${path}`, entities: [Week, Task] });
    const choices = new Choices(SEED);
    const weeks = Math.ceil(results / 4);
    const rows = Array.from({ length: ROWS_PER_COMMIT * COMMITS }, (_, at) => ({
      id: at + 1,
      weekId: choices.below(weeks),
      status: "open",
      project: "Atlas",
      seconds: 0,
      note: "",
    }));
    await db.repository(Task).createMany(rows);
  }
  await using store = await openSqliteStore({ url: `sqlite:///${path}` });
  using use = useCoherence(store, catalog);
  await use.coherence.prepare();
  const touched = watch(use.coherence, results);
  using other = new DatabaseSync(path);
  const write = other.prepare("UPDATE tasks SET seconds = seconds + 1 WHERE id BETWEEN ? AND ?");
  const commitMs = Array.from({ length: COMMITS }, (_, at) => {
    write.run(at * ROWS_PER_COMMIT + 1, (at + 1) * ROWS_PER_COMMIT);
    const startMs = performance.now();
    use.coherence.feed.catchUp();
    return performance.now() - startMs;
  });
  const each = touched() / (ROWS_PER_COMMIT * COMMITS);
  if (each < 3 || each > 5) throw new Error(`a row concerned ${each} results, and not four`);
  return (median(commitMs) * 1_000) / ROWS_PER_COMMIT;
}

/** Watches as so many results would; gives how often one was touched. */
function watch({ entries }: Coherence, results: number): () => number {
  let touched = 0;
  const weeks = Math.ceil(results / 4);
  for (let at = 0; at < results; at++) {
    const value = BigInt(at % weeks);
    const predicate = { kind: "compare", column: "week_id", operator: "=", value } as const;
    const atom = { table: "tasks", columns: new Set(["week_id", "seconds"]), predicate };
    entries.watch({ footprint: { atoms: [atom] }, touched: () => touched++ });
  }
  return () => touched;
}
