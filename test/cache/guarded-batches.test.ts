/** Reads of more keys than a tier is asked for at once. */

import { describe, expect, it } from "vitest";
import type { CacheOptions } from "../../src/cache/options.ts";
import { errorOf, type Opened, openTiered, THROWS, WORKS } from "./support.ts";

/** What the guard of the tier below says. */
function guardOf({ cache }: Opened): Record<string, unknown> {
  const report = cache.cacheStatistics().tiers.find(({ name }) => name === "below");
  return { ...report?.guard };
}

describe("a read of many keys", () => {
  const keys = Array.from({ length: 1_700 }, (_, index) => `k${index}`);

  /** A tier below that takes a millisecond for each key. @returns the keys of each call. */
  function slowReads({ stored, clock }: Opened): number[] {
    const calls: number[] = [];
    const getMany = stored.getMany.bind(stored);
    stored.getMany = (some, options) => {
      calls.push(some.length);
      clock.advance(some.length);
      return getMany(some, options);
    };
    return calls;
  }

  async function openSlow(options: CacheOptions = {}): Promise<[Opened, number[]]> {
    const opened = openTiered(options);
    await opened.cache.setMany(keys.map((key) => [key, key]));
    await opened.memory.clear();
    return [opened, slowReads(opened)];
  }

  it("has the timeout of a tier for each part of it, and not for all of it", async () => {
    const [opened, calls] = await openSlow();

    expect(await opened.cache.getMany(keys)).toEqual(keys);

    expect(calls).toEqual([500, 500, 500, 200]);
    expect(guardOf(opened)).toMatchObject({ errors: 0, timeouts: 0 });
  });

  it("is one call where there are few enough of them", async () => {
    const [{ cache }, calls] = await openSlow();

    await cache.getMany(keys.slice(0, 500));

    expect(calls).toEqual([500]);
  });

  it("misses only those keys that the tier has failed for", async () => {
    const [opened, calls] = await openSlow();
    const { stored, cache, clock } = opened;
    const { getMany } = stored;
    stored.getMany = (some, options) => {
      if (calls.length === 1) clock.advance(1_000);
      return getMany(some, options);
    };

    const values = await cache.getMany(keys);

    const missed = keys.filter((_, index) => values[index] === undefined);
    expect(missed).toEqual(keys.slice(500, 1_000));
    expect(guardOf(opened)).toMatchObject({ errors: 1, timeouts: 1, circuit: "closed" });
  });

  it("tries by one part of it whether the tier is back, and then has the rest", async () => {
    const [{ cache, lower, clock }, calls] = await openSlow({ tierFailures: 1 });
    lower.fault = THROWS;
    await cache.get("other");
    lower.fault = WORKS;
    clock.advance(5_000);

    expect(await cache.getMany(keys)).toEqual(keys);
    expect(calls).toHaveLength(4);
  });

  it("fails as a whole in strict mode, and asks no further", async () => {
    const [{ cache, lower }, calls] = await openSlow({ strict: true });
    lower.fault = THROWS;

    expect((await errorOf(cache.getMany(keys))).message).toBe("the tier is broken");
    expect(lower.calls["getMany"]).toBe(1);
    expect(calls).toEqual([]);
  });
});
