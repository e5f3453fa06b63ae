import { describe, expect, it } from "vitest";
import { SpringhouseError } from "../../src/core/errors.ts";
import { warningsOf } from "../support/warnings.ts";
import { entryIn, type Opened, openTiered, pass, THROWS, WORKS } from "./support.ts";

/** What the guard of the tier below says. */
function guardOf({ cache }: Opened): Record<string, unknown> {
  const report = cache.cacheStatistics().tiers.find(({ name }) => name === "below");
  return { ...report?.guard };
}

describe("a tier that can never take some value", () => {
  /** The tier below refuses what is "poison", as a codec does. */
  function openPicky(
    refusal: () => Error = () => new SpringhouseError("INVALID_ARGUMENT", "It cannot be encoded."),
  ): Opened {
    const opened = openTiered();
    const { lower } = opened;
    const setMany = lower.setMany.bind(lower);
    lower.setMany = async (entries, options) => {
      if (entries.some(({ value }) => value === "poison")) {
        throw refusal();
      }
      return await setMany(entries, options);
    };
    return opened;
  }

  it("gets all the others, and every change behind it", async () => {
    const opened = openPicky();
    const { cache, stored } = opened;
    await cache.set("tagged", 1, { tags: ["t"] });
    await cache.set("dropped", 1);

    const values = Array.from({ length: 20 }, (_, at) => (at === 7 || at === 8 ? "poison" : at));
    await cache.setMany(values.map((value, at) => [`k${at}`, value] as const));
    await cache.dropTag("t");
    await cache.drop("dropped");

    for (const [at, value] of values.entries()) {
      const kept = await entryIn(stored, `k${at}`);
      expect(kept?.value).toBe(value === "poison" ? undefined : value);
    }
    expect(await entryIn(stored, "tagged")).toBeUndefined();
    expect(await entryIn(stored, "dropped")).toBeUndefined();
    expect(guardOf(opened)).toMatchObject({ circuit: "closed", errors: 2, queued: 0 });
  });

  it("has nothing for its key any more", async () => {
    const { cache, stored } = openPicky();
    await cache.set("a", "old");

    await cache.set("a", "poison");

    expect(await cache.get("a")).toBe("poison");
    expect(await entryIn(stored, "a")).toBeUndefined();
  });

  it("may lack a package for it, which is told once, or throw an error of its own", async () => {
    const warnings = warningsOf();
    const missing = new SpringhouseError("MISSING_DEPENDENCY", "npm install codec");
    const own = Object.assign(new Error("no"), { code: "INVALID_ARGUMENT" });

    for (const refusal of [missing, own]) {
      const opened = openPicky(() => refusal);
      await opened.cache.setMany(["poison", "b", "poison"].map((v, at) => [`k${at}`, v] as const));

      expect((await entryIn(opened.stored, "k1"))?.value).toBe("b");
      expect(guardOf(opened)).toMatchObject({ circuit: "closed", errors: 2, queued: 0 });
    }

    expect(warnings).toMatchObject([
      { code: "MISSING_DEPENDENCY", message: expect.stringMatching(/"below".*npm install codec/) },
    ]);
  });

  it("is tried again when it fails while the refused one is looked for", async () => {
    const opened = openPicky();
    const { cache, lower, stored, clock } = opened;
    await cache.set("a", "old");
    lower.fault = THROWS;
    await cache.setMany([
      ["a", "poison"],
      ["b", 1],
    ]);
    expect((await entryIn(stored, "a"))?.value).toBe("old");

    lower.fault = WORKS;
    await pass(clock, 10_000);

    expect(await entryIn(stored, "a")).toBeUndefined();
    expect((await entryIn(stored, "b"))?.value).toBe(1);
    expect(guardOf(opened)).toMatchObject({ circuit: "closed", queued: 0 });
  });
});
