/**
 * After a change has completed, no read that starts later gives anything older: random schedules
 * of loads, changes, delays and faults under a clock that stands still, against a source that
 * knows the version of every key.
 */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createCache } from "../../src/cache/cache.ts";
import { ChaosTier, type Fault } from "../../src/testing/chaos-tier.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { memoryTier } from "../../src/tier/memory/memory-tier.ts";
import type { TierEntry } from "../../src/tier/tier.ts";
import { turns } from "./support.ts";

const RUNS = Number(process.env["SPRINGHOUSE_SCHEDULES"] ?? 1_500);
const KEYS = ["a:1", "a:2", "b:1"] as const;
type Name = (typeof KEYS)[number];
const tagOf = (key: string): string => `tag ${key[2]}`;
const tagsOf = (key: string): string[] => [tagOf(key)];
const NEVER = Number.POSITIVE_INFINITY;

interface Value {
  readonly version: number;
}

const CHANGES = ["set", "drop", "dropTag", "dropPrefix", "clear", "expire", "setMany"] as const;
const READS = ["get", "getOrSet", "getOrSetMany", "refresh", "getMany", "peek"] as const;
const FAULTS = ["none", "throw", "hang", "delay", "long delay", "corrupt"] as const;

const key = fc.constantFrom(...KEYS);
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom(...READS), key, ms: fc.nat(3_000) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom(...CHANGES), key, ms: fc.constant(0) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("pass"), key, ms: fc.nat(2_000) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("pass"), key, ms: fc.nat(40_000) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("turn"), key, ms: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("forget"), key, ms: fc.constant(0) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom(...FAULTS), key, ms: fc.nat(900) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const settings = fc.record({
  lowers: fc.nat(2),
  hasMemory: fc.boolean(),
  keepStale: fc.constantFrom(0, 60_000),
  staleWhileRevalidate: fc.constantFrom(0, 0, 5_000),
  softTimeout: fc.constantFrom(NEVER, 500),
  hardTimeout: fc.constantFrom(NEVER, 2_000),
  refreshAhead: fc.constantFrom(0, 0.5),
  tierTtl: fc.constantFrom(undefined, { "below 0": 100_000 }),
});
type Settings = typeof settings extends fc.Arbitrary<infer T> ? T : never;

/** A world with a source, a cache over it, and what must hold of its reads. */
class World {
  readonly clock = new FakeClock();
  readonly memory = memoryTier({ clock: this.clock, sweepEvery: 0 });
  readonly lowers: ChaosTier[];
  readonly cache: ReturnType<typeof createCache>;
  readonly source = new Map<string, number>(KEYS.map((name) => [name, 0]));
  /** No read may give less: at all, and as fresh. */
  readonly least = new Map<string, { atAll: number; fresh: number }>();
  readonly running: Promise<unknown>[] = [];
  readonly broken: string[] = [];
  #version = 0;
  #lower = 0;

  constructor({ lowers, hasMemory, tierTtl, ...life }: Settings) {
    const clock = this.clock;
    const count = hasMemory ? lowers : Math.max(1, lowers);
    this.lowers = Array.from(
      { length: count },
      (_, index) => new ChaosTier(memoryTier({ clock, name: `below ${index}`, sweepEvery: 0 })),
    );
    this.cache = createCache({
      clock,
      tiers: [...(hasMemory ? [this.memory] : []), ...this.lowers],
      defaults: { ttl: 10_000, ...(count > 0 && tierTtl ? { tierTtl } : {}), ...life },
    });
  }

  do(step: Step): void {
    if (step.do === "pass") this.clock.advance(step.ms);
    else if (step.do === "forget") void this.memory.clear();
    else if (isOneOf(FAULTS, step.do)) this.#break(step.do, step.ms);
    else if (isOneOf(READS, step.do)) this.#read(step.do, step.key, step.ms);
    else if (isOneOf(CHANGES, step.do)) this.#change(step.do, step.key);
  }

  /** Everything works again, and all that waits has had its time. */
  async recover(): Promise<void> {
    for (const lower of this.lowers) lower.fault = { kind: "none" };
    for (let minute = 0; minute < 6; minute++) {
      for (let second = 0; second < 4; second++) {
        this.clock.advance(15_000);
        await turns(3);
      }
    }
  }

  readAll(): void {
    for (const name of KEYS) this.#read("get", name, 0);
  }

  #break(kind: (typeof FAULTS)[number], ms: number): void {
    const lower = this.lowers[this.#lower++ % Math.max(1, this.lowers.length)];
    if (lower === undefined) return;
    const until = (delayMs: number) => (): Promise<void> =>
      new Promise((resolve) => this.clock.schedule(resolve, delayMs));
    const faults: Record<(typeof FAULTS)[number], Fault> = {
      none: { kind: "none" },
      throw: { kind: "throw", error: new Error("broken") },
      hang: { kind: "hang" },
      delay: { kind: "delay", until: until(ms) },
      "long delay": { kind: "delay", until: until(1_000 + ms * 20) },
      corrupt: { kind: "corrupt", change: (entry) => garbage(entry, ms) },
    };
    lower.fault = faults[kind];
  }

