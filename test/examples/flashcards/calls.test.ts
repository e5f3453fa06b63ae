import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Calls } from "../../../examples/flashcards/calls.ts";
import { openDeckCache } from "../../../examples/flashcards/deck-cache.ts";
import { measureOutage } from "../../../examples/flashcards/outage.ts";
import { DictionaryServer } from "../../../examples/flashcards/server.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import { temporaryFolder } from "../auditor-database.ts";
import { withScene } from "./scene.ts";

const { signal } = new AbortController();

describe("calls of the dictionary", () => {
  it("are answered by what was kept, marked as stale, while the server fails", async () => {
    await withScene({ words: 12 }, async ({ cache, entries, openCalls, server }) => {
      using calls = await openCalls({ pauseMs: 60_000 });
      const words = entries.map(({ word }) => word);
      for (const word of words) await calls.analysis(word, signal);
      server.fail("error", Number.MAX_SAFE_INTEGER);

      const report = await measureOutage(calls, cache, words, signal);

      expect(report).toMatchObject({ asked: 12, stale: 12, failed: 0, state: "open" });
      // Five failures in a row open the circuit; from then on the server is left alone.
      expect(report.attempts).toBe(5);
      expect(server.statistics()).toMatchObject({ requests: 17, failed: 5 });
      const { value, stale, error } = await calls.analysis(words[3] ?? "", signal);
      expect(value).toMatchObject({ translation: "meaning 4" });
      expect([stale, error]).toMatchObject([true, { code: "CIRCUIT_OPEN" }]);
    });
  });

  it("fail with what happened when nothing was kept", async () => {
    await withScene({ words: 3 }, async ({ entries, openCalls, server }) => {
      using calls = await openCalls({ patienceMs: 0 });
      server.fail("error", Number.MAX_SAFE_INTEGER);

      const asked = calls.analysis(entries[0]?.word ?? "", signal);

      await expect(asked).rejects.toThrow("The server answered 503");
    });
  });

  it("ask for a word once within five minutes", async () => {
    await withScene({ words: 3 }, async ({ entries, openCalls, server }) => {
      using calls = await openCalls();
      const word = entries[0]?.word ?? "";

      await Promise.all([calls.analysis(word, signal), calls.analysis(word, signal)]);
      await calls.analysis(word.normalize("NFD"), signal);

      expect(server.statistics().requests).toBe(1);
    });
  });

  it("keep to what the server allows, so that it refuses none", async () => {
    await withScene({ words: 60, requestsPerSecond: 200 }, async ({ run, server }) => {
      const { stage1, stage2 } = await run();

      expect([stage1.saved, stage2.saved]).toEqual([60, 60]);
      expect(server.statistics()).toMatchObject({ requests: 120, limited: 0 });
    });
  });

  it("know what the server allows before it has expired, and also when it is away", async () => {
    using folder = temporaryFolder();
    const clock = new FakeClock();
    const options = { entries: [], latencyMs: 0 };
    await using cache = openDeckCache(join(folder.path, "cache.db"), { clock });
    const config = cache.category<{ requestsPerSecond: number }>("config");
    const first = await DictionaryServer.start({ ...options, requestsPerSecond: 10 });
    const port = Number(new URL(first.url).port);
    using _ = await Calls.open(cache, { url: first.url });
    expect(config.peek("dictionary")).toEqual({ requestsPerSecond: 10 });
    await first[Symbol.asyncDispose]();
    const second = await DictionaryServer.start({ ...options, requestsPerSecond: 20, port });

    const beganMs = clock.nowMs();
    const asked = (): number => {
      if (second.statistics().configs === 0) clock.advance(1_000);
      return second.statistics().configs;
    };
    await expect.poll(asked, { interval: 1, timeout: 20_000 }).toBe(1);
    expect(clock.nowMs() - beganMs).toBeLessThanOrEqual(250_000);
    await expect
      .poll(() => config.peek("dictionary"), { timeout: 20_000 })
      .toEqual({ requestsPerSecond: 20 });
    await second[Symbol.asyncDispose]();
    clock.advance(600_000);
    using again = await Calls.open(cache, { url: second.url });

    expect(again.concurrency).toBe(32);
  });

  it("say what to do when there is no server", async () => {
    using folder = temporaryFolder();
    await using cache = openDeckCache(join(folder.path, "cache.db"));

    await expect(Calls.open(cache, { url: "http://127.0.0.1:1" })).rejects.toMatchObject({
      code: "IO",
      message: expect.stringContaining('Start the server with "serve"'),
    });
    await expect(Calls.open(cache, { url: "nowhere" })).rejects.toMatchObject({
      code: "INVALID_URL",
    });
  });
});
