/**
 * The deck as its readers have it: a card by its word, from the cache or else from the database.
 *
 * Readers, warming and every change make their keys in one function, so what is warmed is what is
 * found, and what is changed is what is dropped.
 */

import { SpringhouseError } from "springhouse";
import type { Cache, CategoryCache, Lookup, WarmOptions, WarmResult } from "springhouse/cache";
import type { FlashcardDatabase } from "./database.ts";
import { Flashcard, type FlashcardRow } from "./schema.ts";

/** What a person may change. */
export type FlashcardChange = Partial<
  Pick<FlashcardRow, "translation" | "example" | "exampleTranslation" | "hint">
>;

const PREFIX = "flashcard:";
/** Words in one statement of `warm`. */
const WARM_BATCH = 200;

/** One open deck with its cache. */
export class Deck {
  readonly #db: FlashcardDatabase;
  readonly #cards: CategoryCache<FlashcardRow | null>;

  constructor(db: FlashcardDatabase, cache: Cache) {
    this.#db = db;
    this.#cards = cache.category<FlashcardRow | null>("cards");
  }

  /** The card of a word; null when there is none, which is remembered, too. */
  getFlashcard(word: string): Promise<FlashcardRow | null> {
    return this.#cards.getOrSet(keyOf(word), () => this.#load(word));
  }

  /** The same with where it was found: "memory", "sqlite" or "load". */
  findFlashcard(word: string): Promise<Lookup<FlashcardRow | null>> {
    return this.#cards.resolve(keyOf(word), () => this.#load(word));
  }

  /**
   * Changes a card, and drops what is kept of it: no read that begins afterwards gives the old one.
   *
   * @throws `NOT_FOUND` when there is no card of the word.
   */
  async updateFlashcard(word: string, change: FlashcardChange): Promise<FlashcardRow> {
    const cards = this.#db.repository(Flashcard);
    const [card] = await cards.list({ where: { word: word.normalize("NFC") }, limit: 1 });
    if (card === undefined) {
      const message = `There is no card of ${word}. "import" adds words.`;
      throw new SpringhouseError("NOT_FOUND", message, { fields: { word } });
    }
    const changed = await cards.patch(card.id, change);
    await this.forget([word]);
    return changed;
  }

  /** Drops what is kept of these words; called after each commit that changed them. */
  forget(words: readonly string[]): Promise<void> {
    return this.#cards.dropMany(words.map(keyOf));
  }

  /** Loads the cards of these words before they are asked for, many with one statement. */
  warm(words: readonly string[], options: WarmOptions = {}): Promise<WarmResult> {
    return this.#cards.warm(words.map(keyOf), (keys) => this.#loadMany(keys), {
      batchSize: WARM_BATCH,
      ...options,
    });
  }

  async #load(word: string): Promise<FlashcardRow | null> {
    const where = { word: word.normalize("NFC") };
    const [card] = await this.#db.repository(Flashcard).list({ where, limit: 1 });
    return card ?? null;
  }

  async #loadMany(keys: readonly string[]): Promise<(FlashcardRow | null)[]> {
    const words = keys.map((key) => key.slice(PREFIX.length));
    const where = { word: { in: words } };
    const found = await this.#db.repository(Flashcard).list({ where, limit: words.length });
    const byWord = new Map(found.map((card) => [card.word, card]));
    return words.map((word) => byWord.get(word) ?? null);
  }
}

/** The cache brings keys to one form of Unicode, so all spellings of a word are one key. */
function keyOf(word: string): string {
  return `${PREFIX}${word}`;
}