  #change(kind: (typeof CHANGES)[number], name: Name): void {
    const { cache } = this;
    const tags = tagsOf(name);
    const concerned = KEYS.filter((other) => {
      if (kind === "clear") return true;
      if (kind === "dropTag") return tagOf(other) === tagOf(name);
      if (kind === "dropPrefix" || kind === "setMany") return other[0] === name[0];
      return other === name;
    });
    const version = ++this.#version;
    for (const other of concerned) this.source.set(other, version);
    const value: Value = { version };
    const changes: Record<(typeof CHANGES)[number], () => Promise<void>> = {
      set: () => cache.set(name, value, { tags }),
      setMany: async () => {
        for (const other of concerned) {
          void cache.set(other, value, { tags: tagsOf(other) });
        }
      },
      drop: () => cache.drop(name),
      dropTag: () => cache.dropTag(tagOf(name)),
      dropPrefix: () => cache.dropPrefix(name[0] ?? ""),
      clear: () => cache.clear(),
      expire: () => cache.expire(name),
    };
    const done = changes[kind]().then(() => {
      for (const other of concerned) {
        const least = this.#leastOf(other);
        least.fresh = Math.max(least.fresh, version);
        if (kind !== "expire") least.atAll = Math.max(least.atAll, version);
      }
    });
    this.running.push(done);
  }

  #read(kind: (typeof READS)[number], name: Name, ms: number): void {
    const { cache } = this;
    const names = kind === "getMany" || kind === "getOrSetMany" ? KEYS : [name];
    const least = names.map((one) => ({ ...this.#leastOf(one) }));
    const check = (index: number, value: unknown, stale: boolean): void => {
      const { atAll = 0, fresh = 0 } = least[index] ?? {};
      if (value === undefined) return;
      const { version } = value as Value;
      if (version >= (stale ? atAll : fresh)) return;
      this.broken.push(
        `${kind} of ${names[index]} gave ${version}, not ${fresh} or ${atAll} stale`,
      );
    };
    const load = ({ key: one }: { key: string }): Promise<Value> => this.#load(one, ms);
    const tags = tagsOf(name);
    // Of lists the staleness is unknown, and the bound that holds for all is what is looked at.
    const reads: Record<(typeof READS)[number], () => Promise<void>> = {
      peek: async () => check(0, cache.peek(name), true),
      get: () => cache.lookup(name).then(({ value, stale }) => check(0, value, stale)),
      getOrSet: () =>
        cache.resolve(name, load, { tags }).then(({ value, stale }) => check(0, value, stale)),
      refresh: () =>
        cache
          .resolve(name, load, { tags, refresh: true })
          .then(({ value, stale }) => check(0, value, stale)),
      getMany: () =>
        cache.getMany(KEYS).then((values) => {
          for (const [index, value] of values.entries()) check(index, value, true);
        }),
      getOrSetMany: () =>
        cache
          .getOrSetMany(
            KEYS,
            (wanted) => Promise.all(wanted.map((one) => this.#load(one, ms))),
            // Every tag on every key: a drop of either then takes it, which is never too little.
            { tags: KEYS.flatMap(tagsOf) },
          )
          .then((values) => {
            for (const [index, value] of values.entries()) check(index, value, true);
          }),
    };
    this.running.push(reads[kind]().catch(expected));
  }

  async #load(name: string, ms: number): Promise<Value> {
    const version = this.source.get(name) ?? 0;
    if (ms > 0) await new Promise<void>((resolve) => this.clock.schedule(resolve, ms));
    if (ms % 10 === 7) throw new Error("the source is broken");
    return { version };
  }

  #leastOf(name: string): { atAll: number; fresh: number } {
    const least = this.least.get(name) ?? { atAll: 0, fresh: 0 };
    this.least.set(name, least);
    return least;
  }
}

describe("a read", () => {
  it("gives nothing older than a change that had completed before it began", async () => {
    const surprises: unknown[] = [];
    const note = (reason: unknown): void => void surprises.push(reason);
    process.on("unhandledRejection", note);
    await fc.assert(
      fc.asyncProperty(
        settings,
        fc.array(step, { minLength: 10, maxLength: 60, size: "max" }),
        async (given, steps) => {
          const world = new World(given);
          for (const one of steps) {
            world.do(one);
            if (one.do === "turn") await turns(one.ms);
          }
          await world.recover();
          const settled = Promise.allSettled(world.running);
          expect(await Promise.race([settled.then(() => "all"), turns(20)])).toBe("all");
          await world.memory.clear();
          world.readAll();
          await turns();
          expect(world.broken).toEqual([]);
          expect(
            await settled.then((all) => all.filter(({ status }) => status === "rejected")),
          ).toEqual([]);
          await world.cache.close();
        },
      ),
      { numRuns: RUNS, endOnFailure: false },
    );
    process.off("unhandledRejection", note);
    expect(surprises).toEqual([]);
  }, 120_000);
});

/** The load itself failed, or took too long: that is what its callers are told. */
function expected(error: unknown): void {
  const { message } = error as Error;
  if (message === "the source is broken" || message.includes("took longer")) return;
  throw error;
}

function garbage(entry: TierEntry | undefined, seed: number): unknown {
  const kinds = [
    undefined,
    null,
    42,
    { ...entry, key: "cache/1/default/other" },
    { ...entry, value: undefined },
    { ...entry, value: () => 1 },
    { ...entry, createdMs: Number.NaN },
    { ...entry, tags: null },
    { ...entry, keepUntilMs: "soon" },
  ];
  return kinds[seed % kinds.length];
}

function isOneOf<T extends string>(names: readonly T[], name: string): name is T {
  return (names as readonly string[]).includes(name);
}
