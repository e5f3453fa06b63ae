/**
 * Reads of one category: memory, then one flight for each key through the other tiers and to the
 * load. One key is a case of many.
 */

import { onAbort } from "../core/abort.ts";
import type { MemoryEntry } from "../tier/memory/memory-entry.ts";
import { type OwnCopy, ownCopy } from "../tier/memory/own-copy.ts";
import type { TierEntry } from "../tier/tier.ts";
import { Flight, MISS, type Resolved } from "./flight.ts";
import { hasPrefix } from "./key.ts";
import { awaitLease, leaseTierOf } from "./lease.ts";
import type { ResolvedLife } from "./life.ts";
import { type Load, type Loaded, type LoadMany, runLoad, type StaleValue } from "./load.ts";
import type { Shelf } from "./shelf.ts";

/** How the values are made: one by one, or together. */
export type Loader =
  | { readonly kind: "one"; readonly load: Load<unknown> }
  | { readonly kind: "many"; readonly load: LoadMany<unknown> };

/** What holds for one call. */
export interface ReadCall {
  readonly life: ResolvedLife;
  readonly tags: readonly string[];
  readonly signal: AbortSignal | undefined;
  /** Loads whatever there is. */
  readonly refresh: boolean;
  /** A value past its time will do. */
  readonly allowStale: boolean;
  /** Of several processes one loads. */
  readonly lease: boolean;
  /** Nothing is read from the tiers or kept. */
  readonly bypass: boolean;
}

/** Reads and what they share. */
export class Reader {
  readonly #shelf: Shelf;
  readonly #flights = new Map<string, Flight>();

  constructor(shelf: Shelf) {
    this.#shelf = shelf;
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
    return this.#fromEntry(memory.valueOf(entry), "memory", entry.isStale);
  }

