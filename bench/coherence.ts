/**
 * How exact the cache is, and what matching costs.
 *
 * A seeded mix of reads and writes runs on one file. After each commit every result that was in
 * memory is asked for with `peek`, and computed anew by a plain connection: one that is there and
 * differs is stale, one that is gone and does not differ was dropped in vain. The same commits are
 * judged by two coarser rules: by table, and by equal columns of whole rows.
 *
 * The cost of matching is that of one changed row with so many entries in the index.
 */

import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Footprint } from "../src/change/footprint.ts";
import type { ColumnStructure, TableStructure } from "../src/change/structure.ts";
import { EntryIndex } from "../src/coherence/entry-index.ts";
import { type CachedFunction, entity, open, t } from "../src/index.ts";
import type { BenchOptions, BenchResult } from "./bench.ts";
import {
  isDroppedByEquality,
  isDroppedByTable,
  KINDS,
  PROJECTS,
  type Question,
  questions,
  type Row,
  randomOf,
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
  const [few, many, most] = [1_000, 100_000, quick ? 200_000 : 1_000_000].map(matchingUs);
  const over = (dropped: number): number => dropped / counts.changed;
  return {
    bench: "coherence",
    figures: {
      stale: counts.stale,
      invalidated_over_changed: over(counts.dropped),
      table_invalidated_over_changed: over(counts.byTable),
      equality_invalidated_over_changed: over(counts.byEquality),
      us_per_row_1k: few ?? Number.NaN,
      us_per_row_100k: many ?? Number.NaN,
      us_per_row_1m: most ?? Number.NaN,
      us_per_row_growth: (most ?? Number.NaN) / (few ?? Number.NaN),
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
  const cache = { freshness: "strict" } as const;
  await using db = await open({ url: `sqlite:///${path}`, entities: [Week, Task], cache });
  using plain = new DatabaseSync(path, { readOnly: true });
  const random = randomOf(SEED);
  await fill(db, random);
  const kinds = new Map<string, CachedFunction<(string | number)[], unknown>>();
  for (const [kind, sql] of Object.entries(KINDS)) {
    kinds.set(kind, kyselyOf(db, kind) ?? db.cached(kind, async (_, ...args) => rowsOf(plain, sql, args)));
  }
  const asked = questions(WEEKS).map((question) => ({ question, known: "" }));
  const read = async (question: Question): Promise<string> =>
    JSON.stringify(await kinds.get(question.kind)?.(...question.args));
  for (const each of asked) each.known = await read(each.question);
  const counts = { checks: 0, stale: 0, changed: 0, dropped: 0, byTable: 0, byEquality: 0 };
  for (let commit = 0; commit < commits; commit++) {
    const write = writeOf(random, WEEKS, TASKS);
    const before = rowOf(plain, write);
    await db.execute(write.sql, write.parameters);
    const after = rowOf(plain, write);
    for (const each of asked) {
      const { question } = each;
      const present = JSON.stringify(rowsOf(plain, KINDS[question.kind] ?? "", question.args));
      const isGone = kinds.get(question.kind)?.peek(...question.args) === undefined;
      const isChanged = present !== each.known;
      counts.checks++;
      counts.changed += Number(isChanged);
      counts.stale += Number(isChanged && !isGone);
      counts.dropped += Number(isGone);
      counts.byTable += Number(isDroppedByTable(question, write));
      counts.byEquality += Number(isDroppedByEquality(question, write, before, after));
      if (isGone) each.known = await read(question);
    }
  }
  return counts;
}
