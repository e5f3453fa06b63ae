/**
 * One statement for many rows. Rows are taken from their source as they are needed and sent in
 * bounded chunks; the next chunk is gathered while the thread works on the one before, so two are
 * in memory at most.
 */

import { abortable, throwIfAborted } from "../../core/abort.ts";
import { SpringhouseError } from "../../core/errors.ts";
import { ownValues } from "../../core/own-bytes.ts";
import type { Database } from "../../sqlite/database.ts";
import type { WireChanges } from "../../sqlite/protocol.ts";
import { rowBytes } from "../../sqlite/row-cursor.ts";
import { checkValues } from "../../sqlite/statement-check.ts";
import type { WriterSend } from "../../sqlite/writer.ts";
import type { SqlValue, WriteManyOptions } from "../store.ts";

type Values = readonly SqlValue[];
type Source = Iterable<Values> | AsyncIterable<Values>;

/** Rows in one message. */
const CHUNK_ROWS_MAX = 500;
/** About a millisecond of copying. */
const CHUNK_BYTES_MAX = 256 * 1_024;
/** Gathering stops here, so that a slow source does not stop the event loop. */
const GATHER_MS_MAX = 4;
/** The clock is asked once for as many rows. */
const ROWS_PER_LOOK = 32;

/** What a bulk write runs in. */
export interface BulkScope {
  readonly database: Database;
  readonly send: WriterSend;
  /** How long a source may let the writer wait for its next row. */
  readonly deadlineMs: number;
}

/** Sends all rows; the number of rows changed. The caller holds a transaction or a savepoint. */
export async function sendRows(
  { database, send, deadlineMs }: BulkScope,
  sql: string,
  rows: Source,
  options: WriteManyOptions,
): Promise<number> {
  const { signal, onProgress } = options;
  let changes = 0;
  let sent = 0;
  let underWay: { readonly count: number; readonly reply: Promise<WireChanges> } | undefined;
  const settle = async (): Promise<void> => {
    if (underWay === undefined) return;
    const { count, reply } = underWay;
    underWay = undefined;
    const done = await reply;
    changes += done.changes;
    sent += count;
    database.log.record(sql, done.ms, count, "writer");
    onProgress?.(sent);
  };
  try {
    for await (const chunk of chunksOf(rows, database, deadlineMs, signal)) {
      await settle();
      throwIfAborted(signal, "The bulk write");
      const reply = send<WireChanges>({ kind: "rows", sql, rows: chunk });
      reply.catch(() => undefined);
      underWay = { count: chunk.length, reply };
    }
    await settle();
  } finally {
    await underWay?.reply.catch(() => undefined);
  }
  throwIfAborted(signal, "The bulk write");
  return changes;
}

/** Rows gathered up to a bound. */
class Gathering {
  #rows: Values[] = [];
  #bytes = 0;
  #startMs = performance.now();

  get isEmpty(): boolean {
    return this.#rows.length === 0;
  }

  /** Takes a row; whether it is time to send. */
  add(row: Values): boolean {
    checkValues(row);
    this.#rows.push(ownValues(row));
    this.#bytes += rowBytes(row);
    return (
      this.#rows.length >= CHUNK_ROWS_MAX ||
      this.#bytes >= CHUNK_BYTES_MAX ||
      (this.#rows.length % ROWS_PER_LOOK === 0 && performance.now() - this.#startMs > GATHER_MS_MAX)
    );
  }

  take(): readonly Values[] {
    const rows = this.#rows;
    this.#rows = [];
    this.#bytes = 0;
    return rows;
  }

  /** Begins to measure anew, after the event loop had its turn. */
  resume(): void {
    this.#startMs = performance.now();
  }
}

async function* chunksOf(
  rows: Source,
  database: Database,
  deadlineMs: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly Values[], void, undefined> {
  const gathering = new Gathering();
  if (Symbol.asyncIterator in rows) {
    for await (const row of inTime(rows, database, deadlineMs, signal)) {
      if (!gathering.add(row)) continue;
      yield gathering.take();
      gathering.resume();
    }
  } else {
    // Not `for await`, which would wait for a promise among the rows for as long as it takes.
    for (const row of rows) {
      if (!gathering.add(row)) continue;
      yield gathering.take();
      gathering.resume();
    }
  }
  if (!gathering.isEmpty) yield gathering.take();
}

/** A source that has to give its next row in time, because the writer waits for it. */
async function* inTime(
  rows: AsyncIterable<Values>,
  { clock }: Database,
  deadlineMs: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Values, void, undefined> {
  const iterator = rows[Symbol.asyncIterator]();
  let ended = false;
  try {
    for (;;) {
      const late = Promise.withResolvers<never>();
      const timer = clock.schedule(() => late.reject(stalledError(deadlineMs)), deadlineMs, true);
      try {
        const next = Promise.race([iterator.next(), late.promise]);
        const step = await abortable(next, signal, "The bulk write");
        if (step.done === true) {
          ended = true;
          return;
        }
        yield step.value;
      } finally {
        timer[Symbol.dispose]();
      }
    }
  } finally {
    // Not awaited: a source that stalls might never answer.
    if (!ended) iterator.return?.().catch(() => undefined);
  }
}

function stalledError(deadlineMs: number): SpringhouseError {
  return new SpringhouseError(
    "TRANSACTION_TIMEOUT",
    `The bulk write was rolled back, because its source gave no row for ${deadlineMs} ms while ` +
      "the writer waited. Gather the rows first, or raise transactionDeadline.",
    { fields: { deadlineMs } },
  );
}
