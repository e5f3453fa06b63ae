import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { drawer } from "../../../examples/flashcards/demand.ts";
import { generateDictionary, generateFrequencies } from "../../../examples/flashcards/generate.ts";
import {
  hasLists,
  readDictionary,
  readFrequencies,
  readWords,
  sourceOf,
} from "../../../examples/flashcards/word-lists.ts";
import { temporaryFolder } from "../auditor-database.ts";

const SHARED = join(import.meta.dirname, "../../../../shared/data/korean");
const HEAD =
  "Position,Hangul,IPA_Pronunciation,Word_Type,TOPIK_Level,Definition,Example_Sentence," +
  "Example_Sentence_Translation,Usage_Hint\n";
const LINE = '1,그,kɯ,pronoun,1,that,"그, 저",that one,"used ""before"" nouns"\n';

/** Lists of a few words. */
function lists(folder: string, dictionary: string, frequencies = "그 12\n말 3\n"): string {
  const path = join(folder, "lists");
  mkdirSync(path);
  writeFileSync(join(path, "10K_HSK_List.csv"), dictionary);
  writeFileSync(join(path, "vocabulary_1000.csv"), "position,term,type\n1,그,pronoun\n");
  writeFileSync(join(path, "ko_50k_2018.txt"), frequencies);
  return path;
}

describe("the lists of words", () => {
  it("are read with their quotes, in one form of Unicode", async () => {
    using folder = temporaryFolder();
    const path = lists(folder.path, HEAD + LINE.normalize("NFD"));

    expect(await readDictionary(path)).toEqual([
      {
        word: "그",
        wordType: "pronoun",
        level: 1,
        definition: "that",
        pronunciation: "kɯ",
        example: "그, 저",
        exampleTranslation: "that one",
        hint: 'used "before" nouns',
      },
    ]);
    expect(await readWords(path, "1000")).toEqual([
      { word: "그", wordType: "pronoun", difficulty: 1 },
    ]);
    expect(await readFrequencies(path)).toEqual([
      ["그", 12],
      ["말", 3],
    ]);
  });

  it.each([
    ["a level that is none", HEAD + LINE.replace(",1,that", ",seven,that"), 2, "seven"],
    ["a line that is too short", `${HEAD}${LINE}2,말\n`, 3, "Word_Type"],
    ["a quote at the wrong place", HEAD + LINE.replace("that one", 'that "one"'), 2, "quote"],
  ])("are refused with the line of %s", async (_, dictionary, line, what) => {
    using folder = temporaryFolder();
    const path = lists(folder.path, dictionary);

    await expect(readDictionary(path)).rejects.toMatchObject({
      code: "VALIDATION",
      message: expect.stringContaining(what),
      fields: { line },
    });
  });

  it("are refused with the line of a count that is none", async () => {
    using folder = temporaryFolder();
    const path = lists(folder.path, HEAD + LINE, "그 12\n말 many\n");

    await expect(readFrequencies(path)).rejects.toMatchObject({ fields: { line: 2 } });
  });

  it("have stand-ins, always the same, where one is missing", async () => {
    using folder = temporaryFolder();

    const words = await readWords(folder.path, "10000");
    const frequencies = await readFrequencies(folder.path);

    expect(sourceOf(folder.path)).toContain("generated words");
    expect(words).toHaveLength(10_000);
    expect(new Set(words.map(({ word }) => word)).size).toBe(10_000);
    expect(await readWords(folder.path, "1000")).toEqual(words.slice(0, 1_000));
    expect(generateDictionary()).toEqual(await readDictionary(folder.path));
    expect(frequencies.map(([word]) => word)).toEqual(words.map(({ word }) => word));
    expect(frequencies[1]?.[1]).toBe((frequencies[0]?.[1] ?? 0) / 2);
  });

  const isRequired = process.env["CI"] === "true";
  it.skipIf(!existsSync(SHARED) && !isRequired)(
    "are read whole when they are there (skipped when ../shared/data is not there)",
    async () => {
      expect(hasLists(SHARED)).toBe(true);

      const dictionary = await readDictionary(SHARED);
      const words = await readWords(SHARED, "1000");
      const frequencies = await readFrequencies(SHARED);

      expect([dictionary.length, words.length, frequencies.length]).toEqual([
        10_000, 1_000, 50_000,
      ]);
      expect(dictionary.filter(({ definition }) => definition === "")).toHaveLength(6);
      expect(dictionary.slice(0, 1_000).map(({ word }) => word)).toEqual(
        words.map(({ word }) => word),
      );
      expect(frequencies[0]).toEqual(["내가", 39_801]);
    },
  );
});

describe("readers by frequency", () => {
  it("ask for words as often as they are said, and always for the same", () => {
    const frequencies = [
      ["often", 90],
      ["seldom", 10],
      ["never", 0],
    ] as const;
    const [draw, again] = [drawer(frequencies), drawer(frequencies)];

    const words = Array.from({ length: 1_000 }, draw);

    expect(Array.from({ length: 1_000 }, again)).toEqual(words);
    const often = words.filter((word) => word === "often").length;
    expect(often).toBeGreaterThan(860);
    expect(often).toBeLessThan(940);
    expect(words).not.toContain("never");
  });

  it("have counts to go by", () => {
    const counts = generateFrequencies(100).map(([, count]) => count);

    expect(counts).toEqual(counts.toSorted((a, b) => b - a));
  });
});
