/**
 * The pipeline: every waiting word goes through the first stage, then every word that has been
 * through it goes through the second.
 *
 * The table is the queue. A stage reads what waits by its index, asks for several words at once,
 * and writes answer and flag of many words with one commit, so that whatever ends a run, the next
 * one goes on with what has not been committed: at most the words that were under way.
 */

import { isSpringhouseError } from "springhouse";
import type { FallbackResult } from "springhouse/resilience";
import type { Report } from "../common/progress.ts";
import type { Calls } from "./calls.ts";
import { BatchWriter, forEachConcurrently } from "./concurrently.ts";
import type { FlashcardDatabase } from "./database.ts";
import type { Deck } from "./deck.ts";
import { UnknownWord } from "./dictionary.ts";

/** How to run. */
export interface PipelineOptions {
  /** Words that each stage takes at most. Default: all that wait. */
  readonly limit?: number;
  readonly signal: AbortSignal;
  readonly onProgress?: (stage: StageName, ...report: Parameters<Report>) => void;
}

export type StageName = "stage1" | "stage2";

/** What a stage has done. */
export interface StageReport {
  /** Words whose answer is committed. */
  readonly saved: number;
  /** Of these, the ones whose answer is an earlier one, since the server failed. */
  readonly stale: number;
  /** Words that the dictionary does not have; they have a `problem` and wait no longer. */
  readonly unknown: number;
  /** Words that failed and wait for the next run. */
  readonly left: number;
  /** Why the last of them failed; null when none did. */
  readonly reason: string | null;
  /** Commits of answers. */
  readonly commits: number;
  readonly seconds: number;
}

/** What a run has done. */
export type PipelineReport = Readonly<Record<StageName, StageReport>>;

/** Words read from the queue with one statement. */
const PAGE_ROWS = 500;

interface WaitingWord {
  readonly id: number;
  readonly word: string;
  readonly created_at: Date;
}

/** One stage: which words wait for it, and how its answer is kept. */
interface Stage<Answer> {
  readonly name: StageName;
  /** The flag stands as a literal: a partial index is not used for `= ?`. */
  readonly waits: string;
  readonly save: string;
  readonly valuesOf: (answer: Answer) => readonly unknown[];
  readonly ask: (word: string, signal: AbortSignal) => Promise<FallbackResult<Answer>>;
}

/**
 * Runs both stages.
 *
 * @throws `CIRCUIT_OPEN` or `RATE_LIMITED` when the server does not come back in time, an
 *   `AbortError` when the signal fires. What is committed stays.
 */
export async function runPipeline(
  db: FlashcardDatabase,
  calls: Calls,
  deck: Deck,
  options: PipelineOptions,
): Promise<PipelineReport> {
  const run = <Answer>(stage: Stage<Answer>): Promise<StageReport> =>
    runStage(stage, { db, deck, workers: calls.concurrency, options });
  const stage1 = await run({
    name: "stage1",
    waits: "stage1_processed = 0",
    save: `UPDATE flashcards SET translation = ?, pronunciation = ?, difficulty = ?,
      stage1_processed = 1 WHERE id = ?`,
    valuesOf: ({ translation, pronunciation, difficulty }) => [
      translation,
      pronunciation,
      difficulty,
    ],
    ask: calls.analysis,
  });
  const stage2 = await run({
    name: "stage2",
    waits: "is_processed = 0 AND stage1_processed = 1",
    save: `UPDATE flashcards SET example = ?, example_translation = ?, hint = ?, is_processed = 1
      WHERE id = ?`,
    valuesOf: ({ example, exampleTranslation, hint }) => [example, exampleTranslation, hint],
    ask: calls.illustration,
  });
  return { stage1, stage2 };
}

interface Surroundings {
  readonly db: FlashcardDatabase;
  readonly deck: Deck;
  readonly workers: number;
  readonly options: PipelineOptions;
}

async function runStage<Answer>(
  stage: Stage<Answer>,
  { db, deck, workers, options }: Surroundings,
): Promise<StageReport> {
  const { signal, limit = Number.POSITIVE_INFINITY, onProgress } = options;
  const startMs = performance.now();
  const total = Math.min(limit, await countWaiting(db, stage.waits));
  const done = { saved: 0, stale: 0, unknown: 0, left: 0 };
  let reason: string | null = null;
  const writer = new BatchWriter<{ word: string; values: readonly unknown[] }>(async (rows) => {
    await db.executeMany(
      stage.save,
      rows.map(({ values }) => values),
    );
    await deck.forget(rows.map(({ word }) => word));
  });
  await forEachConcurrently(waitingWords(db, stage.waits, limit), workers, async ({ id, word }) => {
    signal.throwIfAborted();
    try {
      const { value, stale } = await stage.ask(word, signal);
      await writer.write({ word, values: [...stage.valuesOf(value), id] });
      done.saved++;
      if (stale) done.stale++;
    } catch (error) {
      if (error instanceof UnknownWord) {
        await refuse(db, deck, id, word, error.message);
        done.unknown++;
      } else if (isEnd(error, signal)) {
        throw error;
      } else {
        done.left++;
        reason = error instanceof Error ? error.message : String(error);
      }
    }
    onProgress?.(stage.name, done.saved + done.unknown + done.left, total);
  });
  const seconds = (performance.now() - startMs) / 1_000;
  return { ...done, reason, commits: writer.batches, seconds };
}

/** What every other word would meet as well: the server is away, the disk is full, it is over. */
function isEnd(error: unknown, signal: AbortSignal): boolean {
  return signal.aborted || (isSpringhouseError(error) && error.code !== "TIMEOUT");
}

async function refuse(
  db: FlashcardDatabase,
  deck: Deck,
  id: number,
  word: string,
  problem: string,
): Promise<void> {
  await db.execute(
    "UPDATE flashcards SET problem = ?, stage1_processed = 1, is_processed = 1 WHERE id = ?",
    [problem, id],
  );
  await deck.forget([word]);
}

async function countWaiting(db: FlashcardDatabase, waits: string): Promise<number> {
  const { rows } = await db.execute(`SELECT count(*) AS n FROM flashcards WHERE ${waits}`);
  return Number(rows[0]?.["n"]);
}

/** The SQL of a page of those that wait, the oldest first. */
export function queueSql(waits: string): string {
  return `SELECT id, word, created_at FROM flashcards
    WHERE ${waits} AND (created_at, id) > (?, ?) ORDER BY created_at, id LIMIT ?`;
}

/** Those that waited when it began, page by page; those under way are not read again. */
async function* waitingWords(
  db: FlashcardDatabase,
  waits: string,
  limit: number,
): AsyncGenerator<WaitingWord, void, undefined> {
  let last: Pick<WaitingWord, "created_at" | "id"> = { created_at: new Date(0), id: 0 };
  for (let left = limit; left > 0; ) {
    const values = [last.created_at, last.id, Math.min(left, PAGE_ROWS)];
    const { rows } = await db.execute<WaitingWord>(queueSql(waits), values);
    yield* rows;
    const end = rows.at(-1);
    if (end === undefined) return;
    last = end;
    left -= rows.length;
  }
}
