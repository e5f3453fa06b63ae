/**
 * The run before: what the guide sets out from. One word after the other, one connection, one
 * commit a card, no cache and nothing against failures. The answers are the same, so the cards are.
 */

import { DatabaseSync } from "node:sqlite";
import { Dictionary, UnknownWord } from "./dictionary.ts";
import type { NewFlashcard } from "./schema.ts";

const TABLE = `CREATE TABLE flashcards (id INTEGER PRIMARY KEY, word TEXT, word_type TEXT,
  difficulty INTEGER, translation TEXT, pronunciation TEXT, example TEXT, example_translation TEXT,
  hint TEXT, problem TEXT)`;
const INSERT = `INSERT INTO flashcards (word, word_type, difficulty, translation, pronunciation,
  example, example_translation, hint) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`;

/** Makes the cards in a new file; gives the seconds that it took. */
export async function runNaively(
  path: string,
  url: string,
  words: readonly NewFlashcard[],
  signal: AbortSignal,
  onProgress?: (done: number, total: number) => void,
): Promise<number> {
  const startMs = performance.now();
  const dictionary = new Dictionary(url);
  const database = new DatabaseSync(path);
  try {
    database.exec(TABLE);
    for (const [index, { word, wordType = "" }] of words.entries()) {
      try {
        const { translation, pronunciation, difficulty } = await dictionary.analysis(word, signal);
        const { example, exampleTranslation, hint } = await dictionary.illustration(word, signal);
        const answers = [translation, pronunciation, example, exampleTranslation, hint];
        database.prepare(INSERT).run(word, wordType, difficulty, ...answers);
      } catch (error) {
        if (!(error instanceof UnknownWord)) throw error;
        const problem = "INSERT INTO flashcards (word, word_type, problem) VALUES (?, ?, ?)";
        database.prepare(problem).run(word, wordType, error.message);
      }
      onProgress?.(index + 1, words.length);
    }
  } finally {
    database.close();
  }
  return (performance.now() - startMs) / 1_000;
}

/** Words whose cards are not the same in both files, in their order. */
export function differences(naivePath: string, path: string): string[] {
  const naive = new DatabaseSync(naivePath, { readOnly: true });
  try {
    naive.prepare("ATTACH ? AS other").run(path);
    const columns = `word, word_type, translation, pronunciation, example, example_translation,
      hint, problem`;
    const rows = naive
      .prepare(
        `SELECT word FROM (SELECT ${columns} FROM main.flashcards
           EXCEPT SELECT ${columns} FROM other.flashcards) ORDER BY word`,
      )
      .all();
    return rows.map(({ word }) => String(word));
  } finally {
    naive.close();
  }
}
