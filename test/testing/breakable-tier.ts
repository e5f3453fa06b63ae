/**
 * The simplest tier that keeps the contract, and every way to break it: what shows that each case
 * of the contract can fail.
 */

import { encodeValue } from "../../src/core/codec.ts";
import { SpringhouseError } from "../../src/core/errors.ts";
import type { TierSubjectOptions } from "../../src/testing/tier-contract.ts";
import type {
  EntryLook,
  ExpireOptions,
  KeysQuery,
  LeaseHost,
  SetOutcome,
  SweepResult,
  Tier,
  TierCallOptions,
  TierEntry,
  TierStatistics,
} from "../../src/tier/tier.ts";
import type { Breach } from "./breaches.ts";
import { matches, nameOf, tagName } from "./breakable-keys.ts";
import { breakableLeases } from "./breakable-leases.ts";
import {
  block,
  expire,
  forgetEnd,
  isInTime,
  isTooLarge,
  keep,
  lookAt,
  readValue,
  type Stored,
  slide,
} from "./breakable-stored.ts";

const OVERHEAD_BYTES = 100;
const counters = ["hits", "misses", "sets", "drops", "evictions", "expirations", "refusals"];

/** A tier that breaks the contract in one way, or in none. */
export class BreakableTier implements Tier {
  readonly name = "breakable";
  readonly #options: TierSubjectOptions;
  readonly #breach: Breach | undefined;
  #stored = new Map<string, Stored>();
  #graves = new Map<string, number>();
  readonly #tags = new Map<string, number>();
  readonly #stray = new Map<string, string[]>();
  #epoch = 0;
  #leftEarly = false;
  #used = false;
  #drift = 0;
  #closed = false;
  #counts: Record<string, number> = {};

  constructor(options: TierSubjectOptions, breach: Breach | undefined) {
    this.#options = options;
    this.#breach = breach;
    this.resetStatistics();
  }

  readonly leases: LeaseHost = breakableLeases(
    (breach) => this.#is(breach),
    () => this.#begin(),
    () => this.#now(),
  );

