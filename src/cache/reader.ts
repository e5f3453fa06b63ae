/**
 * Reads of one category: memory, then one flight for each key through the other tiers and to the
 * load. One key is a case of many.
 */

import type { MemoryEntry } from "../tier/memory/memory-entry.ts";
import { Flight, MISS, type Resolved } from "./flight.ts";
import { hasPrefix } from "./key.ts";
import { type Loader, Loading, type ReadCall } from "./loading.ts";
import type { Shelf } from "./shelf.ts";

/** Reads and what they share. */
export class Reader {
  readonly #shelf: Shelf;
  readonly #flights = new Map<string, Flight>();
  readonly #loading: Loading;

  constructor(shelf: Shelf) {
    this.#shelf = shelf;
    this.#loading = new Loading(shelf, (flight) => this.#land(flight));
  }

  /** Reads under way. */
  get flights(): number {
    return this.#flights.size;
  }

  isFlying(key: string): boolean {
    return this.#flights.has(key);
  }

  /** The values of the keys, in their order. Rejects with the first failure of a load. */
  resolve(
    keys: readonly string[],
    loader: Loader | undefined,
    call: ReadCall,
  ): Promise<readonly Resolved[]> {
    const mine: Flight[] = [];
    const results = keys.map((key) => this.#begin(key, loader, call, mine));
    if (mine.length > 0) void this.#fly(mine, loader, call);
    return Promise.all(results);
  }

  /** Loads anew behind whoever asked, unless somebody does. */
  refresh(key: string, loader: Loader, call: ReadCall): void {
    if (this.#flights.has(key)) return;
    const flight = this.#launch(key, true);
    flight.keepGoing();
    void this.#fly([flight], loader, { ...call, refresh: true });
  }

  /** The key changes: what was read before must neither be kept nor be given to anybody new. */
  fence(key: string): void {
    const flight = this.#flights.get(key);
    if (flight === undefined) return;
    flight.fenced = true;
    this.#flights.delete(key);
  }

  fencePrefix(prefix: string): void {
    for (const key of this.#flights.keys()) if (hasPrefix(key, prefix)) this.fence(key);
  }

  fenceAll(): void {
    for (const key of this.#flights.keys()) this.fence(key);
  }

  /** Which flights bring an entry with the tag is known only when they land. */
  fenceTags(tags: readonly string[]): void {
    for (const flight of this.#flights.values()) flight.fenceTags(tags);
    this.#flights.clear();
  }

  #begin(
    key: string,
    loader: Loader | undefined,
    call: ReadCall,
    mine: Flight[],
  ): Promise<Resolved> | Resolved {
    if (!call.refresh && !call.bypass) {
      const found = this.#fromMemory(key, loader, call);
      if (found !== undefined) return found;
    }
    if (call.refresh) this.fence(key);
    const flying = this.#flights.get(key);
    if (flying === undefined) {
      const flight = this.#launch(key, loader !== undefined);
      mine.push(flight);
      return flight.join(call.signal);
    }
    if (flying.loads || loader === undefined) return flying.join(call.signal);
    // Somebody only looks; whoever can load goes on from there.
    return flying.join(call.signal).then(async (resolved) => {
      if (resolved.hit) return resolved;
      const [own] = await this.resolve([key], loader, call);
      return own ?? MISS;
    });
  }

  #launch(key: string, loads: boolean): Flight {
    const flight = new Flight(key, loads, (left) => this.#land(left));
    this.#flights.set(key, flight);
    return flight;
  }

  #land(flight: Flight): void {
    if (this.#flights.get(flight.key) === flight) this.#flights.delete(flight.key);
  }

  #fromMemory(key: string, loader: Loader | undefined, call: ReadCall): Resolved | undefined {
    const { memory } = this.#shelf;
    if (memory === undefined) return undefined;
    const entry = memory.findExactly(key);
    if (entry === undefined) {
      memory.counts.misses++;
      return undefined;
    }
    this.#shelf.tell("hit", key, "memory");
    if (loader !== undefined && entry.slidingMs === 0 && entry.attentionMs < entry.freshUntilMs) {
      this.#refreshWhenDue(entry, loader, call);
    }
    return this.#shelf.resolved(memory.valueOf(entry), "memory", entry.isStale);
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
      this.#recallStale(flights, call);
      if (!call.refresh && !call.bypass) await this.#look(flights);
      const open = flights.filter(({ settled }) => !settled);
      for (const { key } of open) {
        this.#shelf.counts.misses++;
        this.#shelf.tell("miss", key, "all");
      }
      if (loader !== undefined) await this.#loading.load(open, loader, call);
      else for (const flight of open) this.#settleWithout(flight, call);
    } catch (error) {
      for (const flight of flights) if (!flight.settled) flight.fail(error);
    } finally {
      for (const flight of flights) this.#land(flight);
    }
  }

  /** What memory has kept past its time. */
  #recallStale(flights: readonly Flight[], call: ReadCall): void {
    const { memory } = this.#shelf;
    if (memory === undefined || call.bypass) return;
    for (const flight of flights) {
      const entry = memory.peek(flight.key);
      if (entry !== undefined) flight.offerStale(memory.export(entry));
    }
  }

  /** Looks into the tiers below memory, and fills those above the one that has it. */
  async #look(flights: readonly Flight[]): Promise<void> {
    const { tiers, prefix, parts, life } = this.#shelf;
    for (const [index, tier] of tiers.entries()) {
      const open = flights.filter(({ settled }) => !settled);
      if (open.length === 0) return;
      const entries = await tier.getMany(open.map(({ key }) => prefix + key));
      const nowMs = parts.clock.nowMs();
      for (const [at, flight] of open.entries()) {
        const entry = entries[at];
        if (entry === undefined || flight.isFencedFor(entry.tags)) continue;
        if (entry.freshUntilMs <= nowMs) {
          flight.offerStale(entry);
          continue;
        }
        this.#shelf.fill(flight.key, entry, index, life);
        this.#shelf.counts.hits++;
        this.#shelf.tell("hit", flight.key, tier.name);
        flight.settle(this.#shelf.resolved(entry.value, tier.name, false));
      }
    }
  }

  #settleWithout(flight: Flight, call: ReadCall): void {
    if (call.allowStale && flight.stale !== undefined)
      this.#shelf.release(flight, flight.stale, undefined);
    else flight.settle(MISS);
  }
}
