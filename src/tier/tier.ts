/**
 * The contract of a tier: one place where a cache keeps entries. Backends differ only in how.
 *
 * What holds for every tier, and what `tierContract` of `springhouse/testing` checks:
 *
 * 1. **Batch first.** One call serves many keys; results stand in the order of the keys.
 * 2. **Nothing dead comes out.** Neither an entry past `keepUntilMs`, nor one that was dropped by
 *    its key, its prefix or a tag before the call, nor one whose bytes are damaged: that is a miss,
 *    counted in `errors` and removed. An entry made in the future (a clock that was set back) is
 *    a miss too.
 * 3. **Entries travel whole.** What `getMany` gives can be handed to `setMany` of another tier:
 *    it has the *remaining* life, the tags, the sliding time and the cost of its load.
 * 4. **A value is never shared** with a caller who could change it.
 * 5. **Newest wins.** An entry never replaces one of the same key that was made later, also when
 *    that is stale.
 * 6. **Dropping a tag is O(1)** for the caller; its entries are listed by `keys` until then, and
 *    their room is given back by `sweep` at the latest. To drop a prefix asks for no work on the
 *    disk for each of its entries either: what is not removed at once is dead all the same.
 * 7. **Bounds hold**: entries, bytes and the size of one entry; what is refused is said by
 *    `setMany`. A key that was refused has no older entry any more.
 * 8. **Nothing blocks the event loop** for more than 10 ms, `sweep` and `clear` included.
 * 9. **Looking is no use.** `lookMany` agrees with `getMany` in all but the values, which it does
 *    not read: it counts neither hits nor misses, renews no sliding life and notes no access. So
 *    it need not find that a value is damaged; of the tiers on disk none does, and the file tier
 *    finds a damaged head.
 * 10. `close` is idempotent, finishes what was begun, and everything after it is refused with
 *     `CLOSED`.
 *
 * A tier throws when it cannot do its work (`CLOSED`, `DISK_FULL`, an I/O error), which is tried
 * again, and `INVALID_ARGUMENT` or `MISSING_DEPENDENCY` for an entry that it can never keep, which
 * is given up; the cache above decides what a failure means. A tier never logs, retries or hides
 * one. A call whose signal has fired throws `ABORTED`. What has one of these codes is a
 * `SpringhouseError`, which `springhouse/cache` exports: any other error is one that is tried
 * again, whatever its `code`.
 */

import type { Compression } from "./payload.ts";

/** What a tier keeps for one key. Times are UTC milliseconds; `Infinity` means for ever. */
export interface TierEntry {
  /** The whole key, as the cache made it: namespace, version and category included. */
  readonly key: string;
  /** Data: whatever `encodeValue` of `core/codec.ts` can encode. Never `undefined`. */
  readonly value: unknown;
  /** For statistics and byte budgets. */
  readonly category: string;
  /** When the value was made, by load or by `set`. */
  readonly createdMs: number;
  /** Until when it is fresh. */
  readonly freshUntilMs: number;
  /** Until when it is kept, stale, for whoever would rather have that than nothing. */
  readonly keepUntilMs: number;
  /** With a sliding life, each hit makes it fresh for this long again; 0 without. */
  readonly slidingMs: number;
  /** Names under which it can be dropped together with others. */
  readonly tags: readonly string[];
  /** What its load took, milliseconds; 0 when unknown. */
  readonly loadMs: number;
  /** What a conditional refresh compares (an ETag, a revision). */
  readonly etag: string | undefined;
  /** Another compression than the tier's own, where it compresses. */
  readonly compression?: Compression | undefined;
}

/** All that is known of an entry but its value. */
export type EntryLook = Omit<TierEntry, "value" | "compression">;

/** What became of one entry of `setMany`. */
export type SetOutcome =
  | "stored"
  /** Larger than one entry may be, or than the whole budget. */
  | "too-large"
  /** There is a later one. */
  | "outdated";

/** Which keys to list; all of them without a condition. */
export interface KeysQuery {
  /** Keys that begin with exactly this text. */
  readonly prefix?: string;
  readonly tag?: string;
}

