/**
 * The loads of flights: what they are given, how long they may take, and what becomes of what they
 * bring or of their failure.
 */

import { isSliceOver, nextSlice } from "../core/slices.ts";
import { ownCopy } from "../tier/memory/own-copy.ts";
import type { EntryLook, TierEntry } from "../tier/tier.ts";
import type { Flight } from "./flight.ts";
import type { GuardedTier } from "./guarded-tier.ts";
import { askLease, awaitLease, FREE, type LeaseAnswer, leaseTierOf } from "./lease.ts";
import type { ResolvedLife } from "./life.ts";
import { type Load, type Loaded, type LoadMany, loadedOf, runLoad } from "./load.ts";
import { LoadRun } from "./load-run.ts";
import { LoadTimers } from "./load-timers.ts";
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

/** Keys of one call that leases are asked for; each takes a write, and more are a job of one. */
const LEASED_KEYS_MAX = 1_000;

/** Flights for which a step of all of them takes next to no time. */
const STEPS_AT_ONCE = 1_000;

/** When a load began, by the clock that others go by, and by the one that none can set. */
interface LoadStart {
  readonly atMs: number;
  readonly monotonicMs: number;
}

/** Loads for one category. */
export class Loading {
  readonly #shelf: Shelf;
  /** The keys whose lease a load of this process has. */
  readonly #leased = new Set<string>();

  constructor(shelf: Shelf) {
    this.#shelf = shelf;
  }

