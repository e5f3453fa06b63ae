/** Listing keys, chunk by chunk: each chunk is a read of its own, and no snapshot is held. */

import type { Clock } from "../../core/clock.ts";
import type { Database } from "../../sqlite/database.ts";
import type { KeysQuery } from "../tier.ts";
import { fromStored, toStored } from "./key-text.ts";
import { LIST, LIST_TAG, statement, until } from "./statements.ts";

/** Rows that are gone through for one chunk, and so the most keys in it. */
const CHUNK_KEYS = 1_000;

/** Runs a read on the file, also when it has to be made anew. */
export type RunRead = <T>(work: (database: Database) => Promise<T>) => Promise<T>;

/** The keys of living entries. */
export async function* listKeys(
  read: RunRead,
  clock: Clock,
  { prefix = "", tag }: KeysQuery,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly string[], void, undefined> {
  const start = toStored(prefix);
  const name = tag === undefined ? undefined : toStored(tag);
  let from: readonly [string] | readonly [number, number] = name === undefined ? [start] : [-1, 0];
  for (;;) {
    const nowMs = clock.nowMs();
    const question =
      name === undefined
        ? statement(LIST, ...from, start, nowMs, CHUNK_KEYS)
        : statement(LIST_TAG, name, ...from, start, nowMs, CHUNK_KEYS);
    const { rows } = await read((database) => database.read(question, until(signal)));
    const living = rows.filter(([, isListed]) => isListed === 1);
    // None of them is an answer, too: whoever waits for one knows that it goes on.
    if (rows.length > 0) yield living.map(([key]) => fromStored(String(key)));
    const last = rows.at(-1);
    if (last === undefined || rows.length < CHUNK_KEYS) return;
    const [key, , epoch, id] = last;
    // No stored key has a NUL, so that nothing stands between a key and this.
    from = name === undefined ? [`${key}\0`] : [Number(epoch), Number(id)];
  }
}
