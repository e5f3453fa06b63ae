import { describe, expect, it } from "vitest";
import { createCache } from "../../src/cache/cache.ts";
import type { CategoryCache } from "../../src/cache/category.ts";
import type { CategoryOptions } from "../../src/cache/options.ts";
import type { Save, SourceChange, StrategyName } from "../../src/cache/strategy.ts";
import { memoryTier } from "../../src/tier/memory/memory-tier.ts";
import { errorOf, Gate, openTiered, pass, stateOf, turns } from "./support.ts";

/** A source of values that can be broken. */
class Source {
  readonly values = new Map<string, unknown>();
  readonly saved: SourceChange[][] = [];
  readonly signals: AbortSignal[] = [];
  loads = 0;
  error: Error | undefined;
  wait: (() => Promise<void>) | undefined;

  readonly load = async ({ key }: { readonly key: string }): Promise<unknown> => {
    this.loads++;
    return this.values.get(key);
  };

  readonly save: Save = async (changes, { signal }) => {
    this.signals.push(signal);
    await this.wait?.();
    if (this.error !== undefined) throw this.error;
    this.saved.push([...changes]);
    for (const change of changes) {
      if (change.kind === "set") this.values.set(change.key, change.value);
      else this.values.delete(change.key);
    }
  };
}

function open(options: CategoryOptions): ReturnType<typeof openTiered> & { mine: CategoryCache } {
  const opened = openTiered({ categories: { mine: options } });
  return { ...opened, mine: opened.cache.category("mine") };
}

describe("a category without a cache", () => {
  it("loads each time, keeps nothing, and is still one load for all who ask at once", async () => {
    const { mine, lower } = open({ strategy: "none" });
    const gate = new Gate();
    await mine.set("a", 1);
    await mine.drop("b");

    expect(await mine.get("a")).toBeUndefined();
    const reads = [mine.getOrSet("a", gate.load), mine.getOrSet("a", gate.load)];
    await turns();
    gate.open(2);
    expect(await Promise.all(reads)).toEqual([2, 2]);
    const again = mine.getOrSet("a", gate.load);
    await turns();
    gate.open(3);

    expect(await again).toBe(3);
    expect(gate.calls).toBe(2);
    expect(lower.calls["setMany"]).toBeUndefined();
    expect(lower.calls["getMany"]).toBeUndefined();
  });

  it("reads and writes its source each time, as the strategy does that it switches off", async () => {
    const source = new Source();
    source.values.set("a", 1);
    const { load, save } = source;
    const { mine, lower, memory } = open({ strategy: "none", load, save });

    expect(await mine.get("a")).toBe(1);
    source.values.set("a", 2);
    expect(await mine.lookup("a")).toMatchObject({ value: 2, source: "load" });
    await mine.set("a", 3);
    expect(await mine.getMany(["a", "b"])).toEqual([3, undefined]);
    await mine.drop("a");

    expect(await mine.get("a")).toBeUndefined();
    expect(source.saved.flat()).toEqual([
      { kind: "set", key: "a", value: 3 },
      { kind: "drop", key: "a" },
    ]);
    expect(memory.statistics()).toMatchObject({ entries: 0, hits: 0, misses: 0 });
    expect([lower.calls["setMany"], lower.calls["getMany"]]).toEqual([undefined, undefined]);
    source.error = new Error("down");
    expect((await errorOf(mine.set("a", 4))).message).toBe("down");
  });

  it("gives no read that began before a change to who reads after it", async () => {
    const gate = new Gate();
    const { mine } = open({ strategy: "none", load: gate.load, save: async () => undefined });
    const before = mine.get("a");
    await turns();

    await mine.set("a", 2);
    const after = mine.get("a");
    await turns();
    gate.open(1);
    expect(await before).toBe(1);
    gate.open(2);

    expect(await after).toBe(2);
    expect(gate.calls).toBe(2);
  });

  it("has nothing come back of what it changes when it is switched on again", async () => {
    const source = new Source();
    const { load, save } = source;
    const tiers = [memoryTier()];
    const openAs = (strategy: StrategyName): CategoryCache =>
      createCache({ tiers, categories: { mine: { strategy, load, save } } }).category("mine");
    const [on, off] = [openAs("write-through"), openAs("none")];
    await on.set("a", 1);

    await off.set("a", 2);

    expect(await openAs("write-through").get("a")).toBe(2);
  });

  it("refuses what every category refuses", async () => {
    const { mine } = open({ strategy: "none" });

    expect((await errorOf(mine.set("a", undefined))).code).toBe("INVALID_ARGUMENT");
    expect((await errorOf(mine.set("", 1))).code).toBe("INVALID_ARGUMENT");
  });
});

