/**
 * Reads of one category: memory, then one flight for each key through the other tiers and to the
 * load. One key is a case of many.
 */

import { SpringhouseError } from "../core/errors.ts";
import { isSliceOver, mapInSlices, nextSlice } from "../core/slices.ts";
import type { MemoryEntry } from "../tier/memory/memory-entry.ts";
import { ownCopy } from "../tier/memory/own-copy.ts";
import type { TierEntry } from "../tier/tier.ts";
import { Bulk, Bulks } from "./bulk.ts";
import { Flight, MISS, type Resolved } from "./flight.ts";
import { hasPrefix, type Key, keyText } from "./key.ts";
import { LoadRun } from "./load-run.ts";
import { type Loader, Loading, type ReadCall } from "./loading.ts";
import type { Shelf } from "./shelf.ts";

/** What a read comes to. */
export type Resolving = Promise<Resolved> | Resolved;

/** Reads and what they share. */
export class Reader {
  readonly #shelf: Shelf;
  /** The latest flight of each key, for who comes to join it and for what changes it. */
  readonly #flights = new Map<string, Flight>();
  /** All of them, until they end. */
  readonly #airborne = new Set<Flight>();
  readonly #loading: Loading;
  /** Calls that change many keys and have not come to all of them. */
  readonly #bulks = new Bulks();
  readonly #unlistFlight = (flight: Flight): void => {
    if (this.#flights.get(flight.key) === flight) this.#flights.delete(flight.key);
  };
  #closed = false;

  constructor(shelf: Shelf) {
    this.#shelf = shelf;
    this.#loading = new Loading(shelf);
  }

  /** Reads under way. */
  get flights(): number {
    return this.#airborne.size;
  }

  isFlying(key: string): boolean {
    return this.#flights.has(key);
  }

