/**
 * The loads of flights: what they are given, how long they may take, and what becomes of what they
 * bring or of their failure.
 */

import { onAbort } from "../core/abort.ts";
import { type OwnCopy, ownCopy } from "../tier/memory/own-copy.ts";
import type { TierEntry } from "../tier/tier.ts";
import type { Flight } from "./flight.ts";
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

/** Loads for one category. */
export class Loading {
  readonly #shelf: Shelf;
  readonly #left: (flight: Flight) => void;

  /** @param left is told of a flight that nobody may join any more. */
  constructor(shelf: Shelf, left: (flight: Flight) => void) {
    this.#shelf = shelf;
    this.#left = left;
  }

  /** Loads what no tier has. Settles every flight, and never rejects for a load that failed. */
  async load(open: readonly Flight[], loader: Loader, call: ReadCall): Promise<void> {
    if (open.length === 0) return;
    const { parts } = this.#shelf;
    const { life } = call;
    const nowMs = parts.clock.nowMs();
    for (const flight of open) {
      const { stale } = flight;
      if (stale === undefined || call.refresh) continue;
      if (nowMs < stale.freshUntilMs + life.staleWhileRevalidateMs) {
        flight.keepGoing();
        this.#shelf.release(flight, stale, undefined);
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
    if (!flight.settled) flight.settle(this.#shelf.resolved(entry.value, "lease", false));
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
          if (flight.stale !== undefined) this.#shelf.release(flight, flight.stale, undefined);
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
    this.#left(flight);
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
    this.#shelf.release(flight, stale, error);
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