/** What a sweep has done. */
export interface SweepResult {
  /** Entries removed because their time was over. */
  readonly expired: number;
  /** Entries removed because their tag or prefix had been dropped, or to get below a bound. */
  readonly reclaimed: number;
}

/** Counters since the start or since `resetStatistics`; `entries` and `bytes` are the present. */
export interface TierStatistics {
  readonly entries: number;
  readonly bytes: number;
  readonly hits: number;
  readonly misses: number;
  readonly sets: number;
  readonly drops: number;
  /** Removed for room. */
  readonly evictions: number;
  readonly expirations: number;
  /** Refused by `setMany`. */
  readonly refusals: number;
  /** Failed calls and damaged entries. */
  readonly errors: number;
}

/** What makes sure that of several processes one computes a value. */
export interface LeaseHost {
  /**
   * Takes the lease of a key for `durationMs`, unless somebody has it.
   *
   * @returns a token to release it with; `undefined` while another holds it.
   */
  acquireLease(key: string, durationMs: number): Promise<string | undefined>;
  /**
   * Has a lease last for `durationMs` from now on, also when its time was over and nobody has taken
   * it meanwhile.
   *
   * @returns whether it is its holder's still.
   */
  renewLease(key: string, token: string, durationMs: number): Promise<boolean>;
  /** Gives a lease back; that of another is left alone. */
  releaseLease(key: string, token: string): Promise<void>;
}

/** Options of each call. */
export interface TierCallOptions {
  readonly signal?: AbortSignal | undefined;
}

/** Options of `expireMany`. */
export interface ExpireOptions extends TierCallOptions {
  /**
   * The moment at which the freshness ends, UTC milliseconds; an entry that was made after it is
   * left as it is. It may lie in the past: the order may have waited. Default: now.
   */
  readonly atMs?: number | undefined;
}

/** One place where entries are kept. */
export interface Tier extends AsyncDisposable {
  /** Unique within a cache: "memory", "sqlite", "file", or a name of the caller's. */
  readonly name: string;
  getMany(
    keys: readonly string[],
    options?: TierCallOptions,
  ): Promise<readonly (TierEntry | undefined)[]>;
  /** What the keys have, without their values. Nothing is counted, renewed or noted. */
  lookMany(
    keys: readonly string[],
    options?: TierCallOptions,
  ): Promise<readonly (EntryLook | undefined)[]>;
  setMany(entries: readonly TierEntry[], options?: TierCallOptions): Promise<readonly SetOutcome[]>;
  /**
   * Ends the freshness of entries where they lie: at once, for all processes, and for good, since
   * no hit of before makes a sliding one fresh again, and no clock that is set back. They are kept
   * as long as they would have been. What is in the future now, a miss, is ended or removed, and
   * not counted. It counts nothing but errors.
   *
   * @returns how many there were, stale ones included; a key that is named twice counts once.
   */
  expireMany(keys: readonly string[], options?: ExpireOptions): Promise<number>;
  /** @returns how many there were. */
  dropMany(keys: readonly string[], options?: TierCallOptions): Promise<number>;
  dropTags(tags: readonly string[], options?: TierCallOptions): Promise<void>;
  /**
   * Drops the keys that begin with exactly this text.
   *
   * @returns how many it removed at once, of those that it knows; nobody sees the others any more.
   */
  dropPrefix(prefix: string, options?: TierCallOptions): Promise<number>;
  /** The keys of living entries, in chunks of 0 to 1,000, in no particular order. */
  keys(query?: KeysQuery, options?: TierCallOptions): AsyncIterable<readonly string[]>;
  /** Drops everything, quickly. */
  clear(options?: TierCallOptions): Promise<void>;
  /** Removes what is dead, and what exceeds a bound. */
  sweep(options?: TierCallOptions): Promise<SweepResult>;
  statistics(): TierStatistics;
  resetStatistics(): void;
  close(): Promise<void>;
  /** Budgets of categories in bytes, for tiers that can hold them; said once, before any entry. */
  setQuotas?(quotas: Readonly<Record<string, number>>): void;
  /** What a tier that several processes share can do for them. */
  readonly leases?: LeaseHost;
}
