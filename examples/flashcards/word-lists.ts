/**
 * The inputs: a dictionary with words in the order of their frequency, a shorter list of words,
 * and how often each word occurs in subtitles. Where one is not there, stand-ins take their place.
 */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { SpringhouseError } from "springhouse";
import { readCsv, readText } from "springhouse/import";
import { generateDictionary, generateFrequencies } from "./generate.ts";
import type { NewFlashcard } from "./schema.ts";

/** What the dictionary knows of a word. Texts that it does not know are empty. */
export interface Entry {
  readonly word: string;
  readonly wordType: string;
  readonly level: number;
  readonly definition: string;
  readonly pronunciation: string;
  readonly example: string;
  readonly exampleTranslation: string;
  readonly hint: string;
}

/** A word and how often it occurs. */
export type Frequency = readonly [word: string, count: number];

const DICTIONARY = "10K_HSK_List.csv";
const VOCABULARY = "vocabulary_1000.csv";
const FREQUENCIES = "ko_50k_2018.txt";

/** Whether all lists are there; otherwise all of them are stand-ins, which fit each other. */
export function hasLists(folder: string): boolean {
  return [DICTIONARY, VOCABULARY, FREQUENCIES].every((name) => existsSync(join(folder, name)));
}

/** Where the words are from, for people. */
export function sourceOf(folder: string): string {
  return hasLists(folder) ? folder : `generated words, since ${folder} has no lists`;
}

/** The dictionary: 10,000 words, the most frequent first. */
export async function readDictionary(folder: string): Promise<readonly Entry[]> {
  if (!hasLists(folder)) return generateDictionary();
  const entries: Entry[] = [];
  for await (const { line, field } of recordsOf(join(folder, DICTIONARY))) {
    entries.push({
      word: field("Hangul"),
      wordType: field("Word_Type"),
      level: levelOf(field("TOPIK_Level"), DICTIONARY, line),
      definition: field("Definition"),
      pronunciation: field("IPA_Pronunciation"),
      example: field("Example_Sentence"),
      exampleTranslation: field("Example_Sentence_Translation"),
      hint: field("Usage_Hint"),
    });
  }
  return entries;
}

/** The words to make cards of: the list of 1,000, or all of the dictionary. */
export async function readWords(folder: string, list: "1000" | "10000"): Promise<NewFlashcard[]> {
  if (list === "10000" || !hasLists(folder)) {
    const words = (await readDictionary(folder)).map(({ word, wordType, level }) => {
      return { word, wordType, difficulty: level };
    });
    return words.slice(0, Number(list));
  }
  const words: NewFlashcard[] = [];
  for await (const { field } of recordsOf(join(folder, VOCABULARY))) {
    // How hard a word is will be told by the first stage.
    words.push({ word: field("term"), wordType: field("type"), difficulty: 1 });
  }
  return words;
}

/** How often words occur, the most frequent first. */
export async function readFrequencies(folder: string): Promise<readonly Frequency[]> {
  if (!hasLists(folder)) return generateFrequencies();
  let text = "";
  for await (const chunk of readText(join(folder, FREQUENCIES))) text += chunk;
  return text
    .trimEnd()
    .split("\n")
    .map((row, index): Frequency => {
      const [word = "", count = ""] = row.split(" ");
      if (word === "" || !/^\d+$/.test(count)) {
        throw wrongLine(FREQUENCIES, index + 1, `"${row}" is no word and a number`);
      }
      return [word.normalize("NFC"), Number(count)];
    });
}

interface ListRecord {
  readonly line: number;
  readonly field: (name: string) => string;
}

/** The records of a CSV file by the names of its first line. */
async function* recordsOf(path: string): AsyncGenerator<ListRecord> {
  let names: readonly string[] | undefined;
  for await (const { line, fields, problem } of readCsv(readText(path))) {
    if (names === undefined) {
      names = fields;
      continue;
    }
    const head = names;
    if (problem !== undefined) throw wrongLine(path, line, problem);
    const field = (name: string): string => {
      const text = fields[head.indexOf(name)];
      if (text === undefined) throw wrongLine(path, line, `it has no field "${name}"`);
      return text.normalize("NFC");
    };
    yield { line, field };
  }
}

function levelOf(text: string, path: string, line: number): number {
  if (/^[1-6]$/.test(text)) return Number(text);
  throw wrongLine(path, line, `"${text}" is no level from 1 to 6`);
}

function wrongLine(path: string, line: number, what: string): SpringhouseError {
  const message = `${path}, line ${line}: ${what}. Mend the line, or take the list away.`;
  return new SpringhouseError("VALIDATION", message, { fields: { path, line } });
}
