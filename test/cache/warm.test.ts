import { describe, expect, it } from "vitest";
import { errorOf, openMemory, openTiered, turns } from "./support.ts";

const keys = Array.from({ length: 250 }, (_, index) => ["k", index] as const);

describe("warming", () => {
  it("loads what is missing, in batches, a few at a time", async () => {
    const { cache } = openTiered();
    const batches: string[][] = [];
    const progress: number[] = [];
    let running = 0;
    let most = 0;
    await cache.set("k:3", "there");

    const result = await cache.warm(
      keys,
      async (missing) => {
        batches.push([...missing]);
        most = Math.max(most, ++running);
        await turns(2);
        running--;
        return missing.map((key) => `of ${key}`);
      },
      { onProgress: (done, total) => progress.push(done, total) },
    );

    expect(result).toEqual({ keys: 250, missing: [], failures: [] });
    // Two batches are under way at a time, and which of them loads first is not promised.
    expect(batches.map(({ length }) => length).sort((a, b) => a - b)).toEqual([50, 99, 100]);
    expect(most).toBe(2);
    expect(progress).toEqual([100, 250, 200, 250, 250, 250]);
    expect(await cache.getMany(["k:3", ["k", 249]])).toEqual(["there", "of k:249"]);
  });

  it("uses the keys that readers use, in whatever form they are given", async () => {
    const { cache } = openTiered();
    const words = ["안녕하세요", "감사합니다", "사랑해요"];

    await cache.warm(
      words.map((word) => ["flashcard", word.normalize("NFD")]),
      (missing) => missing.map((key) => key.split(":")[1]),
    );

    expect(await cache.get(["flashcard", "감사합니다"])).toBe("감사합니다");
  });

  it("of what is popular makes nine of ten reads hits", async () => {
    const { cache } = openMemory();
    // A tenth of the words gets 19 of 20 reads, as is usual for what people look up.
    const popular = Array.from({ length: 100 }, (_, index) => ["word", index] as const);
    const reads = Array.from({ length: 2_000 }, (_, index) =>
      index % 20 === 0 ? ["word", 100 + ((index * 7) % 900)] : ["word", (index * 31) % 100],
    );
    const read = async (): Promise<number> => {
      for (const key of reads) await cache.get(key);
      const { hitRate } = cache.statistics();
      cache.resetStatistics();
      return hitRate;
    };

    const cold = await read();
    await cache.warm(popular, (missing) => missing.map((key) => `of ${key}`));
    cache.resetStatistics();

    expect(cold).toBe(0);
    expect(await read()).toBeGreaterThan(0.9);
  });

  it("says which keys failed, and keeps the others", async () => {
    const { cache } = openTiered();

    const { failures } = await cache.warm(
      ["a", "b", "c", "d"],
      (missing) => {
        if (missing.includes("d")) throw new Error("all of it");
        return missing.map((key) => (key === "b" ? new Error("b") : key));
      },
      { batchSize: 2, concurrency: 1 },
    );

    expect(failures).toEqual([
      { keys: ["b"], error: new Error("b") },
      { keys: ["c", "d"], error: new Error("all of it") },
    ]);
    expect(await cache.get("a")).toBe("a");
  });

  it("says of which keys nothing was kept", async () => {
    const { cache, stored } = openTiered();
    const large = "x".repeat(20_000_000);
    stored.setMany = async (entries) => entries.map(() => "too-large");

    const result = await cache.warm(["a", "none", "large"], () => ["a", undefined, large]);

    expect(result).toEqual({ keys: 3, missing: ["none", "large"], failures: [] });
  });

  it("can be given up", async () => {
    const { cache } = openTiered();
    const controller = new AbortController();
    let calls = 0;

    const warming = cache.warm(
      keys,
      () => {
        calls++;
        controller.abort();
        return [];
      },
      { signal: controller.signal, batchSize: 10, concurrency: 1 },
    );

    expect((await errorOf(warming)).code).toBe("ABORTED");
    expect(calls).toBe(1);
  });

  it.each<[object, RegExp]>([
    [{ batchSize: 0 }, /batchSize: 0/],
    [{ concurrency: 1.5 }, /concurrency: 1.5/],
    [{ batchsize: 5 }, /unknown option "batchsize"/],
    [{ ttl: "soon" }, /ttl/],
  ])("refuses %o", async (options, message) => {
    const { cache } = openTiered();

    expect((await errorOf(cache.warm(["a"], () => [1], options))).message).toMatch(message);
  });
});
