/**
 * The results of one function in memory. The values lie in a partition of the memory tier, which
 * bounds them; what they have read lies here. An entry has both or neither.
 */

import type { Footprint } from "../change/footprint.ts";
import type { MemoryEntry } from "../tier/memory/memory-entry.ts";
import type { Partition } from "../tier/memory/partition.ts";
import type { TierEntry } from "../tier/tier.ts";
import type { Drop, Entries, ResultEntry, Watcher } from "./entries.ts";
import type { Uses } from "./tracking.ts";

/** Results by the keys of their arguments. */
export class ResultTable {
  readonly #partition: Partition;
  readonly #entries: Entries;
  readonly #results = new Map<string, Result>();
  #dropped = 0;
  #bytes = 0;

  constructor(partition: Partition, entries: Entries) {
    this.#partition = partition;
    this.#entries = entries;
    partition.onGone = (key) => this.#forget(key);
  }

  /** The moment by the clock of the results. */
  nowMs(): number {
    return this.#partition.clock.nowMs();
  }

  /** How many there are. */
  get size(): number {
    return this.#results.size;
  }

  /** Heap bytes of their values and keys. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How many were dropped because of what was written. */
  get dropped(): number {
    return this.#dropped;
  }

  /** A value as a promise, which is made once. Only for whoever knows that memory is current. */
  settled(key: string): Promise<unknown> | undefined {
    return this.#partition.findSettled(key);
  }

  /** As `settled`, the value itself. */
  value(key: string): unknown {
    return this.#partition.findValue(key);
  }

  /** What is known of a result that is in memory. */
  find(key: string): ResultEntry | undefined {
    return this.#results.get(key);
  }

  /** In memory, and how long it has been there; counts no hit. */
  stored(key: string): MemoryEntry | undefined {
    return this.#partition.peek(key);
  }

  /**
   * Puts a result in the place of one that was read earlier.
   *
   * @returns the value as callers get it; undefined when memory does not take it.
   */
  put(key: string, value: unknown, result: ResultEntry): MemoryEntry | undefined {
    this.drop(key);
    this.#partition.put(key, tierEntry(key, value, this.#partition.prefix, this.nowMs()));
    const stored = this.#partition.peek(key);
    if (stored === undefined) return undefined;
    const { bytes } = stored;
    const added = new Result(result, bytes, (drop) => this.#dropFor(key, added, drop));
    this.#results.set(key, added);
    this.#bytes += bytes;
    this.#entries.watch(added);
    return stored;
  }

  /** The value for a caller. */
  valueOf(entry: MemoryEntry): unknown {
    return this.#partition.valueOf(entry);
  }

  drop(key: string): void {
    this.#forget(key);
    this.#partition.drop(key);
  }

  /** Drops everything. */
  clear(): void {
    for (const key of [...this.#results.keys()]) this.drop(key);
  }

  lastDrop(key: string): Drop | undefined {
    return this.#entries.lastDrop(this.#partition.prefix + key);
  }

  #dropFor(key: string, result: Result, drop: Drop): void {
    if (this.#results.get(key) !== result) return;
    this.#dropped++;
    this.drop(key);
    this.#entries.noteDrop(this.#partition.prefix + key, drop);
  }

  #forget(key: string): void {
    const result = this.#results.get(key);
    if (result === undefined) return;
    this.#results.delete(key);
    this.#bytes -= result.bytes;
    this.#entries.unwatch(result);
  }
}

/** What one result has read, and what happens when that is changed. */
class Result implements ResultEntry, Watcher {
  readonly footprint: Footprint;
  readonly sequence: number;
  readonly uses: Uses;
  readonly tier: string | undefined;
  readonly bytes: number;
  readonly touched: (drop: Drop) => void;

  constructor(entry: ResultEntry, bytes: number, onTouched: (drop: Drop) => void) {
    this.bytes = bytes;
    this.footprint = entry.footprint;
    this.sequence = entry.sequence;
    this.uses = entry.uses;
    this.tier = entry.tier;
    this.touched = onTouched;
  }
}

/** An entry that does not end by itself. */
export function tierEntry(
  key: string,
  value: unknown,
  category: string,
  createdMs: number,
): TierEntry {
  return {
    key,
    value,
    category,
    createdMs,
    freshUntilMs: Number.POSITIVE_INFINITY,
    keepUntilMs: Number.POSITIVE_INFINITY,
    slidingMs: 0,
    tags: [],
    loadMs: 0,
    etag: undefined,
  };
}
