/** What migration 009 does: the same queries before and after it, on one deck. */

import { addWords, migratorOf, openFile } from "./database.ts";
import { queueSql } from "./pipeline.ts";
import type { NewFlashcard } from "./schema.ts";

/** A query without and with its index: how SQLite answers it, and how long that takes. */
export interface IndexSpeed {
  readonly query: string;
  readonly planBefore: string;
  readonly planAfter: string;
  /** Medians, milliseconds. */
  readonly beforeMs: number;
  readonly afterMs: number;
}

/** Repetitions behind a median; odd, so that there is a middle one. */
const REPETITIONS = 51;
/** The migration that the deck has before, and the one that is measured. */
const BEFORE = 1;
const INDEXES = 9;

interface Query {
  readonly name: string;
  readonly sql: string;
  readonly values: readonly unknown[];
}

/** Makes a deck of the words, measures it, adds the indexes and measures it again. */
export async function measureIndexes(
  path: string,
  words: readonly NewFlashcard[],
): Promise<readonly IndexSpeed[]> {
  await using db = await openFile(path);
  const migrator = await migratorOf(db);
  await migrator.up({ to: INDEXES });
  await addWords(db, words);
  // A deck in use: few words wait, and those are the newest.
  const waiting = Math.min(20, words.length);
  const settle = "UPDATE flashcards SET stage1_processed = 1, is_processed = 1 WHERE id <= ?";
  await db.execute(settle, [words.length - waiting]);
  await migrator.down({ to: BEFORE });
  const queries: readonly Query[] = [
    {
      name: "a card by its word",
      sql: "SELECT * FROM flashcards WHERE word = ?",
      values: [words.at(-1)?.word ?? ""],
    },
    {
      name: "the queue of stage 1",
      sql: queueSql("stage1_processed = 0"),
      values: [new Date(0), 0, waiting],
    },
  ];
  const before = await Promise.all(queries.map((query) => planOf(db, query)));
  const beforeMs = await timesOf(db, queries);
  await migrator.up({ only: INDEXES });
  const after = await Promise.all(queries.map((query) => planOf(db, query)));
  const afterMs = await timesOf(db, queries);
  return queries.map(({ name }, at) => ({
    query: name,
    planBefore: before[at] ?? "",
    planAfter: after[at] ?? "",
    beforeMs: beforeMs[at] ?? 0,
    afterMs: afterMs[at] ?? 0,
  }));
}

type OpenFile = Awaited<ReturnType<typeof openFile>>;

async function planOf(db: OpenFile, { sql, values }: Query): Promise<string> {
  const { rows } = await db.execute(`EXPLAIN QUERY PLAN ${sql}`, values);
  return rows.map(({ detail }) => String(detail)).join("; ");
}

async function timesOf(db: OpenFile, queries: readonly Query[]): Promise<number[]> {
  const medians: number[] = [];
  for (const { sql, values } of queries) {
    const times: number[] = [];
    while (times.length < REPETITIONS) {
      const startMs = performance.now();
      await db.execute(sql, values);
      times.push(performance.now() - startMs);
    }
    times.sort((a, b) => a - b);
    medians.push(times[REPETITIONS >> 1] ?? 0);
  }
  return medians;
}
