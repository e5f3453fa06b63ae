import { describe, expect, it } from "vitest";
import { withScene } from "./scene.ts";

describe("the deck", () => {
  it("gives a card from the database once, and then from memory", async () => {
    await withScene({ words: 3 }, async ({ deck, entries }) => {
      const word = entries[1]?.word ?? "";

      const first = await deck.findFlashcard(word);
      const second = await deck.findFlashcard(word);

      expect(first).toMatchObject({ source: "load", value: { word } });
      expect(second).toMatchObject({ source: "memory", value: first.value });
      expect(await deck.getFlashcard(word)).toEqual(first.value);
    });
  });

  it("keeps a card for an hour, under the guide's key", async () => {
    await withScene({ words: 3 }, async ({ cache, deck, entries }) => {
      const word = entries[0]?.word ?? "";

      await deck.getFlashcard(word);

      const cards = cache.category("cards");
      expect(await Array.fromAsync(cards.keys())).toEqual([[`flashcard:${word}`]]);
      const freshForMs = await cards.freshForMs(`flashcard:${word}`);
      expect(freshForMs).toBeGreaterThan(3_500_000);
      expect(freshForMs).toBeLessThanOrEqual(3_600_000);
    });
  });

  it("remembers that there is no card of a word, until there is one", async () => {
    await withScene({ words: 1 }, async ({ cache, db, deck }) => {
      expect(await deck.getFlashcard("없는말")).toBeNull();
      expect(await deck.findFlashcard("없는말")).toMatchObject({ source: "memory", value: null });

      await db.execute("INSERT INTO flashcards (word) VALUES ('없는말')");
      await deck.forget(["없는말"]);

      expect(await deck.getFlashcard("없는말")).toMatchObject({ word: "없는말" });
      expect(cache.category("cards").statistics().hits).toBe(1);
    });
  });

  it("finds a word in every form of Unicode", async () => {
    await withScene({ words: 3 }, async ({ cache, deck, entries }) => {
      const word = entries[0]?.word ?? "";
      expect(word.normalize("NFD")).not.toBe(word);

      const loaded = await deck.findFlashcard(word.normalize("NFD"));
      const found = await deck.findFlashcard(word);

      expect([loaded.source, found.source]).toEqual(["load", "memory"]);
      expect(cache.category("cards").statistics().memoryEntries).toBe(1);
    });
  });

  it("shows a change to all who read afterwards, those with a read under way included", async () => {
    await withScene({ words: 3 }, async ({ deck, entries }) => {
      const word = entries[0]?.word ?? "";
      await deck.getFlashcard(word);

      const changed = await deck.updateFlashcard(word.normalize("NFD"), { translation: "new" });

      expect(changed).toMatchObject({ translation: "new" });
      expect(await deck.getFlashcard(word)).toMatchObject({ translation: "new" });
      const reading = deck.getFlashcard(entries[1]?.word ?? "");
      await deck.updateFlashcard(entries[1]?.word ?? "", { hint: "late" });
      await reading;
      expect(await deck.getFlashcard(entries[1]?.word ?? "")).toMatchObject({ hint: "late" });
    });
  });

  it("refuses to change a card that is not there", async () => {
    await withScene({ words: 1 }, async ({ deck }) => {
      await expect(deck.updateFlashcard("없는말", { hint: "x" })).rejects.toMatchObject({
        code: "NOT_FOUND",
      });
    });
  });

  it("warms words so that their readers find them, with one statement for many", async () => {
    await withScene({ words: 300 }, async ({ cache, db, deck, entries }) => {
      const words = entries.map(({ word }) => word);
      const before = db.queryStatistics().total;

      const { keys, failures } = await deck.warm([...words, "없는말"]);

      expect([keys, failures]).toEqual([301, []]);
      expect(db.queryStatistics().total - before).toBe(2);
      cache.resetStatistics();
      for (const word of ["없는말", ...words]) await deck.getFlashcard(word);
      expect(cache.category("cards").statistics()).toMatchObject({ hits: 301, misses: 0 });
    });
  });
});
