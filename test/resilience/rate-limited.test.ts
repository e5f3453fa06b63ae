import { RateLimiterMemory } from "rate-limiter-flexible";
import { describe, expect, it } from "vitest";
import { createCache } from "../../src/cache/cache.ts";
import { type RateLimitedCategory, rateLimited } from "../../src/resilience/rate-limited.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { memoryTier } from "../../src/tier/memory/memory-tier.ts";

function cacheWithClock() {
  const clock = new FakeClock();
  return { clock, cache: createCache({ tiers: [memoryTier({ clock })], clock }) };
}

describe("a rate-limited call", () => {
  it("asks the cache first, so that what is there costs nothing", async () => {
    const cache = createCache();
    const call = rateLimited(cache, new RateLimiterMemory({ points: 1, duration: 60 }));
    let calls = 0;
    const run = async () => ++calls;

    const answers = [await call("users/me", 42, run), await call("users/me", 42, run)];

    expect([...answers, calls]).toEqual([1, 1, 1]);
    expect(await cache.get("api:users/me:42")).toBe(1);
  });

  it("refuses the one too many and says how long to wait", async () => {
    const call = rateLimited(createCache(), { points: 1, per: "1m" });
    await call("a", "kim", () => 1);
    let called = false;

    const refused = call("b", "kim", () => {
      called = true;
    });

    const error = await refused.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "RATE_LIMITED", fields: { endpoint: "b", user: "kim" } });
    const { retryAfterMs } = (error as { fields: { retryAfterMs: number } }).fields;
    expect(retryAfterMs).toBeGreaterThan(50_000);
    expect(retryAfterMs).toBeLessThanOrEqual(60_000);
    expect(called).toBe(false);
    expect(await call("b", "lee", () => 2)).toBe(2);
  });

  it("costs one call for all who ask for the same at a time", async () => {
    const call = rateLimited(createCache(), { points: 1, per: "1m" });

    const answers = await Promise.all([1, 2, 3].map((n) => call("a", 1, async () => n)));

    expect(answers).toEqual([1, 1, 1]);
  });

  it("keeps an answer for 300 s, or as long as it is told", async () => {
    const { clock, cache } = cacheWithClock();
    const limit = { points: 100, per: "1m" };
    const usual = rateLimited(cache, limit);
    const short = rateLimited(cache, limit, { ttl: "1s" });
    let calls = 0;
    const run = async () => ++calls;
    await usual("usual", 1, run);
    await short("short", 1, run);

    clock.advance(299_000);
    const after = [await usual("usual", 1, run), await short("short", 1, run)];
    clock.advance(1_001);

    expect(after).toEqual([1, 3]);
    expect(await usual("usual", 1, run)).toBe(4);
  });

  it.each([[0], [""], [false], [null]])("keeps %j, which is an answer", async (value) => {
    const call = rateLimited(createCache(), { points: 1, per: "1m" });

    const answers = [await call("a", 1, () => value), await call("a", 1, () => value)];

    expect(answers).toEqual([value, value]);
  });

  it("never takes the key of one user for another's", async () => {
    const call = rateLimited(createCache(), { points: 10, per: "1m" });
    await call("a", "b:c", () => "b:c of a");

    const other = await call("a:b", "c", () => "c of a:b");

    expect(other).toBe("c of a:b");
  });

  it("serves the last answer to who is refused, in a category that keeps it", async () => {
    const { clock, cache } = cacheWithClock();
    const category: RateLimitedCategory = {
      getOrSet: (key, load, options) => cache.getOrSet(key, load, { ...options, keepStale: "1h" }),
    };
    const call = rateLimited(category, { points: 1, per: "1h" }, { ttl: "1s" });
    await call("a", 1, () => "first");
    clock.advance(1_001);

    expect(await call("a", 1, () => "second")).toBe("first");
  });

  it("throws the failure of a call, and of a limiter, as it is", async () => {
    const failing = { consume: () => Promise.reject(new Error("redis is away")) };
    const fine = rateLimited(createCache(), { points: 9, per: "1m" });

    await expect(rateLimited(createCache(), failing)("a", 1, () => 1)).rejects.toThrow("redis is");
    await expect(fine("a", 1, () => Promise.reject(new Error("down")))).rejects.toThrow("down");
    expect(await fine("a", 1, () => "up")).toBe("up");
  });

  it("is given up by its signal", async () => {
    const call = rateLimited(createCache(), { points: 9, per: "1m" });
    const given = new AbortController();
    let heard: AbortSignal | undefined;
    const answer = call(
      "a",
      1,
      ({ signal }) => {
        heard = signal;
        return new Promise<never>(() => undefined);
      },
      { signal: given.signal },
    );
    while (heard === undefined) await new Promise((resolve) => setImmediate(resolve));

    given.abort();

    await expect(answer).rejects.toMatchObject({ code: "ABORTED" });
    expect(heard.aborted).toBe(true);
  });

  it.each([
    [{ points: 0, per: "1m" }, {}, "0 calls per 1m"],
    [{ points: 1, per: 0 }, {}, "1 calls per 0"],
    [{ points: 1, every: "1m" }, {}, 'unknown option "every"'],
    [undefined, {}, "takes an object of options, not undefined: points, per."],
    [{ points: 1, per: "1m" }, { tll: 1 }, 'Did you mean "ttl"?'],
  ])("is refused with %j and %j", (limit, options, message) => {
    expect(() => rateLimited(createCache(), limit as never, options as never)).toThrow(message);
  });
});
