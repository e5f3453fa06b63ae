/** One entry in memory: a value, its life, and its places in the policy, the wheel and the tags. */

import type { EntryLook, TierEntry } from "../tier.ts";
import type { PolicyNode } from "./policy.ts";
import type { Tag } from "./tag-table.ts";
import type { WheelNode } from "./timer-wheel.ts";

/** Whoever keeps entries by their keys. */
export interface EntryOwner {
  /** Told that the room took an entry out; it is unlinked from the policy already. */
  evicted(entry: MemoryEntry): void;
  /** Whether the room still counts it; what was cleared leaves the policy later. */
  isCounted(entry: MemoryEntry): boolean;
}

/** What of an entry is the cache's own. */
export interface KeptValue {
  readonly value: unknown;
  readonly changeable: boolean;
  readonly etag: string | undefined;
  /** The whole of what the entry takes. */
  readonly bytes: number;
}

/** All of an entry; what a hit reads of it lies in the table of its partition too. */
export class MemoryEntry implements PolicyNode, WheelNode {
  /** Its place in the table; the table's own. */
  slot = 0;
  readonly tags: readonly Tag<MemoryEntry>[] | undefined;
  /** Frozen, or copied for each reader (`changeable`). */
  readonly value: unknown;
  readonly changeable: boolean;
  readonly owner: EntryOwner;
  readonly key: string;
  /** The whole of what the entry takes: value, key, bookkeeping and the tags that it bears. */
  bytes: number;
  readonly category: string;
  readonly createdMs: number;
  readonly slidingMs: number;
  readonly loadMs: number;
  readonly etag: string | undefined;
  /** Ends on the monotonic clock: fresh until, kept until. */
  freshUntilMs: number;
  endsMs: number;
  /**
   * The moment from which a hit is more than a look, when it comes before the end of the freshness:
   * the time to refresh it, or, when its life slides, to tell the tiers below that it is used. Most
   * have none, and no number to keep.
   */
  attentionMs: number | undefined = undefined;
  /** How often the tiers below are to be told that it is used, when its life slides. */
  tellEveryMs = 0;
  /** Its number among all that its owner has taken in. */
  serial = 0;
  /** Its time was over, and it counts as fresh for a while because its load failed. */
  isStale = false;

  readonly hash: number;
  weight = 0;
  previous: PolicyNode | undefined = undefined;
  next: PolicyNode | undefined = undefined;
  queue = 0;
  mark = 0;
  wheelPrevious: WheelNode | undefined = undefined;
  wheelNext: WheelNode | undefined = undefined;

  constructor(
    owner: EntryOwner,
    key: string,
    entry: TierEntry,
    own: KeptValue,
    tags: readonly Tag<MemoryEntry>[] | undefined,
    times: { readonly freshUntilMs: number; readonly endsMs: number; readonly hash: number },
  ) {
    this.owner = owner;
    this.key = key;
    this.value = own.value;
    this.changeable = own.changeable;
    this.bytes = own.bytes;
    this.category = entry.category;
    this.createdMs = entry.createdMs;
    this.slidingMs = entry.slidingMs;
    this.loadMs = entry.loadMs;
    this.etag = own.etag;
    this.tags = tags;
    this.freshUntilMs = times.freshUntilMs;
    this.endsMs = times.endsMs;
    this.hash = times.hash;
  }
}

/** An entry as other tiers know it. @param aheadMs how far wall clock is ahead of the monotonic. */
export function lookOf(entry: MemoryEntry, key: string, aheadMs: number): EntryLook {
  return {
    key,
    category: entry.category,
    createdMs: entry.createdMs,
    freshUntilMs: entry.freshUntilMs + aheadMs,
    keepUntilMs: entry.endsMs + aheadMs,
    slidingMs: entry.slidingMs,
    tags: entry.tags?.map(({ name }) => name) ?? [],
    loadMs: entry.loadMs,
    etag: entry.etag,
  };
}
