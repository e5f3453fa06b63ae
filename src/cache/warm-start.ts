/**
 * Warm start: a program that comes back finds in memory what it had there when it went.
 *
 * The keys of the entries in memory are noted in the first tier that lasts, when the cache is
 * closed and once a minute before, since a program may be killed. At the next start their entries
 * are read from the tiers below, in batches, into memory. Values are not noted a second time: what
 * no tier below has any more, or what has ended since, is simply not there.
 */

import type { Clock } from "../core/clock.ts";
import type { Partition } from "../tier/memory/partition.ts";
import type { TierEntry } from "../tier/tier.ts";
import type { GuardedTier } from "./guarded-tier.ts";
import type { ReadCall } from "./loading.ts";
import type { Reader } from "./reader.ts";
import type { Shelf } from "./shelf.ts";

/** Keys that are noted; what a program needs at once is less. */
const KEYS_MAX = 10_000;
/** Entries read together. */
const BATCH_KEYS = 100;
const NOTE_EVERY_MS = 60_000;
/** A program that comes back after longer starts cold. */
const KEPT_MS = 7 * 86_400_000;

/** A read that loads nothing. */
const LOOK: Omit<ReadCall, "life"> = {
  tags: [],
  signal: undefined,
  refresh: false,
  allowStale: false,
  lease: false,
  bypass: false,
};

/** Notes keys and reads them again. */
export class WarmStart {
  readonly #tier: GuardedTier;
  readonly #wholeKey: string;
  readonly #categories: readonly (readonly [Shelf, Reader])[];
  readonly #clock: Clock;
  #timer: Disposable | undefined;
  #stopped = false;

  /** @param tier the first below memory. */
  constructor(
    tier: GuardedTier,
    wholeKey: string,
    categories: readonly (readonly [Shelf, Reader])[],
    clock: Clock,
  ) {
    this.#tier = tier;
    this.#wholeKey = wholeKey;
    this.#categories = categories;
    this.#clock = clock;
  }

  /** Reads what was noted. @returns how many keys there were. */
  async run(): Promise<number> {
    this.#noteLater();
    const [entry] = await this.#tier.getMany([this.#wholeKey]);
    const noted = keysIn(entry);
    let count = 0;
    for (const [shelf, reader] of this.#categories) {
      const keys = noted.get(shelf.category) ?? [];
      for (let start = 0; start < keys.length && !this.#stopped; start += BATCH_KEYS) {
        const batch = keys.slice(start, start + BATCH_KEYS);
        await Promise.all(reader.resolve(batch, undefined, { ...LOOK, life: shelf.life }));
        count += batch.length;
      }
    }
    return count;
  }

  /** Notes the keys of now. */
  note(): void {
    const value: Record<string, string[]> = {};
    let left = KEYS_MAX;
    for (const [shelf] of this.#categories) {
      const keys = livingKeys(shelf.memory, left);
      left -= keys.length;
      if (keys.length > 0) value[shelf.category] = keys;
    }
    if (left === KEYS_MAX) return;
    const nowMs = this.#clock.nowMs();
    this.#tier.set({
      key: this.#wholeKey,
      value,
      category: "",
      createdMs: nowMs,
      freshUntilMs: nowMs + KEPT_MS,
      keepUntilMs: nowMs + KEPT_MS,
      slidingMs: 0,
      tags: [],
      loadMs: 0,
      etag: undefined,
    });
  }

  /** Notes the keys for the last time. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.[Symbol.dispose]();
    this.note();
  }

  #noteLater(): void {
    if (this.#stopped) return;
    this.#timer = this.#clock.schedule(() => {
      this.note();
      this.#noteLater();
    }, NOTE_EVERY_MS);
  }
}

function livingKeys(memory: Partition | undefined, most: number): string[] {
  const keys: string[] = [];
  for (const entry of memory?.entries() ?? []) {
    if (keys.length === most) break;
    if (memory?.holds(entry)) keys.push(entry.key);
  }
  return keys;
}

/** What was noted comes from a tier, which anybody may have written. */
function keysIn(entry: TierEntry | undefined): ReadonlyMap<string, readonly string[]> {
  const { value } = entry ?? {};
  if (typeof value !== "object" || value === null) return new Map();
  return new Map(
    Object.entries(value).map(([category, keys]) => [
      category,
      Array.isArray(keys) ? keys.filter((key) => typeof key === "string") : [],
    ]),
  );
}
