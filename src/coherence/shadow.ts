/**
 * Checks on what is served: some of the hits are computed again, behind the caller's back and past
 * everything that is kept, and compared.
 *
 * What must hold for a comparison to say anything: the snapshot was taken while the result that
 * was served was right, as far as memory knows. So it is made only if that very result is still in
 * memory when all that was changed until then is known. Then the two can differ only because of
 * something that a footprint does not have: a variable, a clock, a file, or an error in
 * Springhouse; or because SQL leaves it open, as the order of rows without ORDER BY.
 */

import { isDeepStrictEqual } from "node:util";
import { warn } from "../core/channels.ts";
import { ownCopy } from "../tier/memory/own-copy.ts";
import type { Coherence } from "./coherence.ts";
import type { ResultEntry } from "./entries.ts";
import type { ResultTable } from "./result-table.ts";
import type { Run } from "./tracking.ts";

/** How much is checked. */
export interface ShadowOptions {
  /** The share of the hits, 0 to 1. */
  readonly share: number;
  /** A number from 0 to below 1. */
  readonly random: () => number;
}

/** What was checked so far. */
export interface ShadowCounts {
  readonly checked: number;
  readonly different: number;
}

interface ShadowParts extends ShadowOptions {
  readonly coherence: Coherence;
  readonly name: string;
  readonly results: ResultTable;
  compute(run: Run, args: readonly unknown[]): Promise<unknown>;
  /** Called for a result that is wrong. */
  drop(key: string): void;
}

/** The checks of one function, one at a time. */
export class Shadow {
  readonly #parts: ShadowParts;
  #checked = 0;
  #different = 0;
  #running: Promise<void> | undefined;
  #isClosed = false;

  constructor(parts: ShadowParts) {
    this.#parts = parts;
  }

  get counts(): ShadowCounts {
    return { checked: this.#checked, different: this.#different };
  }

  /** Told of each hit, on its way to the caller. */
  hit(key: string, args: readonly unknown[]): void {
    const { share, random, results } = this.#parts;
    if (this.#running !== undefined || this.#isClosed || random() >= share) return;
    const served = results.find(key);
    if (served === undefined) return;
    // The caller may change its own.
    const own = ownCopy(args).value as readonly unknown[];
    this.#running = this.#check(key, own, served).finally(() => {
      this.#running = undefined;
    });
  }

  /** Begins none any more. @returns when the one that is under way has ended. */
  close(): Promise<void> | undefined {
    this.#isClosed = true;
    return this.#running;
  }

  /** Never rejects: a function that fails now says nothing of what it gave before. */
  async #check(key: string, args: readonly unknown[], served: ResultEntry): Promise<void> {
    const { coherence, name, compute } = this.#parts;
    await new Promise<void>((resolve) => setImmediate(resolve));
    try {
      await coherence.runs(async (newRun) => {
        const run = newRun(name);
        const { value } = ownCopy(await compute(run, args));
        this.#compare(key, value, served, run);
      }, true);
    } catch {}
  }

  #compare(key: string, value: unknown, served: ResultEntry, run: Run): void {
    const { coherence, name, results, drop } = this.#parts;
    const { position, epoch } = run;
    if (position === undefined || served.sequence > position.sequence) return;
    if (!coherence.feed.catchUp() || coherence.feed.epoch !== epoch) return;
    const stored = results.stored(key);
    if (stored === undefined || results.find(key) !== served) return;
    this.#checked++;
    if (isDeepStrictEqual(value, results.valueOf(stored))) return;
    this.#different++;
    drop(key);
    const message =
      `"${name}" was served from the cache, and now gives something else although nothing was ` +
      "changed that it has read. It depends on what it does not read from the database, or on " +
      "an order of rows that its SQL leaves open.";
    warn("CACHE_WRONG", message, { name, position: position.sequence });
  }
}
