/**
 * Results of single statements that are read by known conditions, as repositories make them, by a
 * key of the caller's making. They are kept as those of cached functions are, and dropped as they
 * are, but a miss costs no snapshot: see `Coherence.ticket`.
 *
 * Inside of a cached function and of a transaction nothing is looked up and nothing is kept: there
 * the read belongs to the snapshot, or to the transaction.
 */

import { isSpringhouseError } from "../core/errors.ts";
import type { ReadingOf } from "../store/reading.ts";
import type { Statement } from "../store/store.ts";
import type { MemoryEntry } from "../tier/memory/memory-entry.ts";
import type { Partition } from "../tier/memory/partition.ts";
import type { Freshness } from "./change-feed.ts";
import type { Coherence, Ticket } from "./coherence.ts";
import type { ResultEntry } from "./entries.ts";
import { Flights, type Outcome } from "./flights.ts";
import { ResultTable } from "./result-table.ts";
import { currentRun, NO_USES, noteReadOutside } from "./tracking.ts";

/** A read that is ready to be made. */
export interface PlannedRead {
  readonly statement: Statement;
  /** Tells what it reads. */
  readonly reading: ReadingOf;
  /** Reads without a cache. What it gives is frozen, but for dates and bytes, and nobody else's. */
  run(): Promise<unknown>;
}

/** What they are made of. */
export interface CachedReadsParts {
  readonly coherence: Coherence;
  readonly partition: Partition;
  readonly freshness: Freshness;
}

/** See above. */
export class CachedReads {
  readonly #parts: CachedReadsParts;
  readonly #results: ResultTable;
  readonly #flights = new Flights();
  /** Whether the hits of this turn have taken all its time, so that `load` waits for the next. */
  #isLate = false;
  #isClosed = false;

  constructor(parts: CachedReadsParts) {
    this.#parts = parts;
    this.#results = new ResultTable(parts.partition, parts.coherence.entries);
  }

  /** The result, if memory has it and may give it. Otherwise `load` is to be called at once. */
  find(key: string): Promise<unknown> | undefined {
    const { coherence, freshness } = this.#parts;
    if (this.#isClosed) return undefined;
    if (coherence.feed.isTurnOver()) {
      this.#isLate = true;
      return undefined;
    }
    if (!coherence.feed.isCurrent(freshness) || this.#isApart) return undefined;
    noteReadOutside();
    return this.#results.settled(key);
  }

  /** Reads, and keeps the result if it may be kept. */
  load(key: string, planned: PlannedRead): Promise<unknown> {
    const isLate = this.#isLate;
    this.#isLate = false;
    if (this.#isClosed || this.#isApart) return planned.run();
    return isLate ? this.#loadLater(key, planned) : this.#loadNow(key, planned);
  }

  /** Lets the results go, and keeps none any more. */
  close(): void {
    this.#isClosed = true;
    this.#results.clear();
  }

  get #isApart(): boolean {
    return currentRun() !== undefined || this.#parts.coherence.isPast;
  }

  async #loadLater(key: string, planned: PlannedRead): Promise<unknown> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    return await (this.find(key) ?? this.load(key, planned));
  }

  #loadNow(key: string, planned: PlannedRead): Promise<unknown> {
    const ticket = this.#parts.coherence.ticket();
    if (ticket === undefined) return planned.run();
    return this.#flights.share(key, () => this.#run(key, planned));
  }

  async #run(key: string, planned: PlannedRead): Promise<Outcome> {
    const { coherence } = this.#parts;
    const ticket = coherence.ticket();
    const value = await planned.run();
    const kept = ticket === undefined ? undefined : this.#keep(key, value, planned, ticket);
    return kept ?? { value, heldAt: -1 };
  }

  /** Undefined when it is not what the database gives now. */
  #keep(key: string, value: unknown, planned: PlannedRead, ticket: Ticket): Outcome | undefined {
    const { coherence } = this.#parts;
    const footprint = coherence.footprintOf(planned.statement, planned.reading);
    if (footprint === undefined || !coherence.holdsSince(ticket, footprint)) return undefined;
    const heldAt = this.#flights.now();
    const { sequence } = ticket.position;
    const before = this.#results.find(key);
    if (this.#isClosed || (before !== undefined && before.sequence >= sequence)) {
      return { value, heldAt };
    }
    const result = { footprint, sequence, uses: NO_USES, tier: undefined };
    const stored = this.#put(key, value, result);
    return { value: stored === undefined ? value : this.#results.valueOf(stored), heldAt };
  }

  #put(key: string, value: unknown, result: ResultEntry): MemoryEntry | undefined {
    try {
      return this.#results.put(key, value, result);
    } catch (error) {
      // JSON that is nested deeper than what memory copies; it can be read all the same.
      if (isSpringhouseError(error, "INVALID_ARGUMENT")) return undefined;
      throw error;
    }
  }
}
