/**
 * The entries of one category in memory, by their keys. Everything here is synchronous: a hit is
 * a look into a map, a comparison with the coarse clock and a note for the policy.
 */

import type { Clock } from "../../core/clock.ts";
import type { CoarseClock } from "../../core/coarse-clock.ts";
import { hash32 } from "../../core/hash.ts";
import { type Counters, newCounters } from "../counters.ts";
import type { EntryLook, SetOutcome, TierEntry } from "../tier.ts";
import { DroppedPrefixes } from "./dropped-prefixes.ts";
import { EntryTable } from "./entry-table.ts";
import { type EntryOwner, type KeptValue, lookOf, MemoryEntry } from "./memory-entry.ts";
import type { MemoryParts } from "./memory-parts.ts";
import { keptCopy } from "./own-copy.ts";
import { ownText } from "./own-text.ts";
import { readerCopy } from "./reader-copy.ts";
import type { Room } from "./room.ts";
import { isDropped, type Tag, TagTable } from "./tag-table.ts";

/** How values are kept: frozen copies, or the caller's own objects, shared and unbounded. */
export type ValueMode = "frozen" | "shared";

/** Told of an entry that went by itself. */
export type GoneListener = (key: string, why: "evict" | "expire") => void;

/**
 * Heap bytes of an entry beside its value and key: the object, its numbers, its place in the lists
 * of the table and its bit of the policy; the table's map is counted by itself. Measured;
 * `npm run -s bench -- cache-memory` shows what it comes to.
 */
const ENTRY_BYTES = 344;

/** The entries of one category. */
export class Partition implements EntryOwner {
  /** What whole keys begin with; the map's keys stand without it. */
  readonly prefix: string;
  readonly room: Room;
  readonly values: ValueMode;
  counts: Counters = newCounters();
  /** Told of evictions and expirations. */
  onGone: GoneListener | undefined;
  /** Told now and then of the key of an entry whose life slides, while it is used. */
  onSlide: ((key: string) => void) | undefined;
  readonly #parts: MemoryParts;
  readonly #time: CoarseClock;
  readonly #resized = (bytes: number): void => this.room.resized(bytes);
  readonly #tags = new TagTable<MemoryEntry>(this.#charge.bind(this), this.#resized);
  #table = new EntryTable(this.#resized);
  #bytes = 0;
  /** The number of the last entry; in the map, as here, later ones stand behind. */
  #serial = 0;
  /** Entries up to this number have been cleared and are counted no more. */
  #clearedSerial = 0;
  readonly #droppedPrefixes = new DroppedPrefixes();

  constructor(prefix: string, room: Room, values: ValueMode, parts: MemoryParts) {
    this.prefix = prefix;
    this.room = room;
    this.values = values;
    this.#parts = parts;
    this.#time = parts.time;
  }

  get size(): number {
    return this.#table.size;
  }

  /** Heap bytes of the tables, which no entry bears. */
  get tableBytes(): number {
    return this.#table.bytes + this.#tags.tableBytes;
  }

  get clock(): Clock {
    return this.#parts.clock;
  }

  isCounted(entry: MemoryEntry): boolean {
    return entry.serial > this.#clearedSerial;
  }

  /**
   * The value of a fresh entry that needs no attention: the fast path. Counts a hit, and no miss.
   */
  findValue(key: string): unknown {
    const slot = this.#look(key);
    if (slot === undefined) return undefined;
    return this.#table.values[slot] ?? this.valueOf(this.#table.entries[slot] as MemoryEntry);
  }

  /** The same as a promise, which an entry makes once: a hit allocates nothing. */
  findSettled(key: string): Promise<unknown> | undefined {
    const slot = this.#look(key);
    if (slot === undefined) return undefined;
    return this.#table.settled[slot] ?? this.#settle(slot);
  }

  /** As `findValue`, for entries that need attention too. */
  findValueExactly(key: string): unknown {
    const entry = this.findExactly(key);
    return entry === undefined ? undefined : this.valueOf(entry);
  }

