/** Results on the main thread: put together again from their chunks, and noted in the log. */

import { throwIfAborted } from "../core/abort.ts";
import { CHUNK_ROWS, type CommonRequest, type WireChunk, type WireResult } from "./protocol.ts";
import type { QueryLog } from "./query-log.ts";
import type { QueryPlace } from "./slow-queries.ts";
import type { ResultSet } from "./values.ts";

/** Sends a request to the thread that holds the result. */
export type Send = <T>(request: CommonRequest) => Promise<T>;

/** The whole result; later chunks are fetched one by one, with a turn of the loop between. */
export async function collect(
  send: Send,
  result: WireResult,
  signal?: AbortSignal,
): Promise<WireResult> {
  const { columns, rows, changes, cursor } = result;
  if (cursor === undefined) return result;
  let { ms } = result;
  for (;;) {
    if (signal?.aborted) {
      await send({ kind: "dismiss", cursor });
      throwIfAborted(signal, "The read");
    }
    const chunk = await send<WireChunk>({ kind: "fetch", cursor, chunkRows: CHUNK_ROWS });
    for (const row of chunk.rows) rows.push(row);
    ms += chunk.ms;
    if (chunk.done) return { columns, rows, changes, ms };
  }
}

/** Whether nothing of the results waits in the thread. */
export function isWhole(results: readonly WireResult[]): boolean {
  return results.every(({ cursor }) => cursor === undefined);
}

/** The whole results of one unit. */
export async function collectAll(
  send: Send,
  results: readonly WireResult[],
): Promise<readonly WireResult[]> {
  if (isWhole(results)) return results;
  const whole: WireResult[] = [];
  for (const result of results) whole.push(await collect(send, result));
  return whole;
}

/** Notes a result in the log and leaves its public part. */
export function publish(
  log: QueryLog,
  where: QueryPlace,
  sql: string,
  { columns, rows, changes, ms }: WireResult,
): ResultSet {
  log.record(sql, ms, rows.length > 0 ? rows.length : changes, where);
  return { columns, rows, changes };
}
