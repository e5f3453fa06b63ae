/**
 * Removing what is dead, in slices: what is expired, what a dropped tag or prefix has left behind,
 * names of tags that nobody uses, old leases; and giving free pages back to the disk.
 */

import { throwIfAborted } from "../../core/abort.ts";
import type { Clock } from "../../core/clock.ts";
import type { Statement } from "../../core/statement.ts";
import type { Database } from "../../sqlite/database.ts";
import { inTransaction } from "../../sqlite/writer.ts";
import type { Counters } from "../counters.ts";
import type { SweepResult } from "../tier.ts";
import type { Eviction } from "./eviction.ts";
import { forgetDrops } from "./fences.ts";
import type { DroppedPrefixes } from "./prefixes.ts";
import {
  DROP_EMPTY_TOTALS,
  DROP_EXPIRED,
  DROP_FUTURE,
  DROP_OLD_LEASES,
  DROP_TAGGED,
  DROP_UNUSED_TAGS,
  NEXT_DROPPED,
  SLICE_ROWS,
  statement,
  TAG_DONE,
  TAGS_UP_TO,
  until,
} from "./statements.ts";

/** A clock that is set right by less than this hides entries for a while; they are not removed. */
const FUTURE_MS = 60_000;
/** Names of tags that are looked at in one unit. */
const TAGS_PER_UNIT = 500;
/** Free pages are kept for new entries up to this number (4 MB), and up to a tenth of the file. */
const FREE_PAGES = 1_000;
const FREE_PART = 10;
/** Pages given back at once: about a millisecond of the writer. */
const PAGES_PER_STEP = 200;

/** What sweeping needs. */
export interface SweepParts {
  readonly clock: Clock;
  readonly counters: Counters;
  readonly eviction: Eviction;
  readonly prefixes: DroppedPrefixes;
}

/** Removes what is dead. */
export async function sweep(
  database: Database,
  { clock, counters, eviction, prefixes }: SweepParts,
  signal: AbortSignal | undefined,
): Promise<SweepResult> {
  const nowMs = clock.nowMs();
  const slices = (sql: string, ...parameters: (string | number)[]): Promise<number> =>
    inSlices(database, statement(sql, ...parameters, SLICE_ROWS), signal);
  const expired = await slices(DROP_EXPIRED, nowMs);
  counters.expirations += expired;
  let reclaimed = await slices(DROP_FUTURE, nowMs + FUTURE_MS);
  reclaimed += await prefixes.reclaim(database, signal);
  for (;;) {
    const [found] = await database.write([statement(NEXT_DROPPED)]);
    const [id, dropped] = (found?.rows[0] ?? []) as number[];
    if (id === undefined || dropped === undefined) break;
    reclaimed += await slices(DROP_TAGGED, id, dropped);
    await database.write([statement(TAG_DONE, id, dropped)]);
  }
  reclaimed += await eviction.run(database);
  await dropUnusedTags(database, signal);
  await database.write([statement(DROP_EMPTY_TOTALS), statement(DROP_OLD_LEASES, nowMs, nowMs)]);
  await database.write(forgetDrops(nowMs));
  await giveBackPages(database, signal);
  return { expired, reclaimed };
}

/** Runs a statement with a limit of `SLICE_ROWS` until it finds no more; how many rows changed. */
async function inSlices(
  database: Database,
  slice: Statement,
  signal: AbortSignal | undefined,
): Promise<number> {
  let total = 0;
  for (;;) {
    throwIfAborted(signal, "Removing entries");
    const [result] = await database.write([slice], until(signal));
    const changes = result?.changes ?? 0;
    total += changes;
    if (changes < SLICE_ROWS) return total;
  }
}

async function dropUnusedTags(database: Database, signal: AbortSignal | undefined): Promise<void> {
  for (let after = 0; ; ) {
    throwIfAborted(signal, "The sweep");
    const [found] = await database.write([statement(TAGS_UP_TO, after, TAGS_PER_UNIT)]);
    const upTo = found?.rows[0]?.[0];
    if (typeof upTo !== "number") return;
    await database.write([statement(DROP_UNUSED_TAGS, after, upTo)]);
    after = upTo;
  }
}

/** Makes the file shorter when much of it is free. */
export async function giveBackPages(
  database: Database,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (;;) {
    if (signal?.aborted) return;
    const { connection } = database.file.inline;
    const [free] = connection.ask("PRAGMA freelist_count");
    const [pages] = connection.ask("PRAGMA page_count");
    const keep = Math.max(FREE_PAGES, Number(pages) / FREE_PART);
    const count = Math.min(PAGES_PER_STEP, Math.floor(Number(free) - keep));
    if (count <= 0) return;
    const steps = Array.from({ length: count }, () => []);
    await database.hold((send) =>
      inTransaction(send, () =>
        // Each run of this statement gives back one page.
        send({ kind: "rows", sql: "PRAGMA incremental_vacuum(1)", rows: steps }),
      ),
    );
  }
}
