/**
 * The deck: one table, under the names of the guide's own indexes.
 *
 * A card goes through two stages. The first asks for what a word means, the second for a sentence
 * that shows it; each sets its flag in the same statement that keeps its answer, so a flag never
 * says more than the row has. A word that the dictionary refuses is processed with a `problem`.
 */

import { entity, type InsertOf, type RowOf, t } from "springhouse";

/** A word, and what the stages have found out about it. */
export const Flashcard = entity(
  "flashcards",
  {
    id: t.int().primaryKey(),
    word: t.text({ minLength: 1, maxLength: 100 }),
    wordType: t.text().default(""),
    difficulty: t.int({ min: 1, max: 6 }).default(1),
    translation: t.text().nullable(),
    pronunciation: t.text().nullable(),
    example: t.text().nullable(),
    exampleTranslation: t.text().nullable(),
    hint: t.text().nullable(),
    problem: t.text().nullable(),
    stage1Processed: t.boolean().default(false),
    isProcessed: t.boolean().default(false),
    createdAt: t.timestamp().defaultNow(),
  },
  {
    indexes: [
      // Unique, so that a list of words may be imported again.
      { on: ["word"], unique: true, name: "idx_flashcards_word" },
      { on: ["difficulty"], name: "idx_flashcards_difficulty" },
      { on: ["isProcessed", "createdAt"], name: "idx_flashcards_processed_created" },
      {
        on: ["stage1Processed", "createdAt"],
        where: "stage1_processed = 0",
        name: "idx_flashcards_stage1_processed",
      },
    ],
  },
);

/** A card as it is stored. */
export type FlashcardRow = RowOf<typeof Flashcard>;
/** What makes a card. */
export type NewFlashcard = Pick<InsertOf<typeof Flashcard>, "word" | "wordType" | "difficulty">;
