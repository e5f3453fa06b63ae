import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { describe, expect, it } from "vitest";
import { createCache } from "../../src/cache/cache.ts";
import { withCacheFallback } from "../../src/resilience/fallback.ts";
import { guard } from "../../src/resilience/guard.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { memoryTier } from "../../src/tier/memory/memory-tier.ts";

const down = (): Promise<never> => Promise.reject(new Error("down"));

async function warningsDuring(work: () => Promise<unknown>): Promise<readonly unknown[]> {
  const warnings: unknown[] = [];
  const listen = (warning: unknown): void => void warnings.push(warning);
  subscribe("springhouse:warning", listen);
  await work().finally(() => unsubscribe("springhouse:warning", listen));
  return warnings;
}

describe("a call with a fallback", () => {
  it("gives the new answer and keeps it under its key", async () => {
    const cache = createCache();
    const call = withCacheFallback(cache, guard());

    const answer = await call("seoul", () => "sunny");

    expect(answer).toEqual({ value: "sunny", stale: false, error: undefined });
    expect(await cache.get("fallback:seoul")).toBe("sunny");
  });

  it("gives the last answer, marked, when the call fails and when its circuit is open", async () => {
    const guarded = guard({ name: "weather", circuitBreaker: { failures: 1, pause: "1m" } });
    const call = withCacheFallback(createCache(), guarded);
    await call("seoul", () => "sunny");

    await warningsDuring(async () => {
      const failed = await call("seoul", down);
      const open = await call("seoul", () => "rainy");

      expect(failed).toMatchObject({ value: "sunny", stale: true, error: { message: "down" } });
      expect(open).toMatchObject({ value: "sunny", stale: true, error: { code: "CIRCUIT_OPEN" } });
    });
  });

  it("warns once for each outage", async () => {
    const call = withCacheFallback(createCache(), guard({ name: "weather" }));
    await call("seoul", () => "sunny");

    const warnings = await warningsDuring(async () => {
      await call("seoul", down);
      await call("seoul", down);
      await call("seoul", () => "rainy");
      await call("seoul", down);
    });

    const warning = {
      code: "STALE_FALLBACK",
      message: 'weather fails (down); "seoul" is answered with what was kept.',
      fields: { guard: "weather", key: "seoul" },
    };
    expect(warnings).toEqual([warning, warning]);
  });

  it("throws the failure when nothing was kept", async () => {
    const call = withCacheFallback(createCache(), guard());

    await expect(call("seoul", down)).rejects.toThrow("down");
  });

  it("keeps null as long as any other answer", async () => {
    const cache = createCache({ categories: { fallback: { negativeTtl: "20ms" } } });
    const category = cache.category("fallback");
    const call = withCacheFallback(category, guard(), { keepFor: "1h" });

    await call("seoul", () => null);

    expect(await category.freshForMs("fallback:seoul")).toBeGreaterThan(3_500_000);
  });

  it.each([[0], [""], [false], [null], [[]]])("keeps %j, which is an answer", async (value) => {
    const call = withCacheFallback(createCache(), guard());
    await call("a", () => value);

    await warningsDuring(async () => {
      expect(await call("a", down)).toMatchObject({ value, stale: true });
    });
  });

  it("gives undefined and keeps what was kept before", async () => {
    const call = withCacheFallback(createCache(), guard());
    await call<unknown>("a", () => "known");

    const answer = await call("a", () => undefined);

    expect(answer).toMatchObject({ value: undefined, stale: false });
    await warningsDuring(async () => {
      expect(await call("a", down)).toMatchObject({ value: "known" });
    });
  });

  it("outlives the lives of the cache by far", async () => {
    const clock = new FakeClock();
    const cache = createCache({ tiers: [memoryTier({ clock })], clock });
    const call = withCacheFallback(cache, guard(), { keepFor: "2d" });
    await call("a", () => "known");

    clock.advance(2 * 86_400_000 - 1);
    await warningsDuring(async () => {
      expect(await call("a", down)).toMatchObject({ value: "known", stale: true });
    });
    clock.advance(2);

    await expect(call("a", down)).rejects.toThrow("down");
  });

  it("throws what is an answer, and what its caller gave up", async () => {
    const isFailure = (error: unknown): boolean => !(error instanceof RangeError);
    const call = withCacheFallback(createCache(), guard({ isFailure }));
    await call("a", () => "known");

    const answer = call("a", () => Promise.reject(new RangeError("no such user")));

    await expect(answer).rejects.toThrow("no such user");
    await expect(call("a", down, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: "ABORTED",
    });
  });

  it("does not fail because of the cache", async () => {
    const cache = createCache();
    const call = withCacheFallback(cache, guard());
    await call("a", () => "known");
    await cache.close();

    const warnings = await warningsDuring(async () => {
      expect(await call("a", () => "new")).toMatchObject({ value: "new", stale: false });
      await expect(call("a", down)).rejects.toThrow("down");
    });

    expect(warnings).toEqual([expect.objectContaining({ code: "FALLBACK_NOT_KEPT" })]);
  });

  it("is refused with an option that it does not know", () => {
    const options = { keepfor: "1d" } as never;

    expect(() => withCacheFallback(createCache(), guard(), options)).toThrow("keepFor");
  });
});
