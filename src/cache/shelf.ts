/**
 * The entries of one category across the tiers: memory first, then the others in their order.
 *
 * Everything that changes entries goes through here, so that all tiers hear of it: memory in the
 * same turn, the others by their outboxes.
 */

import type { Clock } from "../core/clock.ts";
import { SpringhouseError } from "../core/errors.ts";
import { isSliceOver, nextSlice } from "../core/slices.ts";
import { newCounters } from "../tier/counters.ts";
import { type OwnCopy, ownCopy } from "../tier/memory/own-copy.ts";
import type { Partition } from "../tier/memory/partition.ts";
import type { Compression } from "../tier/payload.ts";
import type { TierEntry } from "../tier/tier.ts";
import { type CacheEventName, cacheChannels } from "./channels.ts";
import type { Flight, Resolved } from "./flight.ts";
import type { GuardedTier } from "./guarded-tier.ts";
import { below } from "./key.ts";
import { attentionInMs, promoted, type ResolvedLife, tellEveryMs, tierTtlMs } from "./life.ts";
import type { Loaded } from "./load.ts";
import { LoadPauses } from "./load-pauses.ts";
import type { ResolvedCategory } from "./options.ts";

/** What all categories of a cache share. */
export interface CacheParts {
  readonly namespace: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly strict: boolean;
}

/** A value that is to be kept. */
export interface Keeping extends Loaded {
  readonly loadMs: number;
  /** When its load began; undefined for a value that was given. */
  readonly startedMs?: number;
}

/** Keys after which the tiers are waited for: their boxes do not take everything at once. */
const KEYS_PER_FLUSH = 1_000;

/**
 * Keys after which those who wait for them go on, within the slice: what they do is part of it.
 * The first keys of a call are all done at once, up to a thousand of them.
 */
const KEYS_PER_REST = 250;