  /** A fresh entry, whether or not it needs attention. Counts a hit. */
  findExactly(key: string): MemoryEntry | undefined {
    const entry = this.held(key);
    if (entry === undefined || !this.isFresh(entry)) return undefined;
    this.hit(entry);
    return entry;
  }

  hasFresh(key: string): boolean {
    const entry = this.held(key);
    return entry !== undefined && this.isFresh(entry);
  }

  /**
   * Ends the freshness of an entry; it is kept as long as it would have been.
   *
   * @param atMs since when, unless it was made after that; now without it.
   * @returns whether there was one.
   */
  expireNow(key: string, atMs: number = Number.POSITIVE_INFINITY): boolean {
    const entry = this.held(key);
    if (entry === undefined) return false;
    const nowMs = this.#parts.clock.nowMs();
    // What was made in the future is none, and must not be fresh when the clock is put right.
    const isFuture = entry.createdMs > nowMs;
    if (entry.createdMs > atMs && !isFuture) return false;
    const sinceMs = this.#time.nowMs() - Math.max(0, nowMs - atMs);
    entry.freshUntilMs = Math.min(entry.freshUntilMs, sinceMs);
    this.attendAt(entry, 0);
    return !isFuture;
  }

  /** As `held`, but for what was made in the future: before the wall clock was set back. */
  peek(key: string): MemoryEntry | undefined {
    const entry = this.held(key);
    return entry !== undefined && entry.createdMs > this.#parts.clock.nowMs() ? undefined : entry;
  }

  /** An entry that is still kept, fresh or not, by the exact monotonic clock. Counts nothing. */
  held(key: string): MemoryEntry | undefined {
    const entry = this.#table.get(key);
    if (entry === undefined) return undefined;
    if (entry.endsMs <= this.#time.refresh()) {
      this.#expire(entry);
      return undefined;
    }
    return this.#isDropped(entry) ? undefined : entry;
  }

  /** Whether this very entry is the living one of its key. */
  holds(entry: MemoryEntry): boolean {
    return this.peek(entry.key) === entry;
  }

  /** Notes a hit on what `peek` gave: for the policy, and for a life that slides. */
  hit(entry: MemoryEntry): void {
    this.counts.hits++;
    if (this.room.hears()) this.room.touch(entry);
    if (entry.slidingMs === 0 || !this.isFresh(entry)) return;
    const keptForMs = entry.endsMs - entry.freshUntilMs;
    const nowMs = this.#time.nowMs();
    entry.freshUntilMs = nowMs + entry.slidingMs;
    if (nowMs >= (entry.attentionMs ?? 0)) {
      entry.attentionMs = nowMs + entry.tellEveryMs;
      this.onSlide?.(entry.key);
    }
    if (entry.endsMs === Number.POSITIVE_INFINITY) return;
    this.#parts.wheel.cancel(entry);
    entry.endsMs = entry.freshUntilMs + keptForMs;
    this.#parts.wheel.schedule(entry);
  }

  isFresh(entry: MemoryEntry): boolean {
    return entry.freshUntilMs > this.#time.nowMs();
  }

  /** Sets the moment from which a hit is more than a look. */
  attendAt(entry: MemoryEntry, ms: number): void {
    entry.attentionMs = ms < entry.freshUntilMs ? ms : undefined;
    this.#table.attendAt(entry, this.#time.tickOf(ms));
  }

  /** Whether it is time to load it anew behind a hit. */
  isDue(entry: MemoryEntry): boolean {
    const { attentionMs, isStale } = entry;
    return !isStale && attentionMs !== undefined && attentionMs <= this.#time.nowMs();
  }

  /** The value for a caller: the frozen one, or a copy where it cannot be frozen. */
  valueOf(entry: MemoryEntry): unknown {
    return entry.changeable ? readerCopy(entry.value) : entry.value;
  }

