import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { createCache } from "../../src/cache/cache.ts";
import { Journal, JournalFile } from "../../src/cache/journal.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { memoryTier } from "../../src/tier/memory/memory-tier.ts";
import { closeIn, newPath, open, Source, until } from "./journal-support.ts";
import { errorOf, turns } from "./support.ts";

describe("write-behind", () => {
  it("answers before the source has it, and the source has it soon", async () => {
    const { mine, source } = open();
    const gate = Promise.withResolvers<void>();
    source.wait = gate.promise;

    await mine.set("a", { v: 1 });
    expect(mine.peek("a")).toEqual({ v: 1 });
    expect(source.values.size).toBe(0);
    gate.resolve();
    await mine.flush();

    expect(source.values.get("a")).toEqual({ v: 1 });
    await mine.drop("a");
    await mine.flush();
    expect(source.values.has("a")).toBe(false);
  });

  it("saves in batches, in order, the last change of each key", async () => {
    const { mine, source } = open();
    const gate = Promise.withResolvers<void>();
    source.wait = gate.promise;
    await mine.set("held up", 0);
    await until(() => source.calls === 1);
    for (let index = 0; index < 5; index++) await mine.set("a", index);
    await mine.set("b", 1);
    await mine.drop("b");
    await mine.setMany([
      ["c", 1],
      ["d", new Date(5)],
    ]);

    gate.resolve();
    await mine.flush();

    expect(source.batches).toEqual([
      [{ kind: "set", key: "held up", value: 0 }],
      [
        { kind: "set", key: "a", value: 4 },
        { kind: "drop", key: "b" },
        { kind: "set", key: "c", value: 1 },
        { kind: "set", key: "d", value: new Date(5) },
      ],
    ]);
  });

  it("sees a change that comes while it has just read that there is none", async () => {
    const file = new JournalFile(newPath());
    onTestFinished(() => file.close());
    const database = await file.open();
    const reading = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<void>();
    const slow = {
      write: database.write.bind(database),
      read: async (statement: Parameters<typeof database.read>[0]) => {
        const result = await database.read(statement);
        reading.resolve();
        await answer.promise;
        return result;
      },
    };
    const source = new Source();
    const journal = new Journal({
      file: { open: async () => slow } as unknown as JournalFile,
      scope: "scope",
      version: "1",
      save: source.save,
      timeoutMs: 1_000,
      clock: new FakeClock(),
      onError: (error) => expect(error).toBeUndefined(),
    });
    const flushed = journal.flush();
    await reading.promise;

    await journal.append([{ kind: "set", key: "a", value: 1 }]);
    answer.resolve();
    await flushed;

    expect(source.values.get("a")).toBe(1);
  });

  it("counts what it finds and what comes meanwhile, each once", async () => {
    const reading = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<void>();
    let stored = 1;
    const database = {
      write: async (unit: readonly { sql: string }[]) => {
        // Nothing is saved, and nothing counted again, while the lease is not answered for.
        if (unit[0]?.sql.includes("journal_lease")) return await new Promise(() => undefined);
        stored += unit.length;
        return [];
      },
      read: async () => {
        const rows = [["1", stored]];
        reading.resolve();
        await answer.promise;
        return { rows };
      },
    };
    const journal = new Journal({
      file: { open: async () => database } as unknown as JournalFile,
      scope: "scope",
      version: "1",
      save: new Source().save,
      timeoutMs: 1_000,
      clock: new FakeClock(),
      onError: (error) => expect(error).toBeUndefined(),
    });
    const drops = (count: number) =>
      Array.from({ length: count }, (_, index) => ({ kind: "drop", key: `k${index}` }) as const);

    const started = journal.start();
    await reading.promise;
    const appended = journal.append(drops(9_998));
    await turns();
    answer.resolve();
    await Promise.all([started, appended]);

    await journal.append(drops(1));
    expect(await errorOf(journal.append(drops(1)))).toMatchObject({ code: "BUSY" });
    expect(stored).toBe(10_000);
  });

  it("loses no change that comes while the last batch ends", async () => {
    const { mine, source } = open();

    for (let round = 0; round < 300; round++) {
      await mine.set("a", round);
      if (round % 3 === 0) await turns(round % 5);
    }
    await until(() => source.values.get("a") === 299);

    expect(source.values.get("a")).toBe(299);
  });

  it("shows loads what is not saved yet, whoever brings the load", async () => {
    const source = new Source();
    source.values.set("a", "old").set("gone", "old");
    const load = ({ key }: { key: string }): unknown => source.values.get(key);
    const { mine, memory } = open({ source, category: { load } });
    source.wait = new Promise(() => undefined);
    await mine.set("a", "new");
    await mine.drop("gone");
    const asked: string[][] = [];
    const loadMany = (keys: readonly string[]): unknown[] => {
      asked.push([...keys]);
      return keys.map((key) => source.values.get(key) ?? "loaded");
    };
    const reads = [
      () => mine.get("a"),
      () => mine.getOrSet("a", load),
      async () => (await mine.resolve("a", load)).value,
      async () => (await mine.getOrSetMany(["x", "a", "y"], loadMany))[1],
    ];

    for (const read of reads) {
      await memory.clear();
      expect(await read(), String(read)).toBe("new");
    }
    expect(await mine.get("gone")).toBeUndefined();
    expect(await mine.getOrSetMany(["gone"], loadMany)).toEqual([undefined]);
    expect(asked).toEqual([["x", "y"]]);
  });

  it("has what is not saved yet without any load", async () => {
    const { mine, memory, source } = open();
    source.wait = new Promise(() => undefined);
    await mine.set("a", 1);

    await memory.clear();

    expect(await mine.get("a")).toBe(1);
    expect(await mine.get("b")).toBeUndefined();
  });

  it("tries again when save fails, and keeps the order", async () => {
    const { mine, source, clock } = open();
    source.error = new Error("down");
    await mine.set("a", 1);
    await until(() => source.calls === 1);
    await mine.set("a", 2);
    await mine.set("b", 1);
    await until(
      () => source.calls >= 3,
      () => clock.advance(100),
    );

    source.error = undefined;
    await until(
      () => source.batches.length > 0,
      () => clock.advance(100),
    );

    expect(source.batches).toEqual([
      [
        { kind: "set", key: "a", value: 2 },
        { kind: "set", key: "b", value: 1 },
      ],
    ]);
  });

  it("gives a save up that never ends, and tells it", async () => {
    const source = new Source();
    const signals: AbortSignal[] = [];
    const save = async (_: unknown, { signal }: { signal: AbortSignal }): Promise<void> => {
      signals.push(signal);
      if (signals.length === 1) await new Promise(() => undefined);
    };
    const { mine, clock } = open({ source, category: { save, hardTimeout: "10s" } });
    await mine.set("a", 1);
    await until(() => signals.length === 1);

    await until(
      () => signals.length === 2,
      () => clock.advance(500),
    );

    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
  });

  it("refuses changes when 10,000 wait, and takes them again when there is room", async () => {
    const { mine, source } = open();
    const gate = Promise.withResolvers<void>();
    source.wait = gate.promise;
    const batch = (size: number): [string, number][] =>
      Array.from({ length: size }, (_, index) => [`k${index}`, index]);
    for (let round = 0; round < 9; round++) await mine.setMany(batch(1_000));
    await mine.setMany(batch(999));

    const [fits, refused] = await Promise.all([
      mine.set("last", 1).then(() => "taken"),
      errorOf(mine.set("one too many", 1)),
    ]);
    expect(fits).toBe("taken");
    expect(refused).toMatchObject({ code: "BUSY" });
    expect(mine.peek("one too many")).toBeUndefined();
    expect(await mine.get("last")).toBe(1);
    gate.resolve();
    await mine.flush();
    await mine.set("one more", 1);

    await mine.flush();
    expect(source.values.get("one more")).toBe(1);
  });

  it("is flushed when the cache is closed, once, whatever save does", async () => {
    const first = open();
    await first.mine.setMany([
      ["a", 1],
      ["b", 2],
    ]);
    await first.cache.close();
    expect(first.source.values).toEqual(
      new Map([
        ["a", 1],
        ["b", 2],
      ]),
    );

    const second = open();
    second.source.error = new Error("down");
    await second.mine.set("a", 1);
    await second.cache.close();
    expect(second.source.values.size).toBe(0);
    const source = new Source();
    open({ path: second.path, source });
    await until(() => source.values.size > 0);
    expect(source.values.get("a")).toBe(1);
  });

  it("is no obstacle to closing when its save hangs", async () => {
    const { mine, cache, source, clock } = open();
    source.wait = new Promise(() => undefined);
    await mine.set("a", 1);
    await until(() => source.calls === 1);

    await closeIn(cache, clock);

    expect(source.calls).toBe(1);
  });

  it("changes neither cache nor source when the journal cannot be written, and mends later", async () => {
    const path = newPath();
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, "this is no database, but long enough to be looked at twice");
    const { mine, source, cache } = open({ path });

    expect((await errorOf(mine.set("a", 1))).code).toBeDefined();
    expect(mine.peek("a")).toBeUndefined();
    expect(source.calls).toBe(0);
    rmSync(path);
    await mine.set("a", 2);
    await mine.flush();

    expect(source.values.get("a")).toBe(2);
    await cache.close();
  });

  it("keeps the changes of categories and namespaces apart", async () => {
    const path = newPath();
    const [one, two] = [new Source(), new Source()];
    const clock = new FakeClock();
    const cache = createCache({
      clock,
      journal: path,
      tiers: [memoryTier({ clock })],
      categories: {
        one: { strategy: "write-behind", save: one.save },
        two: { strategy: "write-behind", save: two.save },
      },
    });
    await cache.category("one").set("a", 1);
    await cache.category("two").set("a", 2);
    await cache.close();

    expect([one.values.get("a"), two.values.get("a")]).toEqual([1, 2]);
  });

  it("refuses values that a journal cannot keep", async () => {
    const { mine, source } = open({ category: { values: "shared" } });

    expect((await errorOf(mine.set("a", new URL("http://a")))).code).toBe("INVALID_ARGUMENT");

    expect(mine.peek("a")).toBeUndefined();
    expect(source.calls).toBe(0);
  });
});
