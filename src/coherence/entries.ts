/**
 * The results in memory, and everybody else who watches for changes: the index that finds whom a
 * change concerns, and what became of the results that were dropped.
 *
 * What must hold: a result that can be found has been right at every place of the log from the one
 * that it was read at to the one of the last look. It comes in only when it was compared with
 * everything that was changed since it was read, in one synchronous step with coming in.
 */

import type { Atom, Footprint } from "../change/footprint.ts";
import type { TableStructure } from "../change/structure.ts";
import type { ResetReason } from "./change-feed.ts";
import { EntryIndex } from "./entry-index.ts";
import type { LoggedChange } from "./ring.ts";
import type { Uses } from "./tracking.ts";

/** Why something may be wrong from now on. */
export type Drop =
  | { readonly reason: "change"; readonly change: LoggedChange; readonly atom: Atom }
  | { readonly reason: ResetReason };

/** Who is told when a change touches its footprint; it may be told several times. */
export interface Watcher {
  readonly footprint: Footprint;
  touched(drop: Drop): void;
}

/** One result in memory. */
export interface ResultEntry {
  readonly footprint: Footprint;
  /** The place of the log that it was read at. */
  readonly sequence: number;
  /** Other cached functions that have a part in it. */
  readonly uses: Uses;
  /** The persistent tier that it was found in; undefined when it was computed here. */
  readonly tier: string | undefined;
}

/** Drops that are remembered, for explanations. */
const DROPS_MAX = 1_000;

/** What watches one database. */
export class Entries {
  readonly #index: EntryIndex<Watcher>;
  readonly #drops = new Map<string, Drop>();
  #dropped = 0;

  constructor(structureOf: (table: string) => TableStructure | undefined) {
    this.#index = new EntryIndex(structureOf);
  }

  /** How many watch, results among them. */
  get size(): number {
    return this.#index.size;
  }

  /** How many results were dropped because of what was written. */
  get dropped(): number {
    return this.#dropped;
  }

  watch(watcher: Watcher): void {
    this.#index.add(watcher);
  }

  unwatch(watcher: Watcher): void {
    this.#index.remove(watcher);
  }

  /** Tells those whom the changes touch. */
  apply(changes: readonly LoggedChange[]): void {
    for (const change of changes) {
      for (const { entry, atom } of this.#index.touchedBy(change.change)) {
        entry.touched({ reason: "change", change, atom });
      }
    }
  }

  /** Tells everybody. */
  reset(reason: ResetReason): void {
    const all = [...this.#index.entries()];
    this.#index.clear();
    for (const watcher of all) watcher.touched({ reason });
  }

  /** Remembers what a result was dropped for. */
  noteDrop(wholeKey: string, drop: Drop): void {
    this.#dropped++;
    this.#drops.delete(wholeKey);
    this.#drops.set(wholeKey, drop);
    if (this.#drops.size <= DROPS_MAX) return;
    const oldest = this.#drops.keys().next();
    if (oldest.done !== true) this.#drops.delete(oldest.value);
  }

  /** What the last result of this key was dropped for, as far as it is remembered. */
  lastDrop(wholeKey: string): Drop | undefined {
    return this.#drops.get(wholeKey);
  }
}