  /**
   * Loads what no tier has, of flights that are open. Settles them, and never rejects for a load
   * that failed.
   */
  async load(flights: readonly Flight[], loader: Loader, call: ReadCall): Promise<void> {
    const { parts } = this.#shelf;
    const { life } = call;
    const nowMs = parts.clock.nowMs();
    const open: Flight[] = [];
    const begun = this.#shelf.forMany(flights, (flight) => {
      if (!flight.isOpen) return;
      open.push(flight);
      const { stale } = flight;
      if (stale === undefined || call.refresh) return;
      const untilMs = stale.freshUntilMs + life.staleWhileRevalidateMs;
      if (nowMs < untilMs) this.#shelf.release(flight, stale, undefined, untilMs);
    });
    if (begun !== undefined) await begun;
    if (open.length === 0) return;
    const timers = new LoadTimers(parts.clock, open);
    await restBetween(open);
    const timeouts = this.#startTimeouts(open, life, timers);
    try {
      await Promise.race([this.#loadOnce(open, loader, call, timers), timeouts]);
    } finally {
      timers.stop();
    }
  }

  /** Loads what no other process loads, all of it at once, and waits for what others do. */
  async #loadOnce(
    open: readonly Flight[],
    loader: Loader,
    call: ReadCall,
    timers: LoadTimers,
  ): Promise<void> {
    const leases = call.lease && !call.bypass && open.length <= LEASED_KEYS_MAX;
    const tier = leases ? leaseTierOf(this.#shelf.tiers) : undefined;
    if (tier === undefined) return await this.#run(open, loader, call);
    const asked = await Promise.all(
      open.map(async (flight) => [flight, await this.#ask(tier, flight, call)] as const),
    );
    const held = asked.filter(([, { kind }]) => kind === "held");
    await Promise.all([
      this.#useLeases(asked, tier, loader, call),
      ...held.map(async ([flight]) => {
        const ask = (): Promise<LeaseAnswer> => this.#ask(tier, flight, call);
        const answer = await awaitLease(this.#shelf.parts.clock, timers, ask, () => !flight.isOpen);
        await this.#useLeases([[flight, answer]], tier, loader, call);
      }),
    ]);
  }

  async #ask(tier: GuardedTier, flight: Flight, call: ReadCall): Promise<LeaseAnswer> {
    // An earlier flight of this process has it, which nobody may join any more.
    if (this.#leased.has(flight.key)) return FREE;
    const { prefix, parts } = this.#shelf;
    const knownMs = call.refresh ? (flight.stale?.createdMs ?? Number.POSITIVE_INFINITY) : 0;
    const isGood = ({ freshUntilMs, createdMs }: EntryLook): boolean =>
      freshUntilMs > parts.clock.nowMs() && (!call.refresh || createdMs > knownMs);
    const answer = await askLease(tier, prefix + flight.key, parts.clock, isGood);
    if (answer.kind !== "load" || answer === FREE) return answer;
    this.#leased.add(flight.key);
    // A load that was told to end may go on for ever, and is not to keep others from theirs.
    flight.onAbandoned(answer.letEnd);
    const release = async (): Promise<void> => {
      this.#leased.delete(flight.key);
      await answer.release();
    };
    return { ...answer, release };
  }

  async #useLeases(
    answers: readonly (readonly [Flight, LeaseAnswer])[],
    tier: GuardedTier,
    loader: Loader,
    call: ReadCall,
  ): Promise<void> {
    const mine: Flight[] = [];
    try {
      for (const [flight, answer] of answers) {
        if (answer.kind === "found") this.#takeOver(flight, answer.entry, tier, call);
        else if (answer.kind === "load" && !flight.isAbandoned) mine.push(flight);
      }
      if (mine.length === 0) return;
      await this.#run(mine, loader, call);
      await this.#shelf.flushed();
    } finally {
      for (const [, answer] of answers) if (answer.kind === "load") await answer.release();
    }
  }

  /** What another process has loaded while this one waited for it. */
  #takeOver(flight: Flight, entry: TierEntry, tier: GuardedTier, call: ReadCall): void {
    const own = tier.own(entry);
    if (own === undefined) return;
    if (!flight.isFencedFor(entry.tags)) this.#shelf.fill(flight.key, entry, 0, call.life);
    if (flight.settled) return;
    flight.settle({ ...own, hit: true, stale: false, source: "lease", error: undefined });
  }

  /**
   * Releases what waits: with what is stale when it takes long, with an error when too long.
   * Resolves when that has come, or nobody wants anything any more.
   */
  #startTimeouts(
    flights: readonly Flight[],
    life: ResolvedLife,
    timers: LoadTimers,
  ): Promise<void> {
    const { softTimeoutMs, hardTimeoutMs } = life;
    const { clock } = this.#shelf.parts;
    const { promise: over, resolve } = Promise.withResolvers<void>();
    if (Number.isFinite(softTimeoutMs) && flights.some(({ stale }) => stale !== undefined)) {
      const release = (): void => {
        const nowMs = clock.nowMs();
        for (const flight of flights) {
          const { stale } = flight;
          if (stale === undefined || stale.keepUntilMs <= nowMs) continue;
          this.#shelf.release(flight, stale, undefined);
        }
      };
      timers.start(release, softTimeoutMs);
    }
    if (Number.isFinite(hardTimeoutMs)) {
      const giveUp = (): void => {
        for (const flight of flights) this.#giveUp(flight, life);
        resolve();
      };
      timers.start(giveUp, hardTimeoutMs);
    }
    whenAllAbandoned(flights, () => resolve());
    return over;
  }

  #giveUp(flight: Flight, life: ResolvedLife): void {
    if (flight.landed) return;
    const error = this.#shelf.timeoutError(flight.key, life.hardTimeoutMs);
    this.#crashed(flight, error, life);
    flight.abandon(error);
  }

  async #run(flights: readonly Flight[], loader: Loader, call: ReadCall): Promise<void> {
    if (flights.length === 0) return;
    const { counts, parts } = this.#shelf;
    const start = { atMs: parts.clock.nowMs(), monotonicMs: parts.clock.monotonicMs() };
    counts.loads += loader.kind === "many" ? 1 : flights.length;
    if (loader.kind === "many") return await this.#runMany(flights, loader.load, call, start);
    await Promise.all(
      flights.map(async (flight) => {
        const { key, signal, stale } = flight;
        const { namespace } = parts;
        const nowMs = parts.clock.nowMs();
        try {
          const task = { key, signal, stale, namespace, nowMs };
          const loaded = await LoadRun.of([flight], () => runLoad(loader.load, task));
          this.#loaded(flight, loaded, call, start);
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
    start: LoadStart,
  ): Promise<void> {
    await restBetween(flights);
    const keys = flights.map(({ key }) => key);
    let results: readonly unknown[];
    try {
      const controller = new AbortController();
      whenAllAbandoned(flights, (reason) => controller.abort(reason));
      await restBetween(flights);
      const { signal } = controller;
      const loaded = await LoadRun.of(flights, async () => await load(keys, { signal }));
      await restBetween(flights);
      results = loadedOf(keys, loaded);
    } catch (error) {
      await this.#shelf.forMany(flights, (flight) => this.#crashed(flight, error, call.life));
      return;
    }
    let index = 0;
    await this.#shelf.forMany(flights, (flight) => {
      const value = results[index++];
      try {
        if (value instanceof Error) throw value;
        const kept = value !== undefined;
        const loaded = { value, kept, ttlMs: undefined, tags: [], etag: undefined };
        this.#loaded(flight, loaded, call, start);
      } catch (error) {
        this.#crashed(flight, error, call.life);
      }
    });
  }

  #loaded(flight: Flight, loaded: Loaded, call: ReadCall, start: LoadStart): void {
    const loadMs = this.#shelf.parts.clock.monotonicMs() - start.monotonicMs;
    const tags = [...call.tags, ...loaded.tags];
    const kept = loaded.kept && !call.bypass && !flight.isFencedFor(tags);
    const shared = this.#shelf.memory?.values === "shared";
    const { value, changeable } = shared
      ? { value: loaded.value, changeable: false }
      : ownCopy(loaded.value);
    flight.land();
    const keeping = { ...loaded, value, tags, loadMs, startedMs: start.atMs };
    if (kept) this.#shelf.keep(flight.key, keeping, call.life);
    const hit = loaded.value !== undefined;
    if (!flight.settled) {
      flight.settle({ value, hit, stale: false, source: "load", error: undefined, changeable });
    }
  }

  /** A load failed: what is stale will do, and is left alone for a while. */
  #crashed(flight: Flight, error: unknown, life: ResolvedLife): void {
    // Of a load that was told to end, nobody wants to know how it did.
    if (flight.isAbandoned) return;
    flight.land();
    this.#shelf.counts.loadErrors++;
    this.#shelf.tell("error", flight.key, "load", error);
    const { stale } = flight;
    const { memory, parts, pauses } = this.#shelf;
    const nowMs = parts.clock.nowMs();
    if (stale === undefined || stale.keepUntilMs <= nowMs) {
      if (!flight.settled) flight.fail(error);
      return;
    }
    // What was to be refreshed ahead of its time has some left, and is not to be touched.
    const isOver = stale.freshUntilMs <= nowMs;
    if (!flight.isFencedFor(stale.tags)) {
      const againMs = nowMs + life.retryAfterMs;
      const freshUntilMs = Math.min(againMs, stale.keepUntilMs);
      if (isOver) memory?.putStale(flight.key, { ...stale, freshUntilMs, slidingMs: 0 });
      if (!memory?.hasFresh(flight.key)) pauses.begin(flight.key, stale, life);
    }
    this.#shelf.release(flight, stale, error);
  }
}

/** Between two steps for all of many flights: each of them is short, and all together are not. */
async function restBetween({ length }: readonly Flight[]): Promise<void> {
  if (length > STEPS_AT_ONCE && isSliceOver()) await nextSlice();
}

/** Calls `callback` when nobody is interested in any of them. */
function whenAllAbandoned(flights: readonly Flight[], callback: (reason: unknown) => void): void {
  let left = flights.length;
  const count = (reason: unknown): void => {
    if (--left === 0) callback(reason);
  };
  for (const flight of flights) flight.onAbandoned(count);
}
