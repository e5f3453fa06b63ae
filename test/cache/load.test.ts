import { describe, expect, it } from "vitest";
import type { LoadContext } from "../../src/cache/load.ts";
import { entryIn, errorOf, openTiered } from "./support.ts";

describe("the context of a load", () => {
  it("names the key and has nothing stale at first", async () => {
    const { cache } = openTiered();
    let seen: LoadContext<unknown> | undefined;

    await cache.getOrSet(["week", 7], (context) => {
      seen = context;
      return 1;
    });

    expect(seen).toMatchObject({ key: "week:7", stale: undefined });
    expect(seen?.signal.aborted).toBe(false);
  });

  it("has what is stale, for a conditional request", async () => {
    const { cache, clock, memory } = openTiered({ defaults: { ttl: 1_000, keepStale: "1h" } });
    await cache.getOrSet("a", (context) => {
      context.etag("v1");
      return "one";
    });
    clock.advance(5_000);

    for (let where = 0; where < 2; where++) {
      const seen: unknown[] = [];
      const read = cache.getOrSet(
        "a",
        ({ stale }) => {
          seen.push(stale);
          throw new Error("down");
        },
        { retryAfter: 0 },
      );
      expect(await read).toBe("one");
      expect(seen).toEqual([{ value: "one", ageMs: 5_000, etag: "v1" }]);
      await memory.clear();
    }
  });

  it("takes a text as the revision and nothing else, which no tier could keep", async () => {
    const { cache, stored } = openTiered();

    for (const revision of [{ weak: true }, ["v1"], 1, null]) {
      const load = (context: LoadContext<unknown>): number => {
        context.etag(revision as never);
        return 1;
      };
      expect(await errorOf(cache.getOrSet("a", load))).toMatchObject({
        code: "INVALID_ARGUMENT",
        message: expect.stringMatching(/^etag\(\) for "a" takes a text/),
      });
    }
    expect(await entryIn(stored, "a")).toBeUndefined();
  });

  it("can say that what is stale holds still, and all of it is fresh again", async () => {
    const { cache, clock, stored } = openTiered({ defaults: { ttl: 1_000, keepStale: "1h" } });
    await cache.getOrSet("a", (context) => {
      context.etag("v1");
      context.tags("t");
      return { big: true };
    });
    clock.advance(1_000);

    const lookup = await cache.resolve("a", (context) => context.notModified());

    expect(lookup).toMatchObject({ value: { big: true }, stale: false, source: "load" });
    expect(await entryIn(stored, "a")).toMatchObject({
      etag: "v1",
      tags: ["cache/t"],
      createdMs: clock.nowMs(),
      freshUntilMs: clock.nowMs() + 1_000,
    });
    await cache.dropTag("t");
    expect(await cache.get("a")).toBeUndefined();
  });

  it("refuses to say so when there is nothing", async () => {
    const { cache } = openTiered();

    const error = await errorOf(cache.getOrSet("a", (context) => context.notModified()));

    expect(error).toMatchObject({ code: "INVALID_ARGUMENT" });
    expect(error.message).toMatch(/"a".*context\.stale/);
  });

  it("gives the value tags beside those of the call and the category", async () => {
    const { cache, stored } = openTiered({ categories: { default: { tags: ["every"] } } });
    const load = (context: LoadContext<unknown>): number => {
      context.tags("one", "two");
      context.tags("one");
      return 1;
    };
    await cache.getOrSet("a", load, { tags: ["call"] });
    expect((await entryIn(stored, "a"))?.tags).toEqual(
      ["every", "call", "one", "two"].map((tag) => `cache/${tag}`),
    );

    for (const tag of ["every", "call", "one", "two"]) {
      await cache.getOrSet("a", load, { tags: ["call"] });
      await cache.dropTag(tag);
      expect(await cache.get("a"), tag).toBeUndefined();
    }
  });

  it("fails the load with a tag that is none", async () => {
    const { cache } = openTiered();

    const read = cache.getOrSet("a", (context) => context.tags("") as never);

    expect((await errorOf(read)).message).toMatch(/A tag is a text/);
  });

  it("can keep a value from being kept", async () => {
    const { cache, stored } = openTiered();
    let loads = 0;
    const load = ({ skip }: LoadContext<unknown>): number => {
      skip();
      return ++loads;
    };

    expect(await Promise.all([cache.getOrSet("a", load), cache.getOrSet("a", load)])).toEqual([
      1, 1,
    ]);
    expect(await cache.getOrSet("a", load)).toBe(2);
    expect(await entryIn(stored, "a")).toBeUndefined();
  });

  it("leaves what is there when a load skips or gives nothing", async () => {
    const { cache } = openTiered();
    await cache.set("a", 1);

    const load = ({ skip }: LoadContext<unknown>): number => {
      skip();
      return 2;
    };
    expect(await cache.getOrSet("a", load, { refresh: true })).toBe(2);
    expect(await cache.getOrSet("a", () => undefined, { refresh: true })).toBeUndefined();

    expect(await cache.get("a")).toBe(1);
  });

  it("changes nothing for the next load", async () => {
    const { cache, clock, stored } = openTiered();
    await cache.getOrSet("a", (context) => {
      context.ttl("1s");
      context.tags("t");
      context.etag("v1");
      return 1;
    });
    await cache.getOrSet("a", () => 2, { refresh: true });

    expect(await entryIn(stored, "a")).toMatchObject({
      tags: [],
      etag: undefined,
      freshUntilMs: clock.nowMs() + 300_000,
    });
  });
});
