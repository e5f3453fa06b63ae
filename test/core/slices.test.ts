import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { forEachInSlices, isSliceOver, mapInSlices, nextSlice } from "../../src/core/slices.ts";

/** Holds the thread, as work does. */
function work(ms: number): void {
  const endMs = performance.now() + ms;
  while (performance.now() < endMs);
}

/** Counts turns of the event loop until the promise settles. */
async function turnsOf(promise: Promise<unknown>): Promise<number> {
  let isSettled = false;
  const settled = promise.finally(() => {
    isSettled = true;
  });
  let turns = 0;
  while (!isSettled) {
    await nextTurn();
    turns++;
  }
  await settled;
  return turns;
}

describe("work in slices", () => {
  it("gives the results in order, giving way between", async () => {
    const items = Array.from({ length: 30 }, (_, n) => n);
    const mapping = mapInSlices(items, (n) => {
      work(1);
      return n * 2;
    });

    const turns = await turnsOf(mapping);

    expect(await mapping).toEqual(items.map((n) => n * 2));
    expect(turns).toBeGreaterThanOrEqual(5);
  });

  it("does not leave the turn for a little", async () => {
    await nextTurn();
    let turns = 0;
    setImmediate(() => turns++);

    const results = await mapInSlices(["a", "b"], (text) => text.toUpperCase());

    expect(results).toEqual(["A", "B"]);
    expect(turns).toBe(0);
  });

  it("shares one slice among all that work in a turn", async () => {
    let done = 0;
    const doneInTurns: number[] = [];
    let isRunning = true;
    const count = (): void => {
      doneInTurns.push(done);
      done = 0;
      if (isRunning) setImmediate(count);
    };
    const job = (): void => {
      work(1);
      done++;
    };
    const jobs = Array.from({ length: 20 }, () => mapInSlices([1, 2, 3, 4, 5], job));
    setImmediate(count);

    await Promise.all(jobs);
    isRunning = false;

    // The first items do not wait; then it is what two slices, and then one, have room for.
    const [first, ...later] = doneInTurns;
    expect(first).toBeLessThanOrEqual(20 + 10);
    expect(Math.max(...later)).toBeLessThanOrEqual(5);
  });

  it("lets those that wait go on in turn, so that a short job passes a long one", async () => {
    const done: string[] = [];
    const long = mapInSlices(Array.from({ length: 40 }), () => work(1));
    const short = mapInSlices(Array.from({ length: 2 }), () => work(1));

    await Promise.all([long.then(() => done.push("long")), short.then(() => done.push("short"))]);

    expect(done).toEqual(["short", "long"]);
  });

  it("releases many that have little to do in few turns", async () => {
    isSliceOver();
    const all = Promise.all(Array.from({ length: 1_000 }, () => nextSlice()));

    const turns = await turnsOf(all);

    expect(turns).toBeLessThan(100);
  });

  it("keeps the order of those that come while others are released", async () => {
    const done: number[] = [];
    const wait = async (n: number): Promise<void> => {
      await nextSlice();
      done.push(n);
      if (n < 500) await wait(n + 1_000);
    };

    await Promise.all(Array.from({ length: 1_000 }, (_, n) => wait(n)));

    expect(done).toEqual(Array.from({ length: 1_500 }, (_, n) => n));
  });

  it("is given up when the signal fires", async () => {
    const signal = AbortSignal.abort();

    const mapping = mapInSlices(Array.from({ length: 20 }), () => work(1), signal);

    await expect(mapping).rejects.toMatchObject({ code: "ABORTED" });
  });

  it("waits for what the work promises, and ends with its error", async () => {
    const seen: number[] = [];
    const failing = forEachInSlices([1, 2, 3], async (n) => {
      await nextTurn();
      if (n === 2) throw new Error("no");
      seen.push(n);
    });

    await expect(failing).rejects.toThrow("no");
    expect(seen).toEqual([1]);
  });
});
