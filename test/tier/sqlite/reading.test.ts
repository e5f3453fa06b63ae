/** What a read costs, and what it must not do. */

import { describe, expect, it, onTestFinished } from "vitest";
import { queryChannel } from "../../../src/core/channels.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import { hasOf, noise } from "../../../src/testing/tier/context.ts";
import { entries, entry, openTier, query, valuesOf } from "./support.ts";

interface Query {
  readonly sql: string;
  readonly where: string;
}

/** Statements from now on. */
function watch(): Query[] {
  const seen: Query[] = [];
  const listen = (event: unknown): void => void seen.push(event as Query);
  queryChannel.subscribe(listen);
  onTestFinished(() => {
    queryChannel.unsubscribe(listen);
  });
  return seen;
}

describe("a read", () => {
  it("asks no thread, with tags or without", async () => {
    const tier = openTier();
    await tier.setMany(entries(200));
    await tier.setMany(entries(100, "tagged ", { tags: ["one", "two"] }));
    const keys = [...entries(200), ...entries(100, "tagged ")].map(({ key }) => key);
    const seen = watch();

    expect((await valuesOf(tier, keys)).filter((value) => value === undefined)).toEqual([]);
    expect(await hasOf(tier, keys)).toEqual(keys.map(() => true));

    expect(seen).toEqual([]);
  });

  it("does not write, and what it would have written comes later", async () => {
    const clock = new FakeClock(Date.now());
    const tier = openTier({ clock });
    await tier.setMany(entries(10));
    const seen = watch();
    for (let round = 0; round < 5; round++) await tier.getMany(["key 1", "key 2"]);
    expect(seen).toEqual([]);

    clock.advance(5_000);
    // What the timer has written is in the queue before this.
    await tier.setMany([entry("other")]);

    const counts = "SELECT key, access_count AS hits FROM cache_entries WHERE access_count > 0";
    expect(query(tier.path, `${counts} ORDER BY key`)).toEqual([
      { key: "key 1", hits: 5 },
      { key: "key 2", hits: 5 },
    ]);
  });

  it("of a large value that is replaced meanwhile gives the old one, the new one, or a miss", async () => {
    const tier = openTier({ compression: "none" });
    const values = Array.from({ length: 12 }, (_, index) => noise(700_000, index));
    const set = (index: number): Promise<unknown> =>
      tier.setMany([entry("a", { value: values[index], createdMs: Date.now() })]);
    await set(0);

    const reads: Promise<unknown[]>[] = [];
    for (let index = 1; index < values.length; index++) {
      const setting = set(index);
      for (let read = 0; read < 3; read++) reads.push(valuesOf(tier, ["a"]));
      await setting;
    }

    const found = (await Promise.all(reads)).flat();
    expect(
      found.filter((value) => value !== undefined && !values.includes(value as string)),
    ).toEqual([]);
    expect(await valuesOf(tier, ["a"])).toEqual([values.at(-1)]);
    expect(tier.statistics().errors).toBe(0);
  });

  it("gives many large values whole", async () => {
    const tier = openTier();
    const all = [1_000, 16_384, 16_385, 100_000, 262_144, 262_145, 1_000_000, 9_000_000].map(
      (chars) => entry(`${chars}`, { value: noise(chars, chars) }),
    );
    await tier.setMany(all);

    const found = await valuesOf(
      tier,
      all.map(({ key }) => key),
    );

    for (const [index, { value }] of all.entries()) expect(found[index] === value).toBe(true);
  });
});