describe("cache-aside", () => {
  it("is the strategy of who names none: the caller loads", async () => {
    const { mine } = open({});

    expect(await mine.get("a")).toBeUndefined();
    expect(await mine.getOrSet("a", () => 1)).toBe(1);
    expect(await mine.get("a")).toBe(1);
  });
});

describe("read-through", () => {
  it.each(["read-through", "read_through", "READ_THROUGH"])(
    "loads what is missing: %s",
    async (name) => {
      const source = new Source();
      source.values.set("a", 1).set("b", 2);
      const strategy = name as "read-through";
      const { mine } = open({ strategy, load: source.load });

      expect(await mine.get("a")).toBe(1);
      expect(await mine.lookup("a")).toMatchObject({ source: "memory" });
      expect(await mine.getMany(["a", "b", "none"])).toEqual([1, 2, undefined]);
      expect(source.loads).toBe(3);
      await mine.set("a", 11);
      expect(await mine.get("a")).toBe(11);
      expect(source.values.get("a")).toBe(1);
    },
  );

  it("passes on what its load throws", async () => {
    const { mine } = open({
      strategy: "read-through",
      load: () => {
        throw new Error("down");
      },
    });

    expect((await errorOf(mine.get("a"))).message).toBe("down");
  });
});

describe("refresh-ahead", () => {
  it("loads what is missing, and again after four fifths of the life", async () => {
    const source = new Source();
    source.values.set("a", 1);
    const { mine, clock } = open({ strategy: "refresh-ahead", load: source.load, ttl: 1_000 });
    expect(await mine.get("a")).toBe(1);
    source.values.set("a", 2);

    clock.advance(799);
    expect(await mine.get("a")).toBe(1);
    clock.advance(1);
    expect(await mine.get("a")).toBe(1);
    await turns();

    expect(mine.peek("a")).toBe(2);
    expect(source.loads).toBe(2);
  });

  it("keeps another part when one is given", async () => {
    const source = new Source();
    const { mine, clock } = open({
      strategy: "refresh-ahead",
      load: () => ++source.loads,
      ttl: 1_000,
      refreshAhead: 0.5,
    });
    await mine.get("a");
    clock.advance(500);
    await mine.get("a");
    await turns();

    expect(source.loads).toBe(2);
  });
});

