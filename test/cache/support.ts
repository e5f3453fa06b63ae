/** Caches for tests: time stands still, and the tier below memory misbehaves on demand. */

import { setImmediate as nextTurn } from "node:timers/promises";
import { onTestFinished } from "vitest";
import { type Cache, createCache } from "../../src/cache/cache.ts";
import type { CacheOptions } from "../../src/cache/options.ts";
import { ChaosTier } from "../../src/testing/chaos-tier.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { type MemoryTier, memoryTier } from "../../src/tier/memory/memory-tier.ts";
import type { TierEntry } from "../../src/tier/tier.ts";

/** An entry that is fresh for ever, as a tier gives it. */
export const soundEntry = (key: string): TierEntry => ({
  key,
  value: 1,
  category: "default",
  createdMs: 0,
  freshUntilMs: Number.POSITIVE_INFINITY,
  keepUntilMs: Number.POSITIVE_INFINITY,
  slidingMs: 0,
  tags: [],
  loadMs: 0,
  etag: undefined,
});

/** A cache of memory and a tier below it. */
export interface Opened {
  readonly cache: Cache;
  readonly clock: FakeClock;
  readonly memory: MemoryTier;
  /** The tier below, with its faults. */
  readonly lower: ChaosTier;
  /** What is in it, without faults. */
  readonly stored: MemoryTier;
}

/** A cache of two tiers, closed when the test ends. */
export function openTiered(options: CacheOptions = {}, clock: FakeClock = new FakeClock()): Opened {
  const memory = memoryTier({ clock, sweepEvery: 0 });
  const stored = memoryTier({ clock, name: "below", maxEntries: 100_000, sweepEvery: 0 });
  const lower = new ChaosTier(stored);
  const cache = createCache({ clock, tiers: [memory, lower], ...options });
  closeAtEnd(cache, clock, lower);
  return { cache, clock, memory, lower, stored };
}

/** A cache of memory alone. */
export function openMemory(
  options: CacheOptions = {},
  clock: FakeClock = new FakeClock(),
): { readonly cache: Cache; readonly clock: FakeClock; readonly memory: MemoryTier } {
  const memory = memoryTier({ clock, sweepEvery: 0 });
  const cache = createCache({ clock, tiers: [memory], ...options });
  closeAtEnd(cache, clock);
  return { cache, clock, memory };
}

function closeAtEnd(cache: Cache, clock: FakeClock, lower?: ChaosTier): void {
  onTestFinished(async () => {
    if (lower !== undefined) lower.fault = { kind: "none" };
    const closed = cache.close();
    for (let second = 0; second < 60 && (await stateOf(closed)) === "pending"; second++) {
      clock.advance(1_000);
    }
    await closed;
  });
}

/** Lets everything run that waits for no timer. */
export async function turns(count = 6): Promise<void> {
  for (let turn = 0; turn < count; turn++) await nextTurn();
}

/** Moves time on in steps, so that what waits for one timer may set the next. */
export async function pass(clock: FakeClock, ms: number, steps = 10): Promise<void> {
  await turns();
  for (let step = 0; step < steps; step++) {
    clock.advance(ms / steps);
    await turns();
  }
}

/** A load that ends when it is told to, and counts how often it began. */
export class Gate<T = unknown> {
  calls = 0;
  readonly signals: AbortSignal[] = [];
  #waiting: { resolve(value: T): void; reject(error: unknown): void }[] = [];

  readonly load = ({ signal }: { readonly signal: AbortSignal }): Promise<T> => {
    this.calls++;
    this.signals.push(signal);
    return new Promise<T>((resolve, reject) => this.#waiting.push({ resolve, reject }));
  };

  /** Ends the oldest load that runs. */
  open(value: T): void {
    this.#waiting.shift()?.resolve(value);
  }

  fail(error: unknown): void {
    this.#waiting.shift()?.reject(error);
  }
}

/** What a promise has come to by now. */
export async function stateOf(promise: Promise<unknown>): Promise<"pending" | "value" | "error"> {
  const pending = Symbol();
  await turns();
  try {
    return (await Promise.race([promise, Promise.resolve(pending)])) === pending
      ? "pending"
      : "value";
  } catch {
    return "error";
  }
}

/** The error of a promise. */
export async function errorOf(promise: Promise<unknown>): Promise<Error & { code?: string }> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error("it did not reject");
}

/** The entry of a key of the default category in a tier. */
export async function entryIn(tier: MemoryTier, key: string): Promise<TierEntry | undefined> {
  const [entry] = await tier.getMany([`cache/1/default/${key}`]);
  return entry;
}

/** All keys that a cache lists. */
export async function listOf(lists: AsyncIterable<readonly string[]>): Promise<string[]> {
  const keys: string[] = [];
  for await (const chunk of lists) keys.push(...chunk);
  return keys.sort();
}

export const THROWS = { kind: "throw", error: new Error("the tier is broken") } as const;
export const HANGS = { kind: "hang" } as const;
export const WORKS = { kind: "none" } as const;
