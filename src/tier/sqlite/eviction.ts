/**
 * Keeping a tier within its bounds.
 *
 * Writing drives it: whoever stored something finds out whether a bound is exceeded, and then what
 * is expired or was dropped goes first, and after it some of those that were not used for longest.
 * They are taken at random out of three times as many, so that processes which evict at the same
 * time rarely want the same rows (an idea of SolidCache). A little more goes than must, so that not
 * every write evicts. Each batch is a unit of its own: others write in between.
 */

import type { Clock } from "../../core/clock.ts";
import { isSpringhouseError } from "../../core/errors.ts";
import type { ResultSet } from "../../core/statement.ts";
import type { Database } from "../../sqlite/database.ts";
import type { Counters } from "../counters.ts";
import type { Bounds } from "../stored-options.ts";
import type { DroppedPrefixes } from "./prefixes.ts";
import {
  DROP_EXPIRED,
  EVICT,
  EVICT_CATEGORY,
  SLICE_ROWS,
  statement,
  TOTALS,
} from "./statements.ts";

/** Out of so many times as many candidates. */
const CANDIDATES_FACTOR = 3;
/** This part of a bound is freed beyond what must be. */
const SLACK = 50;

type Rows = ResultSet["rows"];

/** What is stored. */
export interface Total {
  readonly entries: number;
  readonly bytes: number;
}

/** What has to go: from one category, or from all. */
interface Excess {
  readonly category: string | undefined;
  readonly total: Total;
  readonly entries: number;
  readonly bytes: number;
}

/** What eviction needs. */
export interface EvictionParts {
  readonly clock: Clock;
  readonly bounds: Bounds;
  readonly counters: Counters;
  readonly prefixes: DroppedPrefixes;
}

/** Evicts the entries of one tier. */
export class Eviction {
  readonly #parts: EvictionParts;
  #running: Promise<number> | undefined;

  constructor(parts: EvictionParts) {
    this.#parts = parts;
  }

  /** Gets below the bounds; how many were evicted. Callers at the same time share one run. */
  async run(database: Database): Promise<number> {
    // What was stored before this call may be missing from the totals of a run that goes on.
    await this.#running?.catch(() => 0);
    this.#running ??= this.#run(database).finally(() => {
      this.#running = undefined;
    });
    return await this.#running;
  }

  async #run(database: Database): Promise<number> {
    const { clock, counters, prefixes } = this.#parts;
    let evicted = 0;
    let excess = this.#excess(await totalsOf(database));
    while (excess !== undefined) {
      const nowMs = clock.nowMs();
      const [expired, after] = await database.write([
        statement(DROP_EXPIRED, nowMs, SLICE_ROWS),
        statement(TOTALS),
      ]);
      counters.expirations += expired?.changes ?? 0;
      excess = this.#excess(after?.rows);
      if ((expired?.changes ?? 0) > 0 || excess === undefined) continue;
      if ((await prefixes.reclaim(database, undefined, 1)) > 0) {
        excess = this.#excess(await totalsOf(database));
        continue;
      }
      const [gone, left] = await database.write([evict(excess), statement(TOTALS)]);
      const changes = gone?.changes ?? 0;
      counters.evictions += changes;
      evicted += changes;
      if (changes === 0) break;
      excess = this.#excess(left?.rows, true);
    }
    return evicted;
  }

  /**
   * What exceeds a bound most urgently; `undefined` when all hold.
   *
   * @param begun once eviction has begun it goes on a little below the bound.
   */
  #excess(totals: Rows = [], begun = false): Excess | undefined {
    const { bytesMax, entriesMax, quotas } = this.#parts.bounds;
    let entries = 0;
    let bytes = 0;
    for (const [category, entriesOf, bytesOf] of totals) {
      const total = { entries: Number(entriesOf), bytes: Number(bytesOf) };
      entries += total.entries;
      bytes += total.bytes;
      const quota = quotas.of(String(category));
      const excess = excessOf(String(category), total, Number.POSITIVE_INFINITY, quota, begun);
      if (excess !== undefined) return excess;
    }
    return excessOf(undefined, { entries, bytes }, entriesMax, bytesMax, begun);
  }
}

/** The totals of the categories: a handful of rows, read on the main thread unless it is busy. */
export async function totalsOf(database: Database): Promise<Rows> {
  try {
    return database.file.inline.connection.readAll(statement(TOTALS)).rows;
  } catch (error) {
    if (!isSpringhouseError(error, "BUSY")) throw error;
    const [totals] = await database.write([statement(TOTALS)]);
    return totals?.rows ?? [];
  }
}

function excessOf(
  category: string | undefined,
  total: Total,
  entriesMax: number,
  bytesMax: number,
  begun: boolean,
): Excess | undefined {
  const entriesBound = begun ? lowered(entriesMax) : entriesMax;
  const bytesBound = begun ? lowered(bytesMax) : bytesMax;
  if (total.entries <= entriesBound && total.bytes <= bytesBound) return undefined;
  return {
    category,
    total,
    entries: Math.max(0, total.entries - lowered(entriesMax)),
    bytes: Math.max(0, total.bytes - lowered(bytesMax)),
  };
}

function lowered(bound: number): number {
  return bound === Number.POSITIVE_INFINITY ? bound : bound - Math.floor(bound / SLACK);
}

function evict({ category, total, entries, bytes }: Excess): ReturnType<typeof statement> {
  const ofBytes = Math.ceil(bytes / Math.max(1, total.bytes / Math.max(1, total.entries)));
  const count = Math.min(SLICE_ROWS, Math.max(1, entries, ofBytes));
  // Of those that remain at least half is used more recently than any that goes.
  const others = Math.floor(Math.max(0, total.entries - count) / 2);
  const candidates = count + Math.min(others, count * (CANDIDATES_FACTOR - 1));
  if (category === undefined) return statement(EVICT, candidates, count);
  return statement(EVICT_CATEGORY, category, candidates, count);
}
