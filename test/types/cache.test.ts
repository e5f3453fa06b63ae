import { describe, expect, expectTypeOf, it } from "vitest";
import { cacheManager } from "../../src/cache/adapters/cache-manager.ts";
import { keyvStore } from "../../src/cache/adapters/keyv.ts";
import type { Cache } from "../../src/cache/cache.ts";
import { cached } from "../../src/cache/cached.ts";
import type { CategoryCache } from "../../src/cache/category.ts";
import type { Load } from "../../src/cache/load.ts";
import type { Lookup } from "../../src/cache/lookup.ts";
import type { CategoryOptions } from "../../src/cache/options.ts";
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

describe("the type of a lookup", () => {
  it("has a value exactly when it is a hit", () => {
    const check = async (cache: Cache): Promise<void> => {
      const found = await cache.resolve("7", () => loadWeek(7));
      if (found.hit) expectTypeOf(found.value).toEqualTypeOf<Week>();
      else expectTypeOf(found.value).toEqualTypeOf<undefined>();
      expectTypeOf(found.value).toEqualTypeOf<Week | undefined>();
      // @ts-expect-error: there may be none.
      found.value.id;
      const maybe = await cache.resolve("8", async () => [await loadWeek(8)][0]);
      if (maybe.hit) expectTypeOf(maybe.value).toEqualTypeOf<Week>();
      const none = await cache.category<Week | null>("weeks").lookup("9");
      if (none.hit) expectTypeOf(none.value).toEqualTypeOf<Week | null>();
    };

    expect(check).toBeTypeOf("function");
  });
});

describe("the type of a cached function", () => {
  it("has all parameters of the function, whatever its key and tags take", () => {
    const page = async (id: number, { limit = 10 }: { limit?: number } = {}): Promise<Week[]> =>
      Array.from({ length: limit }, () => ({ id }));
    const check = async (cache: Cache): Promise<void> => {
      const tagged = cached(cache, page, { tags: (id) => [`week:${id}`] });
      expectTypeOf(tagged).parameters.toEqualTypeOf<[number, ({ limit?: number } | undefined)?]>();
      expectTypeOf(await tagged(7, { limit: 3 })).toEqualTypeOf<Week[]>();
      await tagged(7);
      await tagged.drop(7, { limit: 3 });
      const keyed = cached(undefined, page, { key: (id, options) => [id, options?.limit ?? 10] });
      expectTypeOf(keyed).parameters.toEqualTypeOf<[number, ({ limit?: number } | undefined)?]>();
      const both = cached(cache, (id: number, status: string) => `${id} ${status}`, {
        name: "both",
        key: (id) => ["p", id],
      });
      expectTypeOf(await both(7, "open")).toEqualTypeOf<string>();

      // @ts-expect-error: a text is no id.
      await tagged("7");
      // @ts-expect-error: the status is missing.
      await both(7);
      // @ts-expect-error: the function has one parameter.
      cached(cache, (id: number) => id, { name: "one", key: (id, more) => [id, more] });
    };

    expect(check).toBeTypeOf("function");
  });
});

describe("the options of calls and categories", () => {
  it("take a signal that there may not be", () => {
    const check = async (cache: Cache, signal: AbortSignal | undefined): Promise<void> => {
      await cache.getOrSet("7", () => loadWeek(7), { signal });
      await cache.set("7", 7, { signal });
      await cache.warm(["7"], () => [7], { signal });
      cache.keys({ signal });
      const call = rateLimited(cache, { points: 1, per: "1m" });
      await call("weeks", 1, () => loadWeek(7), { signal });
    };

    expect(check).toBeTypeOf("function");
  });

  it("take a load of any type, and one in its place knows its context", () => {
    const typed: Load<Week> = ({ key, stale }) => stale?.value ?? loadWeek(Number(key));
    const categories: Record<string, CategoryOptions> = {
      typed: { strategy: "read-through", load: typed },
      inline: {
        strategy: "read-through",
        load: (context) => {
          expectTypeOf(context.stale?.value).toEqualTypeOf<unknown>();
          if (context.stale !== undefined) return context.notModified();
          return loadWeek(Number(context.key), context.signal);
        },
      },
      // @ts-expect-error: a load is given a context.
      wrong: { strategy: "read-through", load: (id: number) => loadWeek(id) },
    };

    expect(Object.keys(categories)).toHaveLength(3);
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
