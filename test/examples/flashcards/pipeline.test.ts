import { describe, expect, it } from "vitest";
import { Flashcard } from "../../../examples/flashcards/schema.ts";
import { DictionaryServer } from "../../../examples/flashcards/server.ts";
import { finished, withScene } from "./scene.ts";

describe("the pipeline", () => {
  it("makes every card of what the dictionary says, many with one commit", async () => {
    await withScene({ words: 120 }, async ({ db, entries, run, server }) => {
      const { stage1, stage2 } = await run();

      expect(stage1).toMatchObject({ saved: 120, stale: 0, unknown: 0, left: 0, reason: null });
      expect(stage2).toMatchObject({ saved: 120, stale: 0, unknown: 0, left: 0, reason: null });
      expect(stage1.commits).toBeLessThan(60);
      expect(server.statistics()).toMatchObject({ requests: 240, answered: 240 });
      const cards = await db.repository(Flashcard).list({ limit: 1_000, orderBy: { id: "asc" } });
      expect(cards).toMatchObject(
        entries.map((entry) => ({
          word: entry.word,
          wordType: entry.wordType,
          difficulty: entry.level,
          translation: entry.definition,
          pronunciation: entry.pronunciation,
          example: entry.example,
          exampleTranslation: entry.exampleTranslation,
          hint: entry.hint,
          problem: null,
          stage1Processed: true,
          isProcessed: true,
        })),
      );
    });
  });

  it("takes as many words as it is told to, and goes on with the rest", async () => {
    await withScene({ words: 30 }, async ({ db, run, server }) => {
      await run({ limit: 12 });
      expect(await finished(db)).toBe(12);

      const { stage1, stage2 } = await run();

      expect([stage1.saved, stage2.saved]).toEqual([18, 18]);
      expect(server.statistics().requests).toBe(60);
      expect(await run()).toMatchObject({ stage1: { saved: 0 }, stage2: { saved: 0 } });
      expect(server.statistics().requests).toBe(60);
    });
  });

  it("notes a word that the dictionary does not have, and does not ask for it again", async () => {
    await withScene({ words: 30, unknown: 8 }, async ({ db, deck, entries, run, server }) => {
      const { stage1, stage2 } = await run();

      expect(stage1).toMatchObject({ saved: 22, unknown: 8, left: 0 });
      expect(stage2).toMatchObject({ saved: 22, unknown: 0 });
      const card = await deck.getFlashcard(entries[0]?.word ?? "");
      expect(card).toMatchObject({ isProcessed: true, problem: expect.stringContaining("404") });
      expect(await finished(db)).toBe(30);
      const { requests } = server.statistics();
      await run();
      expect(server.statistics().requests).toBe(requests);
    });
  });

  it("drops what readers have kept of a card that it makes", async () => {
    await withScene({ words: 5 }, async ({ deck, entries, run }) => {
      const word = entries[2]?.word ?? "";
      expect(await deck.getFlashcard(word)).toMatchObject({ isProcessed: false });

      await run();

      expect(await deck.getFlashcard(word)).toMatchObject({ isProcessed: true });
    });
  });

  it("asks again when the server answers with 503", async () => {
    await withScene({ words: 20 }, async ({ run, server }) => {
      server.fail("error", 3);

      const { stage1, stage2 } = await run();

      expect([stage1.saved, stage2.saved]).toEqual([20, 20]);
      expect(server.statistics()).toMatchObject({ requests: 43, failed: 3 });
    });
  });

  it("comes again when the server says how long to wait", async () => {
    await withScene({ words: 10 }, async ({ run, server }) => {
      server.fail("limit", 4);

      const { stage1, stage2 } = await run();

      expect([stage1.saved, stage2.saved]).toEqual([10, 10]);
      expect(server.statistics()).toMatchObject({ requests: 24, failed: 4 });
    });
  });

  it("gives up a request that is never answered, and asks again", async () => {
    await withScene({ words: 10 }, async ({ run, server }) => {
      server.fail("hang", 2);

      const { stage1 } = await run({ timeoutMs: 100 });

      expect(stage1).toMatchObject({ saved: 10, left: 0 });
    });
  });

  it("leaves a word that keeps failing for the next run", async () => {
    await withScene({ words: 10 }, async ({ db, run, server }) => {
      server.fail("error", 3);

      // One at a time: the three attempts of the first word all fail.
      const { stage1, stage2 } = await run({ concurrency: 1 });

      expect(stage1).toMatchObject({ saved: 9, left: 1, reason: expect.stringContaining("503") });
      expect(stage2).toMatchObject({ saved: 9 });
      expect(await finished(db)).toBe(9);
      await run();
      expect(await finished(db)).toBe(10);
    });
  });

  it("goes on when a server that went away in the middle comes back", async () => {
    await withScene({ words: 60 }, async ({ db, entries, run, server }) => {
      const port = Number(new URL(server.url).port);
      let second: Promise<DictionaryServer> | undefined;
      const onProgress = (_: string, done: number): void => {
        if (done < 30 || second !== undefined) return;
        second = server[Symbol.asyncDispose]().then(() => {
          const options = { entries, latencyMs: 0, requestsPerSecond: 100_000, port };
          return DictionaryServer.start(options);
        });
      };

      const { stage1, stage2 } = await run({ concurrency: 4, onProgress });

      expect(stage1.saved + stage1.left).toBe(60);
      expect(stage2.saved + stage2.left).toBe(stage1.saved);
      await run();
      expect(await finished(db)).toBe(60);
      await (await second)?.[Symbol.asyncDispose]();
    });
  });

  it("ends with what to do when the server stays away, and loses nothing", async () => {
    await withScene({ words: 60 }, async ({ db, run, server }) => {
      const onProgress = (stage: string, done: number): void => {
        if (stage === "stage2" && done === 20) server.fail("error", Number.MAX_SAFE_INTEGER);
      };

      const ended = run({ concurrency: 4, patienceMs: 0, onProgress });

      await expect(ended).rejects.toMatchObject({
        code: "CIRCUIT_OPEN",
        message: expect.stringContaining("stage2"),
      });
      const before = await finished(db);
      expect(before).toBeGreaterThanOrEqual(20);
      server.fail("error", 0);
      const { stage1, stage2 } = await run();
      expect(stage1.saved).toBe(0);
      expect(stage2.saved).toBe(60 - before);
    });
  });

  it("stops when its signal fires", async () => {
    await withScene({ words: 60 }, async ({ db, run }) => {
      const stop = new AbortController();
      const onProgress = (_: string, done: number): void => {
        if (done === 10) stop.abort();
      };

      const stopped = run({ concurrency: 2, signal: stop.signal, onProgress });

      await expect(stopped).rejects.toSatisfy(() => stop.signal.aborted);
      await run();
      expect(await finished(db)).toBe(60);
    });
  });
});
