import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { differences, runNaively } from "../../../examples/flashcards/naive.ts";
import { withScene } from "./scene.ts";

describe("the run before", () => {
  it("makes the cards that the pipeline makes, refused words included", async () => {
    await withScene({ words: 20, unknown: 3 }, async ({ db, entries, folder, run, server }) => {
      const path = join(folder, "naive.db");
      const { signal } = new AbortController();

      await runNaively(path, server.url, entries, signal);
      await run();

      expect(differences(path, join(folder, "deck.db"))).toEqual([]);
      await db.execute("UPDATE flashcards SET hint = 'other' WHERE id = 7");
      expect(differences(path, join(folder, "deck.db"))).toEqual([entries[6]?.word]);
    });
  });

  it("stops when its signal fires, in the middle of a request, and closes its file", async () => {
    await withScene({ words: 20 }, async ({ entries, folder, server }) => {
      const path = join(folder, "stopped.db");
      const stop = new AbortController();
      const onProgress = (done: number): void => {
        if (done === 5) setImmediate(() => stop.abort());
      };

      const stopped = runNaively(path, server.url, entries, stop.signal, onProgress);

      await expect(stopped).rejects.toMatchObject({ name: "AbortError" });
      using database = new DatabaseSync(path);
      const row = database.prepare("SELECT count(*) AS n FROM flashcards").get();
      expect(Number(row?.["n"])).toBeLessThan(20);
    });
  });
});
