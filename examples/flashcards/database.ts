/** Opens a deck, and brings its file up to date by the migrations beside this program. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { open, SpringhouseError } from "springhouse";
import { Flashcard, type NewFlashcard } from "./schema.ts";

/** An open deck. */
export type FlashcardDatabase = Awaited<ReturnType<typeof openFile>>;

const MIGRATIONS = join(import.meta.dirname, "migrations");

/**
 * The pool of the guide: at least one reader for each of three workers, at most ten, 5 s to wait
 * for one. What takes longer than 100 ms goes to the channel `springhouse:slow-query`.
 */
export const SETTINGS = {
  pool: { minSize: 3, maxSize: 10, connectionTimeout: "5s", idleTimeout: "300s" },
  slowQueryThreshold: "100ms",
  // The cache of cards is the only one, so that there is one answer to what is kept.
  cache: false,
} as const;

/** Opens the file, makes it when there is none, and applies what it has not had yet. */
export async function openFlashcards(path: string): Promise<FlashcardDatabase> {
  const db = await openFile(path);
  try {
    await (await migratorOf(db)).up();
    return db;
  } catch (error) {
    await db.close();
    throw error;
  }
}

/** Opens the file as it is: for `migrate`, and for measuring what an index does. */
export function openFile(path: string) {
  return open({ url: `sqlite:${path}`, entities: [Flashcard], schema: "ignore", ...SETTINGS });
}

/**
 * Opens a file that is there.
 *
 * @throws `UNOPENABLE` when it is not, so that a misspelt name does not become a new deck.
 */
export function openExisting(path: string): Promise<FlashcardDatabase> {
  if (existsSync(path)) return openFlashcards(path);
  throw new SpringhouseError(
    "UNOPENABLE",
    `There is no deck ${path}. Make one with "import", or give --db.`,
    { fields: { path } },
  );
}

/** The migrations of the deck. */
export function migratorOf(db: FlashcardDatabase): ReturnType<FlashcardDatabase["migrator"]> {
  return db.migrator({ directory: MIGRATIONS });
}

const INSERT = `INSERT INTO flashcards (word, word_type, difficulty) VALUES (?, ?, ?)
  ON CONFLICT (word) DO NOTHING`;

/** Adds words in one transaction; those that are there stay. Gives how many were new. */
export function addWords(
  db: FlashcardDatabase,
  words: readonly NewFlashcard[],
  signal?: AbortSignal,
): Promise<number> {
  // Texts that look the same are the same word, whatever form of Unicode a list has them in.
  const rows = words.map(({ word, wordType, difficulty }) => [
    word.normalize("NFC"),
    wordType ?? "",
    difficulty ?? 1,
  ]);
  return db.executeMany(INSERT, rows, signal === undefined ? {} : { signal });
}