/** Counters of a category; hits in memory are counted there. */
export interface CategoryCounts {
  hits: number;
  /** Reads past all tiers; also those that join one that is under way. */
  misses: number;
  /** Misses that were answered with a value past its time. */
  staleHits: number;
  /** Calls of a load; one for many keys is one. */
  loads: number;
  /** Keys whose load failed. */
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
  /** Keys whose load failed, of entries that memory does not keep. */
  readonly pauses: LoadPauses;
  counts: CategoryCounts = noCategoryCounts();
  /** What reads in memory say of where they come from. */
  readonly memoryName: string;
  readonly #compression: Compression | undefined;
  /** Keys in use whose lives slide, which the tiers below are to be told of. */
  #used: string[] = [];

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
    this.memoryName = memory?.name ?? "memory";
    this.tiers = tiers;
    this.parts = parts;
    this.pauses = new LoadPauses(parts.clock);
    if (this.memory === undefined) return;
    this.memory.onGone = (key, why) => this.tell(why, key, this.memoryName);
    if (tiers.length > 0) this.memory.onSlide = (key) => this.#renewBelow(key);
  }

  /** Keeps a value in all tiers; with a life of zero there is none any more. */
  keep(key: string, loaded: Keeping, life: ResolvedLife): void {
    const { clock, random } = this.parts;
    const nowMs = clock.nowMs();
    const ownTtlMs = loaded.ttlMs ?? (loaded.value === null ? life.negativeTtlMs : undefined);
    const ttlMs = ownTtlMs ?? life.ttlMs;
    if (ttlMs === 0) {
      this.drop(key);
      return;
    }
    const share = 1 - life.jitter * random();
    const made = {
      key: this.prefix + key,
      value: loaded.value,
      category: this.category,
      // A value is as old as the beginning of its load: whoever set one meanwhile has a newer one,
      // and whoever dropped it meanwhile may have done so because of what the load has read.
      createdMs: Math.min(loaded.startedMs ?? nowMs, nowMs),
      tags: loaded.tags.length === 0 ? loaded.tags : [...new Set(loaded.tags)],
      loadMs: loaded.loadMs,
      etag: loaded.etag,
      ...(this.#compression === undefined ? {} : { compression: this.#compression }),
    };
    const inTier = (tier: string): TierEntry => {
      const tierMs = tierTtlMs(tier, ttlMs, ownTtlMs !== undefined, life);
      const untilMs = nowMs + tierMs * share;
      return {
        ...made,
        freshUntilMs: untilMs,
        keepUntilMs: untilMs + life.keepStaleMs,
        slidingMs: life.sliding ? tierMs : 0,
      };
    };
    this.counts.sets++;
    this.#put(key, this.tiers, inTier, life);
    this.tell("set", key, this.memoryName);
  }

  /** Puts an entry of a tier into memory and into the first `count` of the other tiers. */
  fill(key: string, entry: TierEntry, count: number, life: ResolvedLife): void {
    const nowMs = this.parts.clock.nowMs();
    const inTier = (tier: string): TierEntry => promoted(entry, tier, nowMs, life);
    this.#put(key, this.tiers.slice(0, count), inTier, life);
  }

  drop(key: string): void {
    this.counts.drops++;
    this.memory?.drop(key);
    for (const tier of this.tiers) tier.drop(this.prefix + key);
    this.tell("drop", key, "all");
  }

  /** Ends the freshness of a key, and keeps it for as long as it would have been. */
  expire(key: string): void {
    this.memory?.expireNow(key);
    this.pauses.end(key);
    for (const tier of this.tiers) tier.expire(this.prefix + key);
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

  /**
   * Calls `work` with each item, at once when they are few, otherwise in slices and as fast as the
   * tiers take what it changes.
   *
   * @param during wraps each wait.
   */
  forMany<Item>(
    items: readonly Item[],
    work: (item: Item) => void,
    during: (wait: Promise<void>) => Promise<void> = (wait) => wait,
  ): void | Promise<void> {
    let next = 0;
    const isFull = (): boolean => this.tiers.length > 0 && next % KEYS_PER_FLUSH === 0;
    const isRest = (): boolean => next >= KEYS_PER_FLUSH && next % KEYS_PER_REST === 0;
    const run = (): boolean => {
      for (const first = next; next < items.length; next++) {
        if (next > first && (isRest() || isSliceOver())) return false;
        work(items[next] as Item);
      }
      return true;
    };
    const wait = async (): Promise<void> => {
      // What a tier cannot take is told at the end, or waits in its box.
      if (isFull()) await this.flushed().catch(() => undefined);
      if (isSliceOver()) await nextSlice();
    };
    if (run()) return;
    const goOn = async (): Promise<void> => {
      do await during(wait());
      while (!run());
    };
    return goOn();
  }

  /** Whether the entry of a tier below is to be loaded anew behind the hit that has found it. */
  isDue(key: string, entry: TierEntry, life: ResolvedLife): boolean {
    // A life that slides begins anew with each hit; and memory sees to what it keeps.
    if (entry.slidingMs > 0 || this.memory?.hasFresh(key)) return false;
    const { clock, random } = this.parts;
    return attentionInMs(entry, clock.nowMs(), life, random) === 0 && !this.pauses.has(key, entry);
  }

  /** Waits until the tiers have what was said here so far, or cannot have it now. */
  async flushed(): Promise<void> {
    for (const tier of this.tiers) await tier.flushed();
  }

  /** What reads came to that found something fresh in a tier. Counts them. */
  hit(key: string, { value, changeable }: OwnCopy, tier: string, reads: number = 1): Resolved {
    this.counts.hits += reads;
    this.#tellEach(reads, "hit", key, tier);
    return { value, hit: true, stale: false, source: tier, error: undefined, changeable };
  }

  /**
   * Gives out what is stale to those who wait, and, while the flight goes on, to those who come
   * until `untilMs`, at most until the end of its keeping.
   */
  release(
    flight: Flight,
    stale: TierEntry,
    error: unknown,
    untilMs: number = stale.keepUntilMs,
  ): void {
    if (flight.settled && flight.landed) return;
    if (!flight.settled) this.countStale(flight.key, flight.counted, error);
    flight.release(this.stale(stale, error), Math.min(untilMs, stale.keepUntilMs));
  }

  /** Counts reads that no tier could answer. */
  countMisses(key: string, reads: number): void {
    this.counts.misses += reads;
    this.#tellEach(reads, "miss", key, "all");
  }

  /** Counts, of those, reads that are answered with something stale. */
  countStale(key: string, reads: number, error?: unknown): void {
    this.counts.staleHits += reads;
    this.#tellEach(reads, "stale", key, "stale", error);
  }

  /** What a read came to that found nothing but something stale. */
  stale({ value }: TierEntry, error: unknown): Resolved {
    const shared = this.memory?.values === "shared";
    const own = shared ? { value, changeable: false } : ownCopy(value);
    const { changeable } = own;
    return { value: own.value, hit: true, stale: true, source: "stale", error, changeable };
  }

  resetCounts(): void {
    this.counts = noCategoryCounts();
    if (this.memory !== undefined) this.memory.counts = newCounters();
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
        "it faster, raise hardTimeout, or set keepStale to have the old value meanwhile. " +
        "Loads that wait for each other never end.",
      { fields: { key, category: this.category, timeoutMs } },
    );
  }

  /** The error for a load that would wait for what it is to bring. */
  selfError(key: string): SpringhouseError {
    return new SpringhouseError(
      "INVALID_ARGUMENT",
      `The load of "${key}" (category "${this.category}") waits for itself: it reads this key, ` +
        "or what it reads does. Have it make the value from other keys, or from the source.",
      { fields: { key, category: this.category } },
    );
  }

  #tellEach(reads: number, name: CacheEventName, key: string, tier: string, error?: unknown): void {
    if (!cacheChannels[name].hasSubscribers) return;
    for (let read = 0; read < reads; read++) this.tell(name, key, tier, error);
  }

  /** A life that slides goes on in the tiers below, too: to read an entry there renews it. */
  #renewBelow(key: string): void {
    this.#used.push(this.prefix + key);
    if (this.#used.length > 1) return;
    // In the next microtask, so that the keys of one call go together.
    queueMicrotask(() => {
      const keys = this.#used;
      this.#used = [];
      // What a tier cannot do now it may do at the next time; and the hit has its value.
      for (const tier of this.tiers) tier.getMany(keys).catch(() => undefined);
    });
  }

  #tellEveryMs(
    { slidingMs }: TierEntry,
    inTier: (tier: string) => TierEntry,
    life: ResolvedLife,
  ): number {
    if (this.tiers.length === 0) return Number.POSITIVE_INFINITY;
    return tellEveryMs([slidingMs, ...this.tiers.map(({ name }) => inTier(name).slidingMs)], life);
  }

  #put(
    key: string,
    tiers: readonly GuardedTier[],
    inTier: (tier: string) => TierEntry,
    life: ResolvedLife,
  ): void {
    const { clock, random } = this.parts;
    const nowMs = clock.nowMs();
    if (this.memory !== undefined) {
      const entry = inTier(this.memoryName);
      if (entry.keepUntilMs <= nowMs) this.memory.drop(key);
      else if (entry.slidingMs === 0)
        this.memory.put(key, entry, attentionInMs(entry, nowMs, life, random));
      else this.memory.put(key, entry, this.#tellEveryMs(entry, inTier, life));
    }
    // One that is over already is a drop, for the outbox.
    for (const tier of tiers) tier.set(inTier(tier.name));
  }
}
