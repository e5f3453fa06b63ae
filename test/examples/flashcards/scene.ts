/**
 * A deck, its cache and a dictionary server of this process, for one test. Deck and cache are opened
 * once for a file of tests, since their threads take longer to start than a test takes, and are
 * emptied for each.
 */

import { join } from "node:path";
import type { Cache } from "springhouse/cache";
import { afterAll } from "vitest";
import { Calls, type CallsOptions } from "../../../examples/flashcards/calls.ts";
import {
  addWords,
  type FlashcardDatabase,
  openFlashcards,
} from "../../../examples/flashcards/database.ts";
import { Deck } from "../../../examples/flashcards/deck.ts";
import { openDeckCache } from "../../../examples/flashcards/deck-cache.ts";
import { generateDictionary } from "../../../examples/flashcards/generate.ts";
import {
  type PipelineOptions,
  type PipelineReport,
  runPipeline,
} from "../../../examples/flashcards/pipeline.ts";
import { DictionaryServer } from "../../../examples/flashcards/server.ts";
import type { Entry } from "../../../examples/flashcards/word-lists.ts";
import { temporaryFolder } from "../auditor-database.ts";

/** All parts of a scene. */
export interface Scene {
  readonly folder: string;
  readonly entries: readonly Entry[];
  readonly db: FlashcardDatabase;
  readonly cache: Cache;
  readonly deck: Deck;
  readonly server: DictionaryServer;
  openCalls(options?: Partial<CallsOptions>): Promise<Calls>;
  /** Runs the pipeline, through new guards. */
  run(options?: Partial<CallsOptions & PipelineOptions>): Promise<PipelineReport>;
}

/** What a scene begins with. */
export interface SceneOptions {
  readonly words?: number;
  readonly requestsPerSecond?: number;
  /** Words that the server does not have. */
  readonly unknown?: number;
}

type Parts = Pick<Scene, "folder" | "db" | "cache">;
let opening: Promise<Parts> | undefined;
const owned = new AsyncDisposableStack();
afterAll(() => owned.disposeAsync());

async function openParts(): Promise<Parts> {
  const folder = owned.use(temporaryFolder()).path;
  const db = owned.use(await openFlashcards(join(folder, "deck.db")));
  return { folder, db, cache: owned.use(openDeckCache(join(folder, "cache.db"))) };
}

async function emptied(): Promise<Parts> {
  opening ??= openParts();
  const parts = await opening;
  await parts.db.execute("DELETE FROM flashcards");
  await parts.cache.clear();
  parts.cache.resetStatistics();
  return parts;
}

export async function withScene(
  { words = 40, requestsPerSecond = 100_000, unknown = 0 }: SceneOptions,
  test: (scene: Scene) => Promise<void>,
): Promise<void> {
  const { folder, db, cache } = await emptied();
  const entries = generateDictionary(words);
  const known = entries.slice(unknown);
  await using server = await DictionaryServer.start({
    entries: known,
    latencyMs: 0,
    requestsPerSecond,
  });
  const deck = new Deck(db, cache);
  const openCalls: Scene["openCalls"] = (options) =>
    Calls.open(cache, { url: server.url, pauseMs: 20, ...options });
  const run: Scene["run"] = async (options = {}) => {
    const { limit, onProgress, signal = new AbortController().signal, ...given } = options;
    using calls = await openCalls(given);
    const stop = { ...(limit !== undefined && { limit }), ...(onProgress && { onProgress }) };
    return await runPipeline(db, calls, deck, { ...stop, signal });
  };
  await addWords(
    db,
    entries.map(({ word, wordType }) => ({ word, wordType })),
  );
  await test({ folder, entries, db, cache, deck, server, openCalls, run });
}

/** How many cards are finished. */
export async function finished(db: FlashcardDatabase): Promise<number> {
  const { rows } = await db.execute("SELECT count(*) AS n FROM flashcards WHERE is_processed = 1");
  return Number(rows[0]?.["n"]);
}