  /**
   * Takes an entry in. The value is copied first, so that what is not data changes nothing.
   *
   * @param attentionInMs when a hit is to be more than a look, before its freshness ends; for a
   * life that slides, how often `onSlide` is to be told that the entry is used.
   */
  put(key: string, entry: TierEntry, attentionInMs: number = Number.POSITIVE_INFINITY): SetOutcome {
    const { value } = entry;
    const own = this.values === "frozen" ? keptCopy(value) : { value, bytes: 0, changeable: false };
    const before = this.peek(key);
    if (before !== undefined && before.createdMs > entry.createdMs) {
      this.counts.refusals++;
      return "outdated";
    }
    this.#remove(key);
    const { text: ownKey, bytes: keyBytes } = ownText(key);
    const etag = entry.etag === undefined ? undefined : ownText(entry.etag);
    const untagged = own.bytes + keyBytes + (etag?.bytes ?? 0) + ENTRY_BYTES;
    // First, since what goes may leave its tags' bytes to those who are there.
    if (this.room.isFull(untagged + this.#tags.bytesFor(entry.tags))) this.#parts.reclaimSome();
    const bytes = untagged + this.#tags.bytesFor(entry.tags);
    if (!this.room.admits(bytes)) {
      this.counts.refusals++;
      return "too-large";
    }
    this.counts.sets++;
    const added = this.#link(ownKey, entry, { ...own, etag: etag?.text, bytes });
    const slides = entry.slidingMs > 0;
    const inTimeMs = this.#time.nowMs() + attentionInMs;
    this.attendAt(added, slides ? 0 : Math.min(added.freshUntilMs, inTimeMs));
    if (slides) [added.attentionMs, added.tellEveryMs] = [inTimeMs, attentionInMs];
    this.room.add(added);
    return "stored";
  }

  /** Takes an entry in that counts as fresh only because there is nothing better. */
  putStale(key: string, entry: TierEntry): void {
    if (this.put(key, entry, 0) !== "stored") return;
    const added = this.#table.get(key);
    if (added !== undefined) added.isStale = true;
  }

  /** Drops a key, stale or not. @returns whether there was one that was still kept. */
  drop(key: string): boolean {
    const alive = this.peek(key) !== undefined;
    this.#remove(key);
    if (alive) this.counts.drops++;
    return alive;
  }

  /** Drops the keys that begin so, at once: lookups know them as dead until they are all gone. */
  dropPrefix(prefix: string): void {
    const dropped = this.#droppedPrefixes;
    const isFirst = dropped.size === 0;
    dropped.add(prefix, this.#serial);
    const entries = dropped.entries(() => this.#table.all());
    if (isFirst) this.#parts.reclaimLater(entries);
    if (dropped.isFull) for (const entry of entries) this.reclaim(entry);
  }

  /** Drops what has the tag: as `dropPrefix`, at once and in no time. */
  dropTag(name: string): void {
    const tag = this.#tags.drop(name);
    if (tag !== undefined) this.#parts.reclaimLater(tag);
  }

  /** The entries of a tag, as many as there are now. The caller may pause and change others. */
  entriesOf(tag: string): Iterable<MemoryEntry> {
    return this.#tags.entriesOf(tag);
  }

  /** The entries of this moment, dead ones included. The caller may pause and change others. */
  *entries(): Generator<MemoryEntry, void, undefined> {
    const last = this.#serial;
    for (const entry of this.#table.all()) {
      if (entry.serial > last || !this.isCounted(entry)) return;
      yield entry;
    }
  }

  /** Forgets everything at once; the room is given back in slices. */
  clear(): void {
    const old = this.#table;
    if (old.size === 0) return;
    this.#table = new EntryTable(this.#resized);
    this.room.release(old.size, this.#bytes);
    this.room.resized(-old.bytes);
    this.#bytes = 0;
    this.#clearedSerial = this.#serial;
    this.counts.drops += old.size;
    this.#parts.reclaimLater(old.all());
  }

  /** The entry as other tiers know it, with what is left of its life. */
  export(entry: MemoryEntry): TierEntry {
    return { ...this.lookAt(entry), value: this.valueOf(entry) };
  }

  /** The same but for its value. */
  lookAt(entry: MemoryEntry): EntryLook {
    const aheadMs = this.#parts.clock.nowMs() - this.#time.nowMs();
    return lookOf(entry, this.prefix + entry.key, aheadMs);
  }

  /** Gives back the room of an entry if it has been dropped and has not gone yet. */
  reclaim(entry: MemoryEntry): boolean {
    if (entry.queue === 0) return false;
    const isCleared = !this.isCounted(entry);
    if (!isCleared && !this.#isDropped(entry)) return false;
    if (!isCleared) this.counts.drops++;
    this.#unlink(entry);
    return true;
  }

  /** The wheel found that the entry has ended. @returns whether it was not dropped before. */
  expired(entry: MemoryEntry): boolean {
    if (entry.queue === 0 || this.reclaim(entry)) return false;
    this.#expire(entry);
    return true;
  }

  /** The entry takes more than it did when it came. */
  #charge(entry: MemoryEntry, bytes: number): void {
    entry.bytes += bytes;
    if (!this.isCounted(entry)) return;
    this.#bytes += bytes;
    this.room.charge(bytes);
  }

  evicted(entry: MemoryEntry): void {
    const isAlive = this.isCounted(entry) && !this.#isDropped(entry);
    this.#forget(entry);
    if (!isAlive) return;
    this.counts.evictions++;
    this.onGone?.(entry.key, "evict");
  }

  /** The slot of a fresh entry that needs no attention; counts a hit. */
  #look(key: string): number | undefined {
    const table = this.#table;
    const slot = table.slotOf(key);
    if (slot === undefined || (table.ticks[slot] as number) <= this.#time.tick()) return undefined;
    const isAnyDropped = this.#tags.dropped > 0 || this.#droppedPrefixes.size > 0;
    if (isAnyDropped && this.#isDropped(table.entries[slot] as MemoryEntry)) return undefined;
    this.counts.hits++;
    if (this.room.hears()) this.room.touch(table.entries[slot] as MemoryEntry);
    return slot;
  }

  #settle(slot: number): Promise<unknown> {
    const entry = this.#table.entries[slot] as MemoryEntry;
    const settled = Promise.resolve(this.valueOf(entry));
    if (!entry.changeable) this.#table.settled[slot] = settled;
    return settled;
  }

  #isDropped(entry: MemoryEntry): boolean {
    return (entry.tags !== undefined && isDropped(entry.tags)) || this.#droppedPrefixes.has(entry);
  }

  #remove(key: string): void {
    const entry = this.#table.get(key);
    if (entry !== undefined) this.#unlink(entry);
  }

  #link(key: string, entry: TierEntry, own: KeptValue): MemoryEntry {
    const { clock, wheel, seed } = this.#parts;
    const tags = this.#tags;
    const behindMs = this.#time.refresh() - clock.nowMs();
    const names = entry.tags.length === 0 ? undefined : tags.tagsOf(entry.tags);
    const added = new MemoryEntry(this, key, entry, own, names, {
      freshUntilMs: entry.freshUntilMs + behindMs,
      endsMs: entry.keepUntilMs + behindMs,
      hash: hash32(key, seed),
    });
    if (names !== undefined) tags.link(added, names);
    added.serial = ++this.#serial;
    this.#bytes += added.bytes;
    this.#table.add(added);
    wheel.schedule(added);
    return added;
  }

  #expire(entry: MemoryEntry): void {
    this.counts.expirations++;
    this.#unlink(entry);
    this.onGone?.(entry.key, "expire");
  }

  #unlink(entry: MemoryEntry): void {
    this.room.remove(entry);
    this.#forget(entry);
  }

  /** All but the room. */
  #forget(entry: MemoryEntry): void {
    this.#table.remove(entry);
    if (this.isCounted(entry)) this.#bytes -= entry.bytes;
    this.#parts.wheel.cancel(entry);
    if (entry.tags !== undefined) {
      this.#tags.unlink(entry, entry.tags as readonly Tag<MemoryEntry>[]);
    }
  }
}
