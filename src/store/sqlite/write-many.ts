/**
 * One statement for many rows. Rows are taken from their source as they are needed, sent in
 * bounded chunks, and the next chunk is gathered while the thread works on the one before.
 */

import { throwIfAborted } from "../../core/abort.ts";
import { rowBytes } from "../../sqlite/row-cursor.ts";
import type { WriterSend } from "../../sqlite/writer.ts";
import type { SqlValue, WriteManyOptions } from "../store.ts";

type Values = readonly SqlValue[];

const CHUNK_ROWS_MAX = 500;
const CHUNK_BYTES_MAX = 256 * 1_024;
/** Gathering stops here, so that a slow source does not stop the event loop. */
const GATHER_MS_MAX = 4;

/** Sends all rows; the number of rows changed. The caller holds a transaction or a savepoint. */
export async function sendRows(
  send: WriterSend,
  sql: string,
  rows: Iterable<Values> | AsyncIterable<Values>,
  options: WriteManyOptions,
): Promise<number> {
  let changes = 0;
  let sent = 0;
  let underWay: { readonly count: number; readonly changes: Promise<number> } | undefined;
  const settle = async (): Promise<void> => {
    if (underWay === undefined) return;
    const { count } = underWay;
    changes += await underWay.changes;
    underWay = undefined;
    sent += count;
    options.onProgress?.(sent);
  };
  try {
    for await (const chunk of chunks(rows)) {
      throwIfAborted(options.signal, "The bulk write");
      await settle();
      underWay = { count: chunk.length, changes: send<number>({ kind: "rows", sql, rows: chunk }) };
      underWay.changes.catch(() => undefined);
    }
    await settle();
  } finally {
    await underWay?.changes.catch(() => undefined);
  }
  throwIfAborted(options.signal, "The bulk write");
  return changes;
}

async function* chunks(
  rows: Iterable<Values> | AsyncIterable<Values>,
): AsyncGenerator<readonly Values[]> {
  let chunk: Values[] = [];
  let bytes = 0;
  let startMs = performance.now();
  const full = (): boolean =>
    chunk.length >= CHUNK_ROWS_MAX ||
    bytes >= CHUNK_BYTES_MAX ||
    (chunk.length % 32 === 0 && performance.now() - startMs > GATHER_MS_MAX);
  const add = (row: Values): void => {
    chunk.push(row);
    bytes += rowBytes(row);
  };
  const take = (): readonly Values[] => {
    const taken = chunk;
    chunk = [];
    bytes = 0;
    return taken;
  };
  if (Symbol.asyncIterator in rows) {
    for await (const row of rows) {
      add(row);
      if (!full()) continue;
      yield take();
      startMs = performance.now();
    }
  } else {
    for (const row of rows) {
      add(row);
      if (!full()) continue;
      yield take();
      startMs = performance.now();
    }
  }
  if (chunk.length > 0) yield take();
}
