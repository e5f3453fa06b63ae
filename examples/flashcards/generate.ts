/**
 * Stand-ins for the lists of words: the same for the same seed, as many words, and counts that fall
 * as those of a real language do (Zipf's law), so that a cache meets the same kind of demand.
 */

import { randomNumbers } from "../common/random.ts";
import type { Entry, Frequency } from "./word-lists.ts";

const SEED = 3;
const WORDS = 10_000;
const WORD_TYPES = ["noun", "verb", "adverb", "particle", "adjective", "pronoun"] as const;
/** The first precomposed syllable of Hangul, and how many there are. */
const FIRST_SYLLABLE = 0xac00;
const SYLLABLES = 11_172;
/** Of the first word; the second has about half of it. */
const COUNT_MAX = 40_000;

/** A dictionary of made-up words of one to three syllables. */
export function generateDictionary(words = WORDS): Entry[] {
  const random = randomNumbers(SEED);
  const syllable = (): string =>
    String.fromCharCode(FIRST_SYLLABLE + Math.floor(random() * SYLLABLES));
  const made = new Set<string>();
  while (made.size < words) {
    made.add(Array.from({ length: 1 + Math.floor(random() * 3) }, syllable).join(""));
  }
  return Array.from(made, (word, index) => ({
    word,
    wordType: WORD_TYPES[index % WORD_TYPES.length] ?? "noun",
    level: 1 + Math.floor((index * 6) / words),
    definition: `meaning ${index + 1}`,
    pronunciation: `sound ${index + 1}`,
    example: `${word} 예문 ${index + 1}`,
    exampleTranslation: `sentence ${index + 1}`,
    hint: `how word ${index + 1} is used`,
  }));
}

/** Counts of the same words. */
export function generateFrequencies(words = WORDS): Frequency[] {
  return generateDictionary(words).map(({ word }, index) => [
    word,
    Math.max(1, Math.round(COUNT_MAX / (index + 1))),
  ]);
}
