import { describe, expect, expectTypeOf, it } from "vitest";
import { cacheManager } from "../../src/cache/adapters/cache-manager.ts";
import { keyvStore } from "../../src/cache/adapters/keyv.ts";
import type { Cache } from "../../src/cache/cache.ts";
import { cached } from "../../src/cache/cached.ts";
import type { CategoryCache } from "../../src/cache/category.ts";
import type { Lookup } from "../../src/cache/lookup.ts";
import { withCacheFallback } from "../../src/resilience/fallback.ts";
import { guard } from "../../src/resilience/guard.ts";
import { rateLimited } from "../../src/resilience/rate-limited.ts";

interface Week {
  readonly id: number;
  readonly label?: string;
}
declare function loadWeek(id: number, signal?: AbortSignal): Promise<Week>;

describe("the types of a read with a load", () => {
  it("are those of what the load makes, where nothing is said of the category", () => {
    const check = async (cache: Cache): Promise<void> => {
      const week = cache.getOrSet(["week", 7], ({ signal }) => loadWeek(7, signal), { tags: [] });
      expectTypeOf(await week).toEqualTypeOf<Week>();
      expectTypeOf(await cache.getOrSet("a", () => 1)).toEqualTypeOf<number>();
      const found = await cache.category("weeks").resolve("7", () => loadWeek(7));
      expectTypeOf(found).toEqualTypeOf<Lookup<Week>>();
      const listed = cache.getOrSetMany(["7"], (keys) => keys.map((key) => Number(key)));
      expectTypeOf(await listed).toEqualTypeOf<(number | undefined)[]>();
      const mapped = cache.getOrSetMany([["week", 7]], async () => new Map<string, Week | Error>());
      expectTypeOf(await mapped).toEqualTypeOf<(Week | undefined)[]>();
    };

    expect(check).toBeTypeOf("function");
  });

  it("have null of what is negative, and nothing of what is not modified", () => {
    const check = async (cache: Cache): Promise<void> => {
      const week = await cache.getOrSet("a", async (context) => {
        if (context.stale !== undefined) return context.notModified();
        if (context.key === "b") return context.negative("30s");
        return await loadWeek(7);
      });
      expectTypeOf(week).toEqualTypeOf<Week | null>();
    };

    expect(check).toBeTypeOf("function");
  });

  it("are those of the category, where they are said, and other values are refused", () => {
    const check = async (cache: Cache): Promise<void> => {
      const weeks = cache.category<Week>("weeks");
      expectTypeOf(await weeks.getOrSet("7", () => ({ id: 7 }))).toEqualTypeOf<Week>();
      expectTypeOf(await weeks.resolve("7", () => ({ id: 7 }))).toEqualTypeOf<Lookup<Week>>();
      const many = await weeks.getOrSetMany(["7"], () => [{ id: 7 }]);
      expectTypeOf(many).toEqualTypeOf<(Week | undefined)[]>();
      expectTypeOf(
        await weeks.getOrSet("7", ({ stale, notModified }) => {
          expectTypeOf(stale?.value).toEqualTypeOf<Week | undefined>();
          return notModified();
        }),
      ).toEqualTypeOf<Week>();

      // @ts-expect-error: a text is no week.
      await weeks.getOrSet("7", () => "a text");
      // @ts-expect-error: null is no week.
      await weeks.getOrSet("7", (context) => context.negative());
      // @ts-expect-error: a text is no week.
      await weeks.resolve("7", async () => "a text");
      // @ts-expect-error: texts are no weeks.
      await weeks.getOrSetMany(["7"], () => ["a text"]);
    };

    expect(check).toBeTypeOf("function");
  });
});

describe("a category of one type", () => {
  it("does for whatever takes a category", () => {
    const check = (weeks: CategoryCache<Week>): void => {
      keyvStore(weeks);
      cacheManager(weeks);
      cached(weeks, loadWeek);
      withCacheFallback(weeks, guard());
      const call = rateLimited(weeks, { points: 1, per: "1m" });
      expectTypeOf(call("weeks", 1, () => loadWeek(7))).toEqualTypeOf<Promise<Week>>();
    };

    expect(check).toBeTypeOf("function");
  });
});
