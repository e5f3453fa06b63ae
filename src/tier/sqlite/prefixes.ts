/**
 * Dropping by prefix: O(1) for the caller, however many entries there are.
 *
 * What is little is removed at once. Where there is more, the prefix is noted with the next epoch,
 * as a tag is: what was written before it and begins so is dead for all that read the file, and
 * its rows go afterwards, in slices. The note says how far that has come, so that any process can
 * go on with it, and goes with the last of them.
 */

import { throwIfAborted } from "../../core/abort.ts";
import type { ResultSet, Statement } from "../../core/statement.ts";
import type { Database } from "../../sqlite/database.ts";
import type { Counters } from "../counters.ts";
import { AFTER_ALL, toStored } from "./key-text.ts";
import { NEXT_EPOCH, SLICE_ROWS, statement, until } from "./statements.ts";

/** Noted prefixes that reads bear with; whoever drops beyond that removes rows itself. */
const PREFIXES_MAX = 64;

const DROP_SOME = `DELETE FROM cache_entries WHERE id IN
  (SELECT id FROM cache_entries WHERE key >= ? AND key < ? ${AFTER_ALL} LIMIT ?)`;
/** What a wider drop covers. */
const FORGET_NARROWER = `DELETE FROM cache_prefixes WHERE name >= ? AND name < ? ${AFTER_ALL}`;
const NOTE = `INSERT INTO cache_prefixes (name, dropped, reclaimed_to)
  SELECT ?1, epoch, ?1 FROM cache_epochs WHERE name = 'tags'
    AND EXISTS (SELECT 1 FROM cache_entries WHERE key >= ?1 AND key < ?1 ${AFTER_ALL})`;
const COUNT = "SELECT count(*) FROM cache_prefixes";

/** A note, and the last of the next keys under it. */
const NEXT = `SELECT p.name, p.dropped, p.reclaimed_to, (SELECT max(key) FROM
    (SELECT key FROM cache_entries WHERE key >= p.reclaimed_to AND key < p.name ${AFTER_ALL}
     ORDER BY key LIMIT ${SLICE_ROWS}))
  FROM cache_prefixes AS p LIMIT 1`;
const DROP_UP_TO = "DELETE FROM cache_entries WHERE key >= ? AND key <= ? AND epoch < ?";
const GO_ON = "UPDATE cache_prefixes SET reclaimed_to = ? WHERE name = ? AND dropped = ?";
const DONE = "DELETE FROM cache_prefixes WHERE name = ? AND dropped = ?";

/** The dropped prefixes of one tier. */
export class DroppedPrefixes {
  readonly #counters: Counters;
  #isLeft = false;
  #isRunning = false;

  constructor(counters: Counters) {
    this.#counters = counters;
  }

  /** Drops a prefix; how many were removed at once. @param note for fences.ts. */
  async drop(
    database: Database,
    prefix: string,
    note: Statement,
    signal: AbortSignal | undefined,
  ): Promise<number> {
    const name = toStored(prefix);
    const unit = [
      note,
      statement(DROP_SOME, name, name, SLICE_ROWS),
      statement(NEXT_EPOCH),
      statement(FORGET_NARROWER, name, name),
      statement(NOTE, name),
      statement(COUNT),
    ];
    const [, some, , , noted, count] = await database.write(unit, until(signal));
    const removed = some?.changes ?? 0;
    this.#counters.drops += removed;
    if ((noted?.changes ?? 0) > 0) this.#isLeft = true;
    if (Number(count?.rows[0]?.[0]) <= PREFIXES_MAX) return removed;
    return removed + (await this.reclaim(database, signal));
  }

  /** Whether rows of what was dropped here wait for somebody who removes them. */
  get isLeft(): boolean {
    return this.#isLeft && !this.#isRunning;
  }

  /** Removes what is left, and what is dropped meanwhile. */
  async reclaimLeft(database: Database, signal: AbortSignal): Promise<void> {
    if (!this.isLeft) return;
    this.#isRunning = true;
    try {
      while (this.#isLeft) {
        this.#isLeft = false;
        await this.reclaim(database, signal);
      }
    } finally {
      this.#isRunning = false;
    }
  }

  /** Removes rows of what was dropped: all of them, or a slice or two. @returns how many. */
  async reclaim(
    database: Database,
    signal: AbortSignal | undefined,
    leastRows: number = Number.POSITIVE_INFINITY,
  ): Promise<number> {
    let removed = 0;
    let next = sliceOf(await database.write([statement(NEXT)], until(signal)));
    while (next !== undefined && removed < leastRows) {
      throwIfAborted(signal, "Removing entries");
      const results = await database.write([...next, statement(NEXT)], until(signal));
      const changes = results[0]?.changes ?? 0;
      this.#counters.drops += changes;
      removed += changes;
      next = sliceOf(results);
    }
    return removed;
  }
}

/** The statements for what `NEXT`, asked last, has found; none when nothing is left. */
function sliceOf(results: readonly ResultSet[]): readonly Statement[] | undefined {
  const found = results.at(-1)?.rows[0] as [string, number, string, string | null] | undefined;
  if (found === undefined) return undefined;
  const [name, dropped, from, upTo] = found;
  const remove = statement(DROP_UP_TO, from, upTo ?? from, dropped);
  // No key, or the one that was the last of the slice before.
  const isLast = upTo === null || upTo === from;
  return [remove, isLast ? statement(DONE, name, dropped) : statement(GO_ON, upTo, name, dropped)];
}