  async getMany(
    keys: readonly string[],
    options?: TierCallOptions,
  ): Promise<(TierEntry | undefined)[]> {
    this.#begin(options);
    if (this.#is("blocks")) block(15);
    const shared = new Map<string, unknown>();
    const found = keys.map((key, index) => this.#read(key, index, keys, shared));
    if (this.#is("loses what is beyond a thousand")) found.fill(undefined, 1_000);
    if (!this.#is("answers in the order of storage")) return found;
    const hits = [...this.#stored.keys()].filter((key) => keys.includes(key));
    return keys.map((_, index) => found[keys.indexOf(hits[index] ?? "")]);
  }

  async lookMany(
    keys: readonly string[],
    options?: TierCallOptions,
  ): Promise<(EntryLook | undefined)[]> {
    this.#begin(options);
    return keys.map((key, index) => {
      const stored = this.#stored.get(this.#name(key));
      if (this.#is("forgets a key named twice") && keys.indexOf(key) !== index) return undefined;
      if (stored === undefined || !this.#lives(stored) || stored.damaged) return undefined;
      if (this.#is("a look counts")) this.#count("hits");
      if (this.#is("a look slides")) slide(stored, this.#now(), this.#breach);
      return lookAt(stored, this.#now(), this.#breach);
    });
  }

  async expireMany(keys: readonly string[], options: ExpireOptions = {}): Promise<number> {
    this.#begin(options);
    let count = 0;
    for (const name of new Set(keys.map((key) => this.#name(key)))) {
      const stored = this.#stored.get(name);
      if (stored === undefined) continue;
      const moment = { atMs: options.atMs ?? this.#now(), nowMs: this.#now() };
      if (expire(stored, moment, this.#lives(stored), this.#breach)) count++;
      if (this.#is("an end is a drop")) this.#remove(name);
      if (this.#is("an end counts")) this.#count("sets");
    }
    return count;
  }

  async setMany(entries: readonly TierEntry[], options?: TierCallOptions): Promise<SetOutcome[]> {
    this.#begin(options);
    if (this.#is("close loses what was begun")) {
      await new Promise((resolve) => setImmediate(resolve));
      this.#begin(options);
    }
    const list = this.#is("first in a batch wins") ? [...entries].reverse() : entries;
    const outcomes = list.map((entry) => this.#set(entry));
    this.#evict();
    return this.#is("first in a batch wins") ? outcomes.reverse() : outcomes;
  }

  async dropMany(keys: readonly string[], options?: TierCallOptions): Promise<number> {
    this.#begin(options);
    const names = keys.map((key) => this.#name(key));
    const there = names.filter((name) => this.#stored.has(name));
    if (names.length === 0 && this.#is("drops all when nothing is named")) this.#stored.clear();
    const leaves = names.length > 2 && this.#is("leaves the last that a drop names");
    for (const name of leaves ? names.slice(0, 1) : names) this.#remove(name, true);
    const count = this.#is("counts a drop twice") ? there.length : new Set(there).size;
    this.#count("drops", count);
    return count;
  }

  async dropTags(tags: readonly string[], options?: TierCallOptions): Promise<void> {
    this.#begin(options);
    if (this.#is("tags drop nothing")) return;
    if (this.#is("tags drop everything") && tags.length > 0) this.#stored.clear();
    const list = this.#is("tags drop the first only") ? tags.slice(0, 1) : tags;
    this.#epoch++;
    for (const tag of list) this.#tags.set(tagName(this.#breach, tag), this.#epoch);
  }

  async dropPrefix(prefix: string, options?: TierCallOptions): Promise<number> {
    this.#begin(options);
    if (prefix === "" && this.#is("prefix must not be empty")) return 0;
    let names = [...this.#stored.keys()].filter((key) => this.#matches(key, prefix));
    if (this.#is("prefix drops a thousand")) names = names.slice(0, 1_000);
    for (const name of names) this.#remove(name);
    this.#count("drops", names.length);
    return names.length;
  }

  async *keys(
    { prefix, tag }: KeysQuery = {},
    options?: TierCallOptions,
  ): AsyncGenerator<readonly string[]> {
    this.#begin(options);
    if (this.#leftEarly && this.#is("a loop left early breaks")) return;
    this.#leftEarly = true;
    const size = this.#is("one chunk") ? Number.MAX_SAFE_INTEGER : 1_000;
    if (tag !== undefined) yield this.#stray.get(tag) ?? [];
    for (let start = 0; ; start += size) {
      const names = [...this.#stored].filter(([key, stored]) => {
        const tagged =
          tag === undefined ||
          this.#is("keys ignore the tag") ||
          stored.entry.tags.some(
            (each) => tagName(this.#breach, each) === tagName(this.#breach, tag),
          );
        return tagged && this.#matches(key, prefix ?? "") && this.#listable(stored, tag);
      });
      const all = names.map(([, { entry }]) => entry.key);
      const forgets = this.#is("tag index forgets the many") && tag !== undefined;
      const known = forgets ? 1_000 : all.length;
      if (this.#is("keys by position")) {
        const chunk = all.slice(start, start + size);
        if (chunk.length === 0) break;
        yield chunk;
        continue;
      }
      for (let at = 0; at < known; at += size) yield all.slice(at, at + size);
      break;
    }
    this.#leftEarly = false;
  }

  async clear(options?: TierCallOptions): Promise<void> {
    this.#begin(options);
    if (this.#is("clear leaves tags")) {
      for (const [key, { entry }] of this.#stored) {
        for (const tag of entry.tags) this.#stray.set(tag, [key]);
      }
    }
    if (this.#is("clear blocks tags")) {
      for (const { entry } of this.#stored.values()) {
        for (const tag of entry.tags) this.#tags.set(tag, Number.POSITIVE_INFINITY);
      }
    }
    this.#stored.clear();
  }

  async sweep(options?: TierCallOptions): Promise<SweepResult> {
    this.#begin(options);
    if (this.#is("blocks")) block(15);
    const now = this.#now();
    let expired = 0;
    let reclaimed = 0;
    for (const [key, stored] of this.#stored) {
      const over = stored.keepUntilMs <= now && !this.#is("never expires");
      if (over) expired++;
      else if (this.#isDropped(stored) && !this.#is("sweep forgets drops")) reclaimed++;
      else if (!(this.#is("sweep drops the tagged") && this.#wasDropped(stored))) continue;
      this.#stored.delete(key);
    }
    if (this.#is("sweep forgets drops")) this.#tags.clear();
    this.#count("expirations", expired);
    if (this.#is("sweep lies")) return { expired: expired + 1, reclaimed };
    return { expired, reclaimed };
  }

  statistics(): TierStatistics {
    const resetAll = this.#counts["reset"] === 1;
    return {
      ...this.#counts,
      entries: resetAll ? 0 : this.#stored.size,
      bytes: this.#bytes(),
    } as unknown as TierStatistics;
  }

  resetStatistics(): void {
    const zero = Object.fromEntries([...counters, "errors"].map((name) => [name, 0]));
    this.#counts = zero;
    if (this.#used && this.#is("reset resets entries")) this.#counts["reset"] = 1;
  }

  async close(): Promise<void> {
    if (this.#is("close fails when unused") && !this.#used && !this.#closed) {
      this.#closed = true;
      throw new Error("never opened");
    }
    if (this.#closed && this.#is("closes once")) throw new Error("closed already");
    this.#closed = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Opens what this one has kept. */
  reopen(options: TierSubjectOptions): BreakableTier {
    const again = new BreakableTier(options, this.#breach);
    if (this.#is("reopens empty")) return again;
    again.#stored = this.#stored;
    const ended = this.#is("an end is forgotten") ? this.#stored.values() : [];
    for (const stored of ended) forgetEnd(stored);
    again.#epoch = this.#epoch;
    for (const [tag, epoch] of this.#tags) again.#tags.set(tag, epoch);
    return again;
  }

  damage(key: string): void {
    const stored = this.#stored.get(key);
    if (stored !== undefined) stored.damaged = true;
  }

  #is(breach: Breach): boolean {
    return this.#breach === breach;
  }

  #begin(options?: TierCallOptions): void {
    this.#used = true;
    if (options?.signal?.aborted && !this.#is("ignores signals")) {
      throw new SpringhouseError("ABORTED", "aborted");
    }
    if (this.#closed && !this.#is("open after close")) {
      throw new SpringhouseError("CLOSED", "closed");
    }
  }

  #now(): number {
    return this.#options.clock.nowMs();
  }

  #count(name: string, by = 1): void {
    if (!this.#is("does not count")) this.#counts[name] = (this.#counts[name] ?? 0) + by;
  }

  #name(key: string): string {
    return nameOf(key, this.#breach);
  }

  #matches(key: string, prefix: string): boolean {
    return matches(key, prefix, this.#breach);
  }

  #wasDropped({ entry }: Stored): boolean {
    return entry.tags.some((tag) => this.#tags.has(tagName(this.#breach, tag)));
  }

  #isDropped(stored: Stored): boolean {
    if (this.#is("tags are kept dropped")) return this.#wasDropped(stored);
    return stored.entry.tags.some(
      (tag) => (this.#tags.get(tagName(this.#breach, tag)) ?? 0) > stored.epoch,
    );
  }

  #listable(stored: Stored, tag: string | undefined): boolean {
    if (this.#is("lists the expired")) return !this.#isDropped(stored);
    if (this.#is("the future is listed") && stored.entry.createdMs > this.#now()) return true;
    if (this.#is("keys list the dropped") && tag !== undefined) return true;
    return this.#lives(stored) && !stored.damaged;
  }

  #lives(stored: Stored): boolean {
    return isInTime(stored, this.#now(), this.#breach) && !this.#isDropped(stored);
  }

  #read(
    key: string,
    index: number,
    keys: readonly string[],
    shared: Map<string, unknown>,
  ): TierEntry | undefined {
    const name = this.#name(key);
    const stored = this.#stored.get(name);
    const twice = this.#is("forgets a key named twice") && keys.indexOf(key) !== index;
    if (stored === undefined || twice || !this.#lives(stored)) {
      this.#count("misses");
      return undefined;
    }
    if (stored.damaged && !this.#is("shows damage")) {
      if (!this.#is("hides damage")) this.#counts["errors"] = (this.#counts["errors"] ?? 0) + 1;
      if (this.#is("damage blocks")) this.#graves.set(name, Number.POSITIVE_INFINITY);
      this.#stored.delete(name);
      this.#count("misses");
      return undefined;
    }
    this.#count("hits");
    slide(stored, this.#now(), this.#breach);
    const value = readValue(stored, shared, this.#breach);
    if (this.#is("nothing is a miss") && !value) return undefined;
    return { ...lookAt(stored, this.#now(), this.#breach), value };
  }

  #set(entry: TierEntry): SetOutcome {
    const name = this.#name(entry.key);
    const before = this.#stored.get(name);
    const beforeMs = this.#graves.get(name) ?? before?.entry.createdMs ?? -1;
    const future = beforeMs > this.#now() && !this.#is("the future blocks");
    const isOlder = this.#is("equal age loses")
      ? entry.createdMs <= beforeMs
      : entry.createdMs < beforeMs;
    const buried = beforeMs === Number.POSITIVE_INFINITY;
    if (isOlder && !this.#is("last always wins") && (!future || buried)) {
      if (this.#is("indexes what it refused")) this.#stray.set(entry.tags[0] ?? "", [entry.key]);
      if (!this.#is("older replaces, and says outdated")) return "outdated";
    }
    const encoded = encodeValue(entry.value);
    const size = encoded.bytes.byteLength + OVERHEAD_BYTES;
    if (isTooLarge(size, this.#options, this.#breach)) {
      if (!this.#is("keeps the older of the refused")) this.#stored.delete(name);
      this.#count("refusals");
      return this.#is("refuses in silence") ? "stored" : "too-large";
    }
    this.#stored.set(name, keep(entry, encoded, this.#epoch, before, this.#breach));
    if (this.#is("bytes drift")) this.#drift += size;
    if (this.#is("evicts on replacement") && before !== undefined) this.#count("evictions");
    this.#count("sets");
    return isOlder && this.#is("older replaces, and says outdated") ? "outdated" : "stored";
  }

  #evict(): void {
    const { maxBytes = Number.POSITIVE_INFINITY, maxEntries = Number.POSITIVE_INFINITY } =
      this.#options;
    for (const key of this.#stored.keys()) {
      const many = this.#stored.size > maxEntries && !this.#is("no bound on entries");
      const large = this.#bytes() > maxBytes && !this.#is("no bound on bytes");
      if (!many && !large) return;
      this.#stored.delete(key);
      this.#count("evictions");
    }
  }

  #bytes(): number {
    let bytes = this.#drift;
    for (const { encoded } of this.#stored.values()) {
      bytes += encoded.bytes.byteLength + OVERHEAD_BYTES;
    }
    return bytes;
  }

  #remove(name: string, grave = false): void {
    const stored = this.#stored.get(name);
    if (grave && stored !== undefined && this.#is("remembers the dropped")) {
      this.#graves.set(name, stored.entry.createdMs);
    }
    this.#stored.delete(name);
  }
}
