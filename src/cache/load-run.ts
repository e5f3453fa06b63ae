/**
 * Loads that wait for themselves: a load that reads its own key, directly or by the loads that it
 * waits for, would wait until its time is over. Each load runs in a context that says so; only who
 * waits for a load under way looks at it, so that hits pay nothing.
 *
 * Two loads that other callers began, and that wait for each other, are not told from loads that
 * take long.
 */

import { AsyncLocalStorage } from "node:async_hooks";
import type { Flight } from "./flight.ts";

/** One run of a load. Timers that outlive it keep its context, and must not keep more. */
export class LoadRun {
  #flights: readonly Flight[];
  #parent: LoadRun | undefined;

  private constructor(flights: readonly Flight[], parent: LoadRun | undefined) {
    this.#flights = flights;
    this.#parent = parent;
  }

  /** Runs the load of these flights. */
  static async of<T>(flights: readonly Flight[], load: () => Promise<T>): Promise<T> {
    const run = new LoadRun(flights, current.getStore());
    for (const flight of flights) flight.run = run;
    try {
      return await current.run(run, load);
    } finally {
      run.#flights = [];
      run.#parent = undefined;
    }
  }

  /** Whether whoever is calling runs for the load of this flight, which waits for him. */
  static waitsForItself({ run: own }: Flight): boolean {
    if (own === undefined) return false;
    for (let run = current.getStore(); run !== undefined; run = run.#parent) {
      if (run === own) return true;
      // Behind the back of who began it, nobody waits for it.
      if (!run.#flights.some(({ isAwaited }) => isAwaited)) return false;
    }
    return false;
  }
}

const current = new AsyncLocalStorage<LoadRun>();
