/**
 * The entries of one category across the tiers: memory first, then the others in their order.
 *
 * Everything that changes entries goes through here, so that all tiers hear of it: memory in the
 * same turn, the others by their outboxes.
 */

import type { Clock } from "../core/clock.ts";
import { SpringhouseError } from "../core/errors.ts";
import { ownCopy } from "../tier/memory/own-copy.ts";
import { noCounts, type Partition } from "../tier/memory/partition.ts";
import type { Compression } from "../tier/payload.ts";
import type { TierEntry } from "../tier/tier.ts";
import { type CacheEventName, cacheChannels } from "./channels.ts";
import type { Flight, Resolved } from "./flight.ts";
import type { GuardedTier } from "./guarded-tier.ts";
import { below } from "./key.ts";
import { attentionInMs, freshUntilMs, type ResolvedLife } from "./life.ts";
import type { Loaded } from "./load.ts";
import type { ResolvedCategory } from "./options.ts";

/** What all categories of a cache share. */
export interface CacheParts {
  readonly namespace: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly strict: boolean;
}

/** A value that is to be kept. */
export type Keeping = Loaded & { readonly loadMs: number };

/** Counters of a category; hits in memory are counted there. */
export interface CategoryCounts {
  hits: number;
  misses: number;
  staleHits: number;
  loads: number;
  loadErrors: number;
  sets: number;
  drops: number;
}

export function noCategoryCounts(): CategoryCounts {
  return { hits: 0, misses: 0, staleHits: 0, loads: 0, loadErrors: 0, sets: 0, drops: 0 };
}

/** One category. */
export class Shelf {
  readonly category: string;
  /** What whole keys begin with. */
  readonly prefix: string;
  readonly memory: Partition | undefined;
  readonly tiers: readonly GuardedTier[];
  readonly life: ResolvedLife;
  readonly parts: CacheParts;
  counts: CategoryCounts = noCategoryCounts();
  readonly #memoryName: string;
  readonly #compression: Compression | undefined;