  /** What is found of each key, in their order. */
  resolve(keys: readonly string[], loader: Loader | undefined, call: ReadCall): Resolving[] {
    const mine: Flight[] = [];
    const results = keys.map((key) => this.#begin(key, loader, call, mine));
    if (mine.length > 0) void this.#fly(mine, loader, call);
    return results;
  }

  /** The same for many keys, in slices, when all of it is found; rejects when one of it fails. */
  async resolveAll(
    keys: readonly Key[],
    loader: Loader | undefined,
    call: ReadCall,
  ): Promise<readonly Resolved[]> {
    const failed = Promise.withResolvers<never>();
    failed.promise.catch(() => undefined);
    const each = await this.resolveMany(keys, loader, call, failed.reject);
    const wait = async (): Promise<Resolved[]> => {
      const all: Resolved[] = [];
      for (const one of each) {
        if (all.length > 0 && isSliceOver()) await nextSlice();
        all.push(one instanceof Promise ? await one : one);
      }
      return all;
    };
    return await Promise.race([wait(), failed.promise]);
  }

  /** What is found of each of many keys, in slices. @param onFailed is told of each rejection. */
  async resolveMany(
    keys: readonly Key[],
    loader: Loader | undefined,
    call: ReadCall,
    onFailed: (error: unknown) => void = () => undefined,
  ): Promise<Resolving[]> {
    const mine: Flight[] = [];
    const begin = (key: Key): Resolving => {
      if (this.#closed) throw new SpringhouseError("CLOSED", "The cache was closed meanwhile.");
      const result = this.#begin(keyText(key), loader, call, mine);
      if (result instanceof Promise) result.catch(onFailed);
      return result;
    };
    try {
      return await mapInSlices(keys, begin, call.signal);
    } finally {
      // Whatever happened: others may have joined them.
      if (mine.length > 0) void this.#fly(mine, loader, call);
    }
  }

  /** Loads anew behind whoever asked, unless somebody does. */
  refresh(key: string, loader: Loader, call: ReadCall): void {
    if (this.#joinable(key) !== undefined) return;
    const flight = this.#launch(key, true, undefined);
    flight.keepGoing();
    void this.#fly([flight], loader, { ...call, refresh: true });
  }

  /** Loads anew for nobody who waits. @returns what has come of it. */
  renew(key: string, loader: Loader, call: ReadCall): Promise<Resolved> {
    const flight = this.#launch(key, true, undefined);
    const renewed = flight.join(call.signal, true);
    void this.#fly([flight], loader, { ...call, refresh: true });
    return renewed;
  }

  /** A call that changes many keys; to be ended. @param tags what it sets has. */
  beginBulk(tags: readonly string[]): Bulk {
    return new Bulk(this.#bulks, tags);
  }

  /** The key changes: what was read before must neither be kept nor be given to anybody new. */
  fence(key: string, by?: Bulk): void {
    this.#bulks.overtakeKey(key, by);
    this.#fenceFlight(key);
  }

  fencePrefix(prefix: string): void {
    this.#bulks.overtakePrefix(prefix);
    for (const key of this.#flights.keys()) if (hasPrefix(key, prefix)) this.#fenceFlight(key);
  }

  fenceAll(): void {
    this.#bulks.overtakeAll();
    for (const key of this.#flights.keys()) this.#fenceFlight(key);
  }

  /** Which flights bring an entry with the tag is known only when they land. */
  fenceTags(tags: readonly string[]): void {
    this.#bulks.overtakeTags(tags);
    for (const flight of this.#flights.values()) flight.fenceTags(tags);
  }

  /** Ends all reads under way. */
  close(error: SpringhouseError): void {
    this.#closed = true;
    for (const flight of this.#airborne) {
      if (!flight.settled) flight.fail(error);
      flight.abandon(error);
    }
  }

  #begin(key: string, loader: Loader | undefined, call: ReadCall, mine: Flight[]): Resolving {
    if (!call.refresh && !call.bypass) {
      const found = this.#fromMemory(key, loader, call);
      if (found !== undefined) return found;
    }
    const flying = this.#joinable(key);
    if (flying !== undefined && (!call.refresh || flying.call === mine)) {
      return this.#fromRefresh(flying) ?? this.#join(flying, loader, call);
    }
    const flight = this.#launch(key, loader !== undefined, mine);
    mine.push(flight);
    const value = flight.join(call.signal);
    if (loader !== undefined || !call.allowStale) return value;
    return value.then((resolved) => (resolved.hit ? resolved : this.#staleOf(flight)));
  }

  /** What is stale of a key, while it is kept. Counts it. */
  #staleOf({ key, stale }: Flight): Resolved {
    if (stale === undefined || stale.keepUntilMs <= this.#shelf.parts.clock.nowMs()) return MISS;
    this.#shelf.countStale(key, 1);
    return this.#shelf.stale(stale, undefined);
  }

  /** What a tier below has, while it is loaded anew ahead of its end: nobody waits for that. */
  #fromRefresh({ key, stale, aheadOf }: Flight): Resolved | undefined {
    if (aheadOf === undefined || stale === undefined) return undefined;
    if (stale.freshUntilMs <= this.#shelf.parts.clock.nowMs()) return undefined;
    return { ...this.#shelf.hit(key, ownCopy(stale.value), aheadOf), changeable: false };
  }

  /** Waits for the flight of another, as far as what it brings is what was asked for. */
  async #join(flight: Flight, loader: Loader | undefined, call: ReadCall): Promise<Resolved> {
    const isOwn = LoadRun.waitsForItself(flight);
    if (loader === undefined) return await this.#lookAlong(flight, isOwn, call);
    if (isOwn) throw this.#shelf.selfError(flight.key);
    const resolved = await (flight.loads
      ? this.#loadAlong(flight, call.signal)
      : this.#waitForLook(flight, call.signal));
    if (resolved !== MISS) return resolved;
    // Somebody only looks, or nobody loads any more; whoever can load goes on from there.
    const [own] = this.resolve([flight.key], loader, call);
    return (await own) ?? MISS;
  }

  /** Who comes when the others were counted, and may have been answered, is counted here. */
  #loadAlong(flight: Flight, signal: AbortSignal | undefined): Promise<Resolved> {
    const value = flight.joinAt(this.#shelf.parts.clock.nowMs(), signal);
    if (flight.missed) this.#shelf.countMisses(flight.key, 1);
    if (flight.settled) this.#shelf.countStale(flight.key, 1);
    return value;
  }

  async #waitForLook(flight: Flight, signal: AbortSignal | undefined): Promise<Resolved> {
    flight.goingOn++;
    try {
      return await flight.join(signal);
    } finally {
      flight.goingOn--;
    }
  }

  /** Takes what a flight brings, unless it is stale: that is for who would load. */
  async #lookAlong(flight: Flight, isOwn: boolean, call: ReadCall): Promise<Resolved> {
    let resolved = MISS;
    try {
      if (!isOwn && !flight.released) resolved = await this.#waitForLook(flight, call.signal);
    } catch (error) {
      // Who only looks has not asked for the load, and does not fail with it.
      if (call.signal?.aborted || this.#closed) throw error;
    }
    if (flight.missed || !resolved.hit) this.#shelf.countMisses(flight.key, 1);
    if (resolved.hit && !resolved.stale) return resolved;
    return call.allowStale ? this.#staleOf(flight) : MISS;
  }

  #joinable(key: string): Flight | undefined {
    const flight = this.#flights.get(key);
    return flight?.closed ? undefined : flight;
  }

  #launch(key: string, loads: boolean, call: object | undefined): Flight {
    // What another still brings was read before, and would replace what this one does.
    this.#fenceFlight(key);
    const flight = new Flight(key, loads, call, this.#unlistFlight);
    this.#flights.set(key, flight);
    this.#airborne.add(flight);
    return flight;
  }

  #fenceFlight(key: string): void {
    const flight = this.#flights.get(key);
    if (flight === undefined) return;
    flight.fenced = true;
    this.#flights.delete(key);
  }

  #fromMemory(key: string, loader: Loader | undefined, call: ReadCall): Resolved | undefined {
    const { memory } = this.#shelf;
    if (memory === undefined) return undefined;
    const entry = memory.findExactly(key);
    if (entry === undefined) {
      memory.counts.misses++;
      return undefined;
    }
    const { memoryName } = this.#shelf;
    this.#shelf.tell("hit", key, memoryName);
    if (loader !== undefined && entry.slidingMs === 0 && entry.attentionMs !== undefined) {
      this.#refreshWhenDue(entry, loader, call);
    }
    // The value is the caller's own already.
    const value = memory.valueOf(entry);
    const { isStale: stale } = entry;
    return { value, hit: true, stale, source: memoryName, error: undefined, changeable: false };
  }

  #refreshWhenDue(entry: MemoryEntry, loader: Loader, call: ReadCall): void {
    const { memory } = this.#shelf;
    if (memory === undefined || !memory.isDue(entry)) return;
    memory.attendAt(entry, entry.freshUntilMs);
    this.refresh(entry.key, loader, call);
  }

  /** Never rejects: every failure has its flights. */
  async #fly(
    flights: readonly Flight[],
    loader: Loader | undefined,
    call: ReadCall,
  ): Promise<void> {
    try {
      const recalled = this.#recallStale(flights, call);
      if (recalled !== undefined) await recalled;
      if (!call.refresh && !call.bypass) await this.#look(flights, loader, call);
      const missed = this.#shelf.forMany(flights, (flight) => {
        if (!flight.isOpen) return;
        flight.missed = true;
        this.#shelf.countMisses(flight.key, flight.counted);
      });
      if (missed !== undefined) await missed;
      if (!call.refresh && !call.bypass) await this.#spareLoads(flights);
      if (loader !== undefined) await this.#loading.load(flights, loader, call);
      else await this.#shelf.forMany(flights, (flight) => flight.isOpen && flight.settle(MISS));
    } catch (error) {
      await this.#shelf.forMany(flights, (flight) => {
        if (!flight.settled) flight.fail(error);
      });
    } finally {
      await this.#shelf.forMany(flights, (flight) => {
        if (flight.settled) flight.land();
        else flight.settle(MISS);
        this.#airborne.delete(flight);
      });
    }
  }

  /** What memory has kept past its time. */
  #recallStale(flights: readonly Flight[], call: ReadCall): void | Promise<void> {
    const { memory } = this.#shelf;
    if (memory === undefined || call.bypass) return;
    return this.#shelf.forMany(flights, (flight) => {
      const entry = flight.fenced ? undefined : memory.peek(flight.key);
      if (entry !== undefined) flight.offerStale(memory.export(entry));
    });
  }

  /** Looks into the tiers below memory, and fills those above the one that has it. */
  async #look(
    flights: readonly Flight[],
    loader: Loader | undefined,
    call: ReadCall,
  ): Promise<void> {
    const { tiers, prefix, parts } = this.#shelf;
    const due: Flight[] = [];
    for (const [index, tier] of tiers.entries()) {
      const open = flights.filter(({ isOpen }) => isOpen);
      if (open.length === 0) break;
      const entries = await tier.getMany(open.map(({ key }) => prefix + key));
      let at = 0;
      await this.#shelf.forMany(open, (flight) => {
        const found = entries[at++];
        if (found === undefined || flight.isFencedFor(found.tags) || !flight.isOpen) return;
        const own = tier.own(found);
        if (own === undefined) return;
        const entry = { ...found, value: own.value };
        if (entry.freshUntilMs <= parts.clock.nowMs()) {
          flight.offerStale(entry);
          return;
        }
        const { key } = flight;
        this.#shelf.fill(key, entry, index, call.life);
        flight.settle(this.#shelf.hit(key, own, tier.name, flight.waiters));
        if (loader === undefined || !this.#shelf.isDue(key, entry, call.life)) return;
        if (this.#joinable(key) === undefined) due.push(this.#launchAhead(key, entry, tier.name));
      });
    }
    if (due.length > 0) void this.#fly(due, loader, { ...call, refresh: true });
  }

  /** A flight behind a hit in a tier below. */
  #launchAhead(key: string, entry: TierEntry, tier: string): Flight {
    const flight = this.#launch(key, true, undefined);
    flight.keepGoing();
    flight.offerStale(entry);
    flight.aheadOf = tier;
    return flight;
  }

  /** What is stale in all tiers will do for a while when its load has just failed. */
  #spareLoads(flights: readonly Flight[]): void | Promise<void> {
    const { pauses } = this.#shelf;
    if (pauses.size === 0) return;
    return this.#shelf.forMany(flights, (flight) => {
      const { key, stale } = flight;
      if (
        stale === undefined ||
        !flight.isOpen ||
        flight.isFencedFor(stale.tags) ||
        !pauses.has(key, stale)
      )
        return;
      flight.land();
      this.#shelf.release(flight, stale, undefined);
    });
  }
}
