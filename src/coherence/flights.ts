/**
 * Runs that are under way, by the keys of their results: all callers of one moment share one.
 *
 * A caller that came after a run had begun takes its result only if nothing was changed since that
 * it has read; otherwise it would miss what the caller knows to be written. Of an error nobody can
 * tell that, so it is for those alone who came before the run had begun.
 */

import { readerCopy } from "../tier/memory/reader-copy.ts";

/** What a run gave. */
export interface Outcome {
  readonly value: unknown;
  /** The moment at which it was still right; before all moments when it was not. */
  readonly heldAt: number;
}

interface Flight {
  readonly startedAt: number;
  readonly outcome: Promise<Outcome>;
  /** Whether somebody has the value; others get their own dates and bytes. */
  isTaken: boolean;
}

/** See above. */
export class Flights {
  readonly #flights = new Map<string, Flight>();
  /** Counts what the order of matters: calls, beginnings and ends of runs. */
  #moment = 0;

  /** The moment of a result that was compared with all changes just now. */
  now(): number {
    return ++this.#moment;
  }

  /** The value of a run that may serve a caller of this moment; `start` begins one. */
  async share(key: string, start: () => Promise<Outcome>): Promise<unknown> {
    const arrived = ++this.#moment;
    const flight = this.#flights.get(key) ?? this.#begin(key, start);
    if (flight.startedAt > arrived) return take(flight, await flight.outcome);
    const outcome = await flight.outcome.catch(() => undefined);
    if (outcome !== undefined && outcome.heldAt > arrived) return take(flight, outcome);
    // It may have been read before what the caller knows to be written. The next one is not.
    const next = this.#flights.get(key) ?? this.#begin(key, start);
    return take(next, await next.outcome);
  }

  #begin(key: string, start: () => Promise<Outcome>): Flight {
    const outcome = start().finally(() => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    });
    const flight: Flight = { startedAt: ++this.#moment, outcome, isTaken: false };
    this.#flights.set(key, flight);
    return flight;
  }
}

function take(flight: Flight, { value }: Outcome): unknown {
  if (flight.isTaken) return readerCopy(value);
  flight.isTaken = true;
  return value;
}