  constructor(
    category: Pick<ResolvedCategory, "name" | "life" | "compression">,
    prefix: string,
    memory: { readonly partition: Partition; readonly name: string } | undefined,
    tiers: readonly GuardedTier[],
    parts: CacheParts,
  ) {
    this.category = category.name;
    this.#compression = category.compression;
    this.life = category.life;
    this.prefix = prefix;
    this.memory = memory?.partition;
    this.#memoryName = memory?.name ?? "memory";
    this.tiers = tiers;
    this.parts = parts;
    if (this.memory === undefined) return;
    this.memory.onGone = (key, why) => this.tell(why, key, this.#memoryName);
  }

  /** Keeps a value in all tiers. @returns the entry, or undefined when its life is zero. */
  keep(key: string, loaded: Keeping, life: ResolvedLife): TierEntry | undefined {
    const nowMs = this.parts.clock.nowMs();
    const ttlMs = loaded.ttlMs ?? this.#ttlOf(loaded.value, life);
    if (ttlMs === 0) {
      this.drop(key);
      return undefined;
    }
    const untilMs = freshUntilMs(nowMs, ttlMs, life.jitter, this.parts.random);
    const entry: TierEntry = {
      key: this.prefix + key,
      value: loaded.value,
      category: this.category,
      createdMs: nowMs,
      freshUntilMs: untilMs,
      keepUntilMs: untilMs + life.keepStaleMs,
      slidingMs: life.sliding ? ttlMs : 0,
      tags: loaded.tags.length === 0 ? loaded.tags : [...new Set(loaded.tags)],
      loadMs: loaded.loadMs,
      etag: loaded.etag,
      ...(this.#compression === undefined ? {} : { compression: this.#compression }),
    };
    this.counts.sets++;
    this.fill(key, entry, this.tiers.length, life);
    this.tell("set", key, this.#memoryName);
    return entry;
  }

  /** Puts an entry into memory and into the first `count` of the other tiers. */
  fill(key: string, entry: TierEntry, count: number, life: ResolvedLife): void {
    if (this.memory !== undefined) {
      const inMemory = this.#forTier(entry, this.#memoryName, life);
      const leftMs = inMemory.freshUntilMs - this.parts.clock.nowMs();
      const dueMs = attentionInMs(leftMs, entry.loadMs, life, this.parts.random);
      this.memory.put(key, inMemory, dueMs);
    }
    for (const tier of this.tiers.slice(0, count)) tier.set(this.#forTier(entry, tier.name, life));
  }

  drop(key: string): void {
    this.counts.drops++;
    this.memory?.drop(key);
    for (const tier of this.tiers) tier.drop(this.prefix + key);
    this.tell("drop", key, "all");
  }

  /** Drops the key of this prefix and all below it. */
  dropPrefix(prefix: string): void {
    this.memory?.drop(prefix);
    this.memory?.dropPrefix(below(prefix));
    for (const tier of this.tiers) {
      tier.drop(this.prefix + prefix);
      tier.wide({ kind: "prefix", prefix: this.prefix + below(prefix) });
    }
    this.counts.drops++;
    this.tell("drop", `prefix:${prefix}`, "all");
  }

  clear(): void {
    this.memory?.clear();
    for (const tier of this.tiers) tier.wide({ kind: "prefix", prefix: this.prefix });
    this.counts.drops++;
    this.tell("drop", "*", "all");
  }

  /** Waits until the tiers have what was said here so far, or cannot have it now. */
  async flushed(): Promise<void> {
    for (const tier of this.tiers) await tier.flushed();
  }

  /** The same entry with its time over, kept for as long as it would have been. */
  asStale(entry: TierEntry): TierEntry {
    return { ...entry, freshUntilMs: Math.min(entry.freshUntilMs, this.parts.clock.nowMs()) };
  }

  /** What a read came to that found a value of a tier. */
  resolved(value: unknown, source: string, stale: boolean): Resolved {
    // What memory gives is the caller's already.
    const isOwn = this.memory?.values === "shared" || source === this.#memoryName;
    const own = isOwn ? { value, changeable: false } : ownCopy(value);
    const { changeable } = own;
    return { value: own.value, hit: true, stale, source, error: undefined, changeable };
  }

  /** Gives out what is stale to those who wait. */
  release(flight: Flight, stale: TierEntry, error: unknown): void {
    if (flight.settled) return;
    this.counts.staleHits++;
    this.tell("stale", flight.key, "stale", error);
    flight.settle({ ...this.resolved(stale.value, "stale", true), error });
  }

  resetCounts(): void {
    this.counts = noCategoryCounts();
    if (this.memory !== undefined) this.memory.counts = noCounts();
  }

  /** Publishes an event when somebody listens. */
  tell(name: CacheEventName, key: string, tier: string, error?: unknown): void {
    const channel = cacheChannels[name];
    if (!channel.hasSubscribers) return;
    channel.publish({ cache: this.parts.namespace, category: this.category, key, tier, error });
  }

  /** The error for a load that lasts too long. */
  timeoutError(key: string, timeoutMs: number): SpringhouseError {
    return new SpringhouseError(
      "TIMEOUT",
      `The load of "${key}" (category "${this.category}") took longer than ${timeoutMs} ms. Make ` +
        "it faster, raise hardTimeout, or set keepStale to have the old value meanwhile.",
      { fields: { key, category: this.category, timeoutMs } },
    );
  }

  #ttlOf(value: unknown, { ttlMs, negativeTtlMs }: ResolvedLife): number {
    return value === null ? (negativeTtlMs ?? ttlMs) : ttlMs;
  }

  /** A tier may have a time to live of its own; it counts from when the value was made. */
  #forTier(entry: TierEntry, tier: string, { tierTtlMs, sliding }: ResolvedLife): TierEntry {
    const ttlMs = tierTtlMs[tier];
    if (ttlMs === undefined) return entry;
    const keptForMs = entry.keepUntilMs - entry.freshUntilMs;
    const untilMs = entry.createdMs + ttlMs;
    return {
      ...entry,
      freshUntilMs: untilMs,
      keepUntilMs: untilMs + keptForMs,
      slidingMs: sliding ? ttlMs : 0,
    };
  }
}
