/** Puts a result together again that came in chunks. */

import { CHUNK_ROWS, type CommonRequest, type WireChunk, type WireResult } from "./protocol.ts";
import type { ResultSet, Row } from "./values.ts";

/** Sends a request to the thread that holds the result. */
export type Send = (request: CommonRequest) => Promise<unknown>;

/** The whole result; its later chunks are fetched one by one, with a turn of the loop between. */
export async function collect(send: Send, result: WireResult): Promise<ResultSet> {
  if (result.cursor === undefined) return result;
  const { cursor } = result;
  const rows: Row[] = result.rows;
  for (;;) {
    const request = { kind: "fetch", cursor, chunkRows: CHUNK_ROWS } as const;
    const chunk = (await send(request)) as WireChunk;
    for (const row of chunk.rows) rows.push(row);
    if (chunk.done) return { columns: result.columns, rows, changes: result.changes };
  }
}
