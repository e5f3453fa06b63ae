/**
 * The memory tier: partitions for the categories of a cache, and the contract of a tier around
 * them for everybody else.
 *
 * A cache asks its partition synchronously; through the contract the same entries are seen by
 * their whole keys. One coarse clock and one wheel serve all partitions.
 */

import { throwIfAborted } from "../../core/abort.ts";
import { CoarseClock } from "../../core/coarse-clock.ts";
import { SpringhouseError } from "../../core/errors.ts";
import { isSliceOver, mapAtOnce, nextSlice } from "../../core/slices.ts";
import { newCounters } from "../counters.ts";
import type {
  EntryLook,
  ExpireOptions,
  KeysQuery,
  SetOutcome,
  SweepResult,
  Tier,
  TierCallOptions,
  TierEntry,
  TierStatistics,
} from "../tier.ts";
import type { MemoryEntry } from "./memory-entry.ts";
import type { MemoryParts } from "./memory-parts.ts";
import {
  checkPolicy,
  type MemoryTierOptions,
  type ResolvedMemoryTierOptions,
  resolveMemoryTierOptions,
  resolveRoomLimits,
} from "./options.ts";
import { Partition, type ValueMode } from "./partition.ts";
import { Room, type RoomOptions } from "./room.ts";
import { type RoomLimits, Rooms } from "./rooms.ts";
import { TimerWheel } from "./timer-wheel.ts";

/** Dead entries that are looked at when one comes in and there is no room. */
const RECLAIMED_AT_ONCE = 64;
/** Keys in one chunk of `keys`. */
const CHUNK_KEYS = 1_000;

/**
 * Makes a memory tier.
 *
 * @throws `INVALID_ARGUMENT`.
 * @example createCache({ tiers: [memoryTier({ maxEntries: 10_000, maxBytes: "200MB" })] })
 */
export function memoryTier(options: MemoryTierOptions = {}): MemoryTier {
  return new MemoryTier(resolveMemoryTierOptions(options));
}

/** Entries on the heap of this process. Made by `memoryTier`. */
export class MemoryTier implements Tier {
  readonly name: string;
  readonly #options: ResolvedMemoryTierOptions;
  readonly #time: CoarseClock;
  readonly #wheel: TimerWheel<MemoryEntry>;
  readonly #parts: MemoryParts;
  readonly #rooms: Rooms;
  /** The one that all partitions share that have none of their own. */
  readonly #room: Room;
  /** The one without a prefix stands last and takes what no category has. */
  readonly #partitions: Partition[];
  readonly #dead: Iterator<MemoryEntry>[] = [];
  /** What is under way and takes several turns. The next change waits for the last. */
  readonly #calls = new Set<Promise<unknown>>();
  #changing: Promise<unknown> | undefined;
  #sweeping: Promise<SweepResult> | undefined;
  #timer: Disposable | undefined;
  #closed = false;

