/**
 * The run before and the run after, as the guide compares them: 1,000 cards by the naive program
 * and by the pipeline, with the same answers of the same server; then what the indexes, the warm
 * cache and the kept answers do.
 */

import { join } from "node:path";
import type { Database } from "springhouse";
import type { GuardStatistics } from "springhouse/resilience";
import type { Progress } from "../common/progress.ts";
import { Calls } from "./calls.ts";
import { addWords, type FlashcardDatabase, openFlashcards } from "./database.ts";
import { Deck } from "./deck.ts";
import { openDeckCache } from "./deck-cache.ts";
import { type DemandReport, measureDemand } from "./demand.ts";
import { type IndexSpeed, measureIndexes } from "./index-speed.ts";
import { differences, runNaively } from "./naive.ts";
import { measureOutage, type OutageReport } from "./outage.ts";
import { type PipelineReport, runPipeline } from "./pipeline.ts";
import type { NewFlashcard } from "./schema.ts";
import { ServerProcess } from "./server-process.ts";
import { readFrequencies, readWords, sourceOf } from "./word-lists.ts";

/** How to compare. */
export interface CompareOptions {
  /** Where everything is made. */
  readonly folder: string;
  readonly dataFolder: string;
  /** Cards to make, at most 1,000. */
  readonly cards: number;
  /** Words of the deck that is read, the most frequent; at most 10,000. */
  readonly deck: number;
  /** Reads of it. */
  readonly reads: number;
  readonly latencyMs: number;
  readonly requestsPerSecond: number;
  readonly signal: AbortSignal;
}

/** What has to come out of it. */
export const TARGETS = { speedup: 7.5, hitRate: 0.9 } as const;

/** All that was found out; it is what `--json` prints. */
export interface CompareReport {
  readonly source: string;
  readonly server: { readonly latencyMs: number; readonly requestsPerSecond: number };
  readonly cards: number;
  readonly before: { readonly seconds: number };
  readonly after: PipelineReport & { readonly seconds: number };
  readonly speedup: number;
  /** Words whose cards are not the same in both. */
  readonly different: readonly string[];
  readonly again: PipelineReport;
  readonly indexes: readonly IndexSpeed[];
  readonly cold: DemandReport;
  readonly warm: DemandReport;
  readonly outage: OutageReport;
  readonly monitoring: Monitoring;
}

/** The figures of the guide's chapter on monitoring. */
export interface Monitoring {
  readonly statements: number;
  /** Texts whose mean time is more than 100 ms. */
  readonly slowStatements: number;
  readonly pool: ReturnType<Database["statistics"]>;
  readonly guards: Readonly<Record<string, GuardStatistics>>;
}

/** The part of the deck that is loaded before anybody asks. */
const WARM_PART = 0.5;
const OUTAGE_WORDS = 50;
const SLOW_MS = 100;

/** Runs it all; `progress` is told about each step. */
export async function compare(options: CompareOptions, progress: Progress): Promise<CompareReport> {
  const { folder, dataFolder, signal, latencyMs, requestsPerSecond } = options;
  const words = (await readWords(dataFolder, "1000")).slice(0, options.cards);
  const deckWords = (await readWords(dataFolder, "10000")).slice(0, options.deck);
  await using server = await ServerProcess.start({ dataFolder, latencyMs, requestsPerSecond });
  const { url } = server;
  const paths = { naive: join(folder, "naive.db"), deck: join(folder, "flashcards.db") };

  const beforeSeconds = await progress.during("Before: one card after the other", (report) =>
    runNaively(paths.naive, url, words, signal, report),
  );
  const after = await progress.during("After: the pipeline", (report) =>
    makeCards(folder, url, words, signal, report),
  );
  const indexes = await progress.during("Measuring the indexes", () =>
    measureIndexes(join(folder, "indexes.db"), deckWords),
  );
  await using db = await openFlashcards(paths.deck);
  await using cache = openDeckCache(join(folder, "cache.db"));
  using calls = await Calls.open(cache, { url });
  const again = await runPipeline(db, calls, new Deck(db, cache), { signal });
  await addWords(db, deckWords, signal);
  const { cold, warm } = await progress.during("Reading the deck", () =>
    readDeck(db, deckWords, options),
  );
  await server.fail("error", Number.MAX_SAFE_INTEGER);
  const known = words.slice(0, OUTAGE_WORDS).map(({ word }) => word);
  const outage = await progress.during("Asking while the server fails", () =>
    measureOutage(calls, cache, known, signal),
  );
  return {
    source: sourceOf(dataFolder),
    server: { latencyMs, requestsPerSecond },
    cards: words.length,
    before: { seconds: beforeSeconds },
    after,
    speedup: beforeSeconds / after.seconds,
    different: differences(paths.naive, paths.deck),
    again,
    indexes,
    cold,
    warm,
    outage,
    monitoring: monitor(db, calls),
  };
}

/** From nothing to closed files: what is compared with the naive run is all that it takes. */
async function makeCards(
  folder: string,
  url: string,
  words: readonly NewFlashcard[],
  signal: AbortSignal,
  report: (done: number, total: number) => void,
): Promise<CompareReport["after"]> {
  const startMs = performance.now();
  const made = await (async () => {
    await using db = await openFlashcards(join(folder, "flashcards.db"));
    await using cache = openDeckCache(join(folder, "cache.db"));
    using calls = await Calls.open(cache, { url });
    await addWords(db, words, signal);
    const onProgress = (stage: string, done: number, total: number): void =>
      report(stage === "stage1" ? done : total + done, total * 2);
    return await runPipeline(db, calls, new Deck(db, cache), { signal, onProgress });
  })();
  return { ...made, seconds: (performance.now() - startMs) / 1_000 };
}

async function readDeck(
  db: FlashcardDatabase,
  words: readonly NewFlashcard[],
  { folder, dataFolder, reads, signal }: CompareOptions,
): Promise<{ readonly cold: DemandReport; readonly warm: DemandReport }> {
  const inDeck = new Set(words.map(({ word }) => word));
  const frequencies = (await readFrequencies(dataFolder)).filter(([word]) => inDeck.has(word));
  const read = (name: string, warm: number): Promise<DemandReport> =>
    measureDemand(db, { cachePath: join(folder, name), frequencies, reads, warm, signal });
  const cold = await read("cold.db", 0);
  return { cold, warm: await read("warm.db", Math.floor(frequencies.length * WARM_PART)) };
}

function monitor(db: FlashcardDatabase, calls: Calls): Monitoring {
  const { total, queries } = db.queryStatistics();
  const slowStatements = queries.filter(({ meanMs }) => meanMs > SLOW_MS).length;
  return { statements: total, slowStatements, pool: db.statistics(), guards: calls.statistics() };
}