describe("write-through", () => {
  it("saves first, and then the cache has it", async () => {
    const source = new Source();
    const { mine } = open({ strategy: "write-through", ...pick(source) });
    const saving = Promise.withResolvers<void>();
    source.wait = () => saving.promise;

    const set = mine.set("a", { v: 1 });
    await turns();
    expect(mine.peek("a")).toBeUndefined();
    saving.resolve();
    await set;

    expect(mine.peek("a")).toEqual({ v: 1 });
    await mine.setMany([
      ["b", 2],
      ["c", 3],
    ]);
    await mine.dropMany(["a", "b"]);
    expect(source.saved).toEqual([
      [{ kind: "set", key: "a", value: { v: 1 } }],
      [
        { kind: "set", key: "b", value: 2 },
        { kind: "set", key: "c", value: 3 },
      ],
      [
        { kind: "drop", key: "a" },
        { kind: "drop", key: "b" },
      ],
    ]);
    expect(await mine.getMany(["a", "b", "c"])).toEqual([undefined, undefined, 3]);
  });

  it("saves the last change of a key that is given twice", async () => {
    const source = new Source();
    const { mine } = open({ strategy: "write-through", ...pick(source) });

    await mine.setMany([
      ["a", 1],
      ["b", 1],
      ["a", 2],
    ]);
    await mine.dropMany(["b", "b"]);

    expect(source.saved).toEqual([
      [
        { kind: "set", key: "a", value: 2 },
        { kind: "set", key: "b", value: 1 },
      ],
      [{ kind: "drop", key: "b" }],
    ]);
    expect(await mine.get("a")).toBe(2);
  });

  it("that cannot save tells its caller, and believes nothing any more", async () => {
    const source = new Source();
    const { mine, memory } = open({ strategy: "write-through", ...pick(source) });
    await mine.set("a", 1);
    source.error = new Error("disk full");

    expect(await errorOf(mine.set("a", 2))).toBe(source.error);
    expect(mine.peek("a")).toBeUndefined();
    await memory.clear();
    expect(await mine.get("a")).toBe(1);
    expect(await errorOf(mine.drop("a"))).toBe(source.error);
    expect(mine.peek("a")).toBeUndefined();
    source.error = undefined;
    await mine.set("a", 3);

    expect(source.values.get("a")).toBe(3);
    expect(mine.peek("a")).toBe(3);
  });

  it("that throws at once is a rejection, too", async () => {
    const { mine } = open({
      strategy: "write-through",
      save: () => {
        throw new Error("at once");
      },
    });

    expect((await errorOf(mine.set("a", 1))).message).toBe("at once");
  });

  it("is given up when it takes longer than a load may", async () => {
    const source = new Source();
    const { mine, clock } = open({ strategy: "write-through", hardTimeout: "2s", ...pick(source) });
    source.wait = () => new Promise(() => undefined);
    const set = errorOf(mine.set("a", 1));

    await pass(clock, 1_999);
    expect(await stateOf(set)).toBe("pending");
    clock.advance(1);

    expect(await set).toMatchObject({ code: "TIMEOUT" });
    expect(source.signals[0]?.aborted).toBe(true);
    expect(mine.peek("a")).toBeUndefined();
  });

  it("saves changes of one key one after the other, so that source and cache agree", async () => {
    const source = new Source();
    const { mine } = open({ strategy: "write-through", ...pick(source) });
    const gates = [1, 2, 3].map(() => Promise.withResolvers<void>());
    let next = 0;
    source.wait = () => gates[next++]?.promise ?? Promise.resolve();

    const sets = [mine.set("a", "first"), mine.set("a", "second"), mine.set("b", "other")];
    await turns();
    // "other" does not wait for "a"; "second" waits for "first".
    gates[1]?.resolve();
    await sets[2];
    gates[0]?.resolve();
    gates[2]?.resolve();
    await Promise.all(sets);

    expect(source.saved.map(([change]) => change?.kind === "set" && change.value)).toEqual([
      "other",
      "first",
      "second",
    ]);
    expect(mine.peek("a")).toBe("second");
    expect(source.values.get("a")).toBe("second");
  });

  it("goes on with the next change of a key when one has failed", async () => {
    const source = new Source();
    const { mine } = open({ strategy: "write-through", ...pick(source) });
    const saving = Promise.withResolvers<void>();
    source.wait = async () => {
      await saving.promise;
      source.error =
        source.saved.length === 0 && source.error === undefined ? new Error("once") : undefined;
    };

    const first = errorOf(mine.set("a", 1));
    const second = mine.set("a", 2);
    saving.resolve();

    expect((await first).message).toBe("once");
    await second;
    expect(mine.peek("a")).toBe(2);
  });

  it("fences what was read before the change was saved", async () => {
    const source = new Source();
    source.values.set("a", "old");
    const { mine } = open({ strategy: "write-through", ...pick(source) });
    const [reading, saving] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    source.wait = () => saving.promise;
    const set = mine.set("a", "new");
    const read = mine.getOrSet("a", async () => {
      const value = source.values.get("a");
      await reading.promise;
      return value;
    });
    await turns();

    saving.resolve();
    await set;
    reading.resolve();

    expect(await read).toBe("old");
    expect(await mine.get("a")).toBe("new");
  });
});

function pick({ load, save }: Source): { load: Source["load"]; save: Save } {
  return { load, save };
}