  constructor(options: ResolvedMemoryTierOptions) {
    const { clock, random } = options;
    this.name = options.name;
    this.#options = options;
    this.#time = new CoarseClock(clock);
    this.#wheel = new TimerWheel(clock.monotonicMs());
    this.#parts = {
      clock,
      time: this.#time,
      wheel: this.#wheel,
      seed: Math.floor(random() * 2 ** 32) | 0,
      reclaimLater: (entries) => this.#reclaimLater(entries),
      reclaimSome: () => this.#reclaimSome(),
    };
    this.#rooms = new Rooms(options.limits);
    this.#room = new Room(options.policy, options.limits, this.#rooms, random);
    this.#partitions = [new Partition("", this.#room, "frozen", this.#parts)];
  }

  /** Limits of all its parts together. */
  get limits(): RoomLimits {
    return this.#options.limits;
  }

  /**
   * A part for the keys that begin with `prefix`, with a room of its own when it has limits, which
   * hold beside those of the tier. For the cache on top; call it before any entry comes.
   */
  partition(prefix: string, room: RoomOptions | undefined, values: ValueMode): Partition {
    const own = room === undefined ? this.#room : this.#makeRoom(room);
    const partition = new Partition(prefix, own, values, this.#parts);
    this.#partitions.unshift(partition);
    this.#scheduleSweep();
    return partition;
  }

  async getMany(
    keys: readonly string[],
    options: TierCallOptions = {},
  ): Promise<readonly (TierEntry | undefined)[]> {
    this.#begin(options);
    const read = (whole: string): TierEntry | undefined => {
      const [partition, key] = this.#find(whole);
      const entry = partition.peek(key);
      if (entry === undefined) {
        partition.counts.misses++;
        return undefined;
      }
      partition.hit(entry);
      return partition.export(entry);
    };
    return this.#called(mapAtOnce(keys, read, () => nextSlice(options.signal)));
  }

  async lookMany(
    keys: readonly string[],
    options: TierCallOptions = {},
  ): Promise<readonly (EntryLook | undefined)[]> {
    this.#begin(options);
    const look = (whole: string): EntryLook | undefined => {
      const [partition, key] = this.#find(whole);
      const entry = partition.peek(key);
      return entry && partition.lookAt(entry);
    };
    return this.#called(mapAtOnce(keys, look, () => nextSlice(options.signal)));
  }

  async setMany(
    entries: readonly TierEntry[],
    options: TierCallOptions = {},
  ): Promise<readonly SetOutcome[]> {
    this.#begin(options);
    const put = (entry: TierEntry): SetOutcome => {
      const [partition, key] = this.#find(entry.key);
      return partition.put(key, entry);
    };
    return this.#changed(() => mapAtOnce(entries, put));
  }

  async expireMany(keys: readonly string[], options: ExpireOptions = {}): Promise<number> {
    this.#begin(options);
    const expire = (whole: string): boolean => {
      const [partition, key] = this.#find(whole);
      return partition.expireNow(key, options.atMs);
    };
    const expired = await this.#changed(() => mapAtOnce([...new Set(keys)], expire));
    return expired.filter(Boolean).length;
  }

  async dropMany(keys: readonly string[], options: TierCallOptions = {}): Promise<number> {
    this.#begin(options);
    const drop = (whole: string): boolean => {
      const [partition, key] = this.#find(whole);
      return partition.drop(key);
    };
    const dropped = await this.#changed(() => mapAtOnce(keys, drop));
    return dropped.filter(Boolean).length;
  }

  async dropTags(tags: readonly string[], options: TierCallOptions = {}): Promise<void> {
    this.#begin(options);
    await this.#changed(() => this.dropTagsNow(tags));
  }

  /** The same for a caller in the same turn. */
  dropTagsNow(tags: readonly string[]): void {
    for (const name of tags) {
      for (const partition of this.#partitions) partition.dropTag(name);
    }
  }

  async dropPrefix(prefix: string, options: TierCallOptions = {}): Promise<number> {
    this.#begin(options);
    return await this.#changed(() => this.#dropPrefix(prefix));
  }

  async *keys(
    query: KeysQuery = {},
    options: TierCallOptions = {},
  ): AsyncGenerator<readonly string[], void, undefined> {
    this.#begin(options);
    const { prefix = "" } = query;
    let chunk: string[] = [];
    for (const entry of this.#candidates(query)) {
      if (isSliceOver()) await nextSlice();
      const partition = entry.owner as Partition;
      const whole = partition.prefix + entry.key;
      if (!whole.startsWith(prefix) || !partition.holds(entry)) continue;
      chunk.push(whole);
      if (chunk.length < CHUNK_KEYS) continue;
      yield chunk;
      chunk = [];
      this.#begin(options);
    }
    if (chunk.length > 0) yield chunk;
  }

  async clear(options: TierCallOptions = {}): Promise<void> {
    this.#begin(options);
    await this.#changed(() => {
      for (const partition of this.#partitions) partition.clear();
    });
  }

  /** One sweep serves all who ask while it runs, so nobody can abort it. */
  async sweep(options: TierCallOptions = {}): Promise<SweepResult> {
    this.#begin(options);
    this.#sweeping ??= this.#sweep().finally(() => {
      this.#sweeping = undefined;
    });
    return await this.#sweeping;
  }

  statistics(): TierStatistics {
    const total = { ...newCounters(), entries: 0, bytes: 0 };
    const rooms = new Set<Room>();
    for (const { counts, size, room } of this.#partitions) {
      total.entries += size;
      rooms.add(room);
      for (const name of Object.keys(counts) as (keyof typeof counts)[]) {
        total[name] += counts[name];
      }
    }
    for (const { bytes } of rooms) total.bytes += bytes;
    return total;
  }

  resetStatistics(): void {
    for (const partition of this.#partitions) partition.counts = newCounters();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#timer?.[Symbol.dispose]();
    this.#time[Symbol.dispose]();
    await Promise.allSettled(this.#calls);
    await this.#sweeping;
    for (const partition of this.#partitions) partition.clear();
    this.#dead.length = 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #begin({ signal }: TierCallOptions): void {
    if (this.#closed) {
      throw new SpringhouseError("CLOSED", `The tier "${this.name}" is closed. Make another.`);
    }
    throwIfAborted(signal, `The call of tier "${this.name}"`);
    this.#scheduleSweep();
  }

  #called<T>(call: T | Promise<T>): T | Promise<T> {
    if (!(call instanceof Promise)) return call;
    this.#calls.add(call);
    const forget = (): void => void this.#calls.delete(call);
    call.then(forget, forget);
    return call;
  }

  /** Makes a change, after those that were asked for before it: at once when there are none. */
  #changed<T>(change: () => T | Promise<T>): T | Promise<T> {
    const call = this.#changing === undefined ? change() : this.#changing.then(change, change);
    if (!(call instanceof Promise)) return call;
    this.#changing = call;
    const forget = (): void => {
      if (this.#changing === call) this.#changing = undefined;
    };
    call.then(forget, forget);
    return this.#called(call);
  }

  async #dropPrefix(prefix: string): Promise<number> {
    let dropped = 0;
    for (const entry of this.#candidates({})) {
      if (isSliceOver()) await nextSlice();
      const partition = entry.owner as Partition;
      if (!(partition.prefix + entry.key).startsWith(prefix) || !partition.holds(entry)) continue;
      if (partition.drop(entry.key)) dropped++;
    }
    return dropped;
  }

  #makeRoom(given: RoomOptions): Room {
    const { policy, limits, random } = this.#options;
    const own = resolveRoomLimits(given, limits);
    return new Room(checkPolicy(given.policy ?? policy), own, this.#rooms, random);
  }

  /** The partition of a whole key, and the key in it. */
  #find(whole: string): readonly [Partition, string] {
    for (const partition of this.#partitions) {
      if (whole.startsWith(partition.prefix)) {
        return [partition, whole.slice(partition.prefix.length)];
      }
    }
    throw new SpringhouseError("ASSERTION", "This is a bug: no partition takes all keys");
  }

  /** The entries of a tag, or all of them: one after the other, for a walk in slices. */
  *#candidates({ tag }: KeysQuery): Generator<MemoryEntry, void, undefined> {
    for (const partition of this.#partitions) {
      yield* tag === undefined ? partition.entries() : partition.entriesOf(tag);
    }
  }

  #reclaimLater(entries: Iterable<MemoryEntry>): void {
    this.#dead.push(entries[Symbol.iterator]());
    if (this.#dead.length === 1) setImmediate(() => void this.#reclaim()).unref();
  }

  /** Gives back the room of dead entries, in slices. @returns how many. */
  async #reclaim(): Promise<number> {
    let reclaimed = 0;
    while (this.#dead.length > 0) {
      if (this.#reclaimNext()) reclaimed++;
      if (isSliceOver()) await nextSlice();
    }
    return reclaimed;
  }

  /** Gives back some room in this turn: what is dead is to go before anything that lives. */
  #reclaimSome(): void {
    for (let left = RECLAIMED_AT_ONCE; left > 0 && this.#dead.length > 0; left--) {
      this.#reclaimNext();
    }
  }

  /** Looks at one entry that may be dead. @returns whether its room was given back. */
  #reclaimNext(): boolean {
    const next = this.#dead[0]?.next();
    if (next === undefined || next.done === true) {
      this.#dead.shift();
      return false;
    }
    return (next.value.owner as Partition).reclaim(next.value);
  }

  async #sweep(): Promise<SweepResult> {
    let expired = 0;
    const reclaimed = await this.#reclaim();
    for (const entry of this.#wheel.advance(this.#time.refresh())) {
      if (entry !== undefined && (entry.owner as Partition).expired(entry)) expired++;
      if (isSliceOver()) await nextSlice();
    }
    return { expired, reclaimed };
  }

  /** The next sweep is due some time after the one before has ended. */
  #scheduleSweep(): void {
    const { clock, sweepEveryMs } = this.#options;
    if (this.#closed || sweepEveryMs === 0) return;
    this.#timer ??= clock.schedule(() => {
      void this.sweep().finally(() => {
        this.#timer = undefined;
        this.#scheduleSweep();
      });
    }, sweepEveryMs);
  }
}