  #refreshWhenDue(entry: MemoryEntry, loader: Loader, call: ReadCall): void {
    if (!this.#shelf.memory?.isDue(entry)) return;
    entry.attentionMs = entry.freshUntilMs;
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
      if (loader !== undefined) await this.#load(open, loader, call);
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
        flight.settle(this.#fromEntry(entry.value, tier.name, false));
      }
    }
  }

  #settleWithout(flight: Flight, call: ReadCall): void {
    if (call.allowStale && flight.stale !== undefined)
      this.#release(flight, flight.stale, undefined);
    else flight.settle(MISS);
  }

  /** Gives out what is stale. */
  #release(flight: Flight, stale: TierEntry, error: unknown): void {
    if (flight.settled) return;
    this.#shelf.counts.staleHits++;
    this.#shelf.tell("stale", flight.key, "memory", error);
    flight.settle({ ...this.#fromEntry(stale.value, "stale", true), error });
  }

  async #load(open: readonly Flight[], loader: Loader, call: ReadCall): Promise<void> {
    if (open.length === 0) return;
    const { parts } = this.#shelf;
    const { life } = call;
    const nowMs = parts.clock.nowMs();
    for (const flight of open) {
      const { stale } = flight;
      if (stale === undefined || call.refresh) continue;
      if (nowMs < stale.freshUntilMs + life.staleWhileRevalidateMs) {
        flight.keepGoing();
        this.#release(flight, stale, undefined);
      }
    }
    const timeouts = this.#startTimeouts(open, life);
    try {
      await Promise.race([this.#loadOnce(open, loader, call), timeouts.over]);
    } finally {
      timeouts.stop();
    }
  }

  /** Loads what no other process loads, and waits for what others do. */
  async #loadOnce(open: readonly Flight[], loader: Loader, call: ReadCall): Promise<void> {
    const { tiers, parts, prefix } = this.#shelf;
    const tier = call.lease && !call.bypass ? leaseTierOf(tiers) : undefined;
    if (tier === undefined) return await this.#run(open, loader, call);
    await Promise.all(
      open.map(async (flight) => {
        const isOver = (): boolean => flight.signal.aborted || flight.settled;
        const answer = await awaitLease(tier, prefix + flight.key, parts, isOver);
        if (answer.kind === "found") return this.#takeOver(flight, answer.entry);
        if (answer.kind === "given-up") return;
        try {
          await this.#run([flight], loader, call);
          await this.#shelf.flushed();
        } finally {
          await answer.release();
        }
      }),
    );
  }

  /** What another process has loaded while this one waited for it. */
  #takeOver(flight: Flight, entry: TierEntry): void {
    if (!flight.isFencedFor(entry.tags)) this.#shelf.fill(flight.key, entry, 0, this.#shelf.life);
    if (!flight.settled) flight.settle(this.#fromEntry(entry.value, "lease", false));
  }

  /** Releases what waits: with what is stale when it takes long, with an error when too long. */
  #startTimeouts(
    flights: readonly Flight[],
    { softTimeoutMs, hardTimeoutMs }: ResolvedLife,
  ): { readonly over: Promise<void>; stop(): void } {
    const { clock } = this.#shelf.parts;
    const { promise: over, resolve } = Promise.withResolvers<void>();
    const timers: Disposable[] = [];
    if (Number.isFinite(softTimeoutMs) && flights.some(({ stale }) => stale !== undefined)) {
      const release = (): void => {
        for (const flight of flights) {
          if (flight.stale !== undefined) this.#release(flight, flight.stale, undefined);
        }
      };
      timers.push(clock.schedule(release, softTimeoutMs, true));
    }
    if (Number.isFinite(hardTimeoutMs)) {
      const giveUp = (): void => {
        for (const flight of flights) this.#giveUp(flight, hardTimeoutMs);
        resolve();
      };
      timers.push(clock.schedule(giveUp, hardTimeoutMs, true));
    }
    const stop = (): void => {
      for (const timer of timers) timer[Symbol.dispose]();
      resolve();
    };
    return { over, stop };
  }

  #giveUp(flight: Flight, timeoutMs: number): void {
    const error = this.#shelf.timeoutError(flight.key, timeoutMs);
    if (!flight.settled) this.#crashed(flight, error, this.#shelf.life);
    this.#land(flight);
    flight.abort(error);
  }

  async #run(flights: readonly Flight[], loader: Loader, call: ReadCall): Promise<void> {
    if (flights.length === 0) return;
    const startMs = this.#shelf.parts.clock.monotonicMs();
    this.#shelf.counts.loads++;
    if (loader.kind === "many") return await this.#runMany(flights, loader.load, call, startMs);
    await Promise.all(
      flights.map(async (flight) => {
        try {
          const stale = this.#staleValue(flight);
          const loaded = await runLoad(loader.load, flight.key, flight.signal, stale);
          this.#loaded(flight, loaded, call, startMs);
        } catch (error) {
          this.#crashed(flight, error, call.life);
        }
      }),
    );
  }

  async #runMany(
    flights: readonly Flight[],
    load: LoadMany<unknown>,
    call: ReadCall,
    startMs: number,
  ): Promise<void> {
    const keys = flights.map(({ key }) => key);
    try {
      const signal = whenAllAborted(flights.map((flight) => flight.signal));
      const results = await load(keys, { signal });
      for (const [index, flight] of flights.entries()) {
        const value = Array.isArray(results)
          ? results[index]
          : (results as ReadonlyMap<string, unknown>).get(flight.key);
        if (value instanceof Error) {
          this.#crashed(flight, value, call.life);
          continue;
        }
        const kept = value !== undefined;
        this.#loaded(
          flight,
          { value, kept, ttlMs: undefined, tags: [], etag: undefined },
          call,
          startMs,
        );
      }
    } catch (error) {
      for (const flight of flights) this.#crashed(flight, error, call.life);
    }
  }

  #staleValue({ stale }: Flight): StaleValue<unknown> | undefined {
    if (stale === undefined) return undefined;
    const ageMs = this.#shelf.parts.clock.nowMs() - stale.createdMs;
    return { value: stale.value, ageMs, etag: stale.etag };
  }

  #loaded(flight: Flight, loaded: Loaded, call: ReadCall, startMs: number): void {
    const loadMs = this.#shelf.parts.clock.monotonicMs() - startMs;
    const tags = [...call.tags, ...loaded.tags];
    const kept = loaded.kept && !call.bypass && !flight.isFencedFor(tags);
    const own: OwnCopy | undefined =
      this.#shelf.memory?.values === "shared" ? undefined : ownCopy(loaded.value);
    const value = own === undefined ? loaded.value : own.value;
    if (kept) this.#shelf.keep(flight.key, { ...loaded, value, tags, loadMs }, call.life);
    const changeable = own?.changeable ?? false;
    const hit = loaded.value !== undefined;
    if (!flight.settled) {
      flight.settle({ value, hit, stale: false, source: "load", error: undefined, changeable });
    }
  }

  /** A load failed: what is stale will do, and is left alone for a while. */
  #crashed(flight: Flight, error: unknown, life: ResolvedLife): void {
    this.#shelf.counts.loadErrors++;
    this.#shelf.tell("error", flight.key, "load", error);
    const { stale } = flight;
    const { memory, parts } = this.#shelf;
    if (stale === undefined || stale.keepUntilMs <= parts.clock.nowMs()) {
      if (!flight.settled) flight.fail(error);
      return;
    }
    if (memory !== undefined && !flight.isFencedFor(stale.tags)) {
      const againMs = parts.clock.nowMs() + life.retryAfterMs;
      const freshUntilMs = Math.min(againMs, stale.keepUntilMs);
      memory.putStale(flight.key, { ...stale, freshUntilMs, slidingMs: 0 });
    }
    this.#release(flight, stale, error);
  }

  #fromEntry(value: unknown, source: string, stale: boolean): Resolved {
    if (this.#shelf.memory?.values === "shared") {
      return { value, hit: true, stale, source, error: undefined, changeable: false };
    }
    const own = source === "memory" ? { value, changeable: false } : ownCopy(value);
    return {
      value: own.value,
      hit: true,
      stale,
      source,
      error: undefined,
      changeable: own.changeable,
    };
  }
}

/** Fires when all of them have. */
function whenAllAborted(signals: readonly AbortSignal[]): AbortSignal {
  const controller = new AbortController();
  let left = signals.length;
  for (const signal of signals) {
    onAbort(signal, () => {
      if (--left === 0) controller.abort(signal.reason);
    });
  }
  return controller.signal;
}
