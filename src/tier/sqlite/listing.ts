/** Listing keys, chunk by chunk: each chunk is a read of its own, and no snapshot is held. */

import type { Clock } from "../../core/clock.ts";
import type { Database } from "../../sqlite/database.ts";
import type { KeysQuery } from "../tier.ts";
import { fromStored, toStored } from "./key-text.ts";
import { LIST, LIST_TAG, statement, until } from "./statements.ts";

/** Keys in one chunk. */
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
  let after: readonly [string | number, number] = name === undefined ? ["", 0] : [-1, 0];
  for (;;) {
    const nowMs = clock.nowMs();
    const question =
      name === undefined
        ? statement(LIST, start, start, after[0], nowMs, nowMs, CHUNK_KEYS)
        : statement(LIST_TAG, name, ...after, start, start, nowMs, nowMs, CHUNK_KEYS);
    const { rows } = await read((database) => database.read(question, until(signal)));
    if (rows.length > 0) yield rows.map(([key]) => fromStored(String(key)));
    const last = rows.at(-1);
    if (last === undefined || rows.length < CHUNK_KEYS) return;
    const [key, epoch, id] = last;
    after = name === undefined ? [String(key), 0] : [Number(epoch), Number(id)];
  }
}
