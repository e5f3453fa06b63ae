/**
 * The results of one thread that are too large for one message. Each is named by a number until
 * it has been fetched to its end or dismissed.
 */

import { SpringhouseError } from "../core/errors.ts";
import type { Connection } from "./connection.ts";
import { CHUNK_ROWS, type WireChunk, type WireResult } from "./protocol.ts";
import { CHUNK_BYTES_MAX, type Chunk, rowBytes } from "./row-cursor.ts";
import type { ResultSet, Row, Statement } from "./values.ts";

/** Rows in one reply, over all of its results: about a millisecond of copying. */
const REPLY_ROWS_MAX = 2_000;

interface OpenRows {
  next(rowsMax: number): Chunk;
  close(): void;
}

/** Open results by number. */
export class CursorTable {
  readonly #open = new Map<number, OpenRows>();
  #nextId = 1;
  #rowsLeft = REPLY_ROWS_MAX;
  #bytesLeft = CHUNK_BYTES_MAX;

  /** Begins a reply: `wrap` shares one budget over all results of a reply. */
  beginReply(): void {
    this.#rowsLeft = REPLY_ROWS_MAX;
    this.#bytesLeft = CHUNK_BYTES_MAX;
  }

  /** Runs a read and returns its first chunk. */
  query(connection: Connection, statement: Statement, chunkRows: number): WireResult {
    const startMs = performance.now();
    const cursor = connection.openCursor(statement);
    const { rows, done } = cursor.next(chunkRows);
    const ms = performance.now() - startMs;
    const result = { columns: cursor.columns, rows, changes: 0, ms };
    return done ? result : { ...result, cursor: this.#add(cursor) };
  }

  /** Makes a finished result ready to send; what is beyond the budget waits here. */
  wrap({ columns, rows, changes }: ResultSet, ms: number): WireResult {
    if (rows.length === 0) return { columns, rows: [], changes, ms };
    const source = new ArrayRows(rows as Row[]);
    const first = source.next(Math.min(CHUNK_ROWS, this.#rowsLeft), this.#bytesLeft);
    this.#rowsLeft -= first.rows.length;
    this.#bytesLeft -= source.bytes;
    const result = { columns, rows: first.rows, changes, ms };
    return first.done ? result : { ...result, cursor: this.#add(source) };
  }

  fetch(id: number, chunkRows: number): WireChunk {
    const open = this.#open.get(id);
    if (open === undefined) {
      throw new SpringhouseError(
        "TRANSACTION_ENDED",
        "The rest of this result is gone: what it was read in has ended.",
      );
    }
    const startMs = performance.now();
    try {
      const { rows, done } = open.next(chunkRows);
      if (done) this.#open.delete(id);
      return { rows, done, ms: performance.now() - startMs };
    } catch (error) {
      this.#open.delete(id);
      throw error;
    }
  }

  dismiss(id: number): void {
    this.#open.get(id)?.close();
    this.#open.delete(id);
  }

  /** Ends all reads: before a transaction ends, and before the connection is closed. */
  clear(): void {
    for (const open of this.#open.values()) open.close();
    this.#open.clear();
  }

  #add(open: OpenRows): number {
    const id = this.#nextId++;
    this.#open.set(id, open);
    return id;
  }
}

/** Rows that are all there already, handed out in chunks. */
class ArrayRows implements OpenRows {
  readonly #rows: Row[];
  #position = 0;
  /** What has been handed out so far. */
  bytes = 0;

  constructor(rows: Row[]) {
    this.#rows = rows;
  }

  next(rowsMax: number, bytesMax = CHUNK_BYTES_MAX): Chunk {
    const start = this.#position;
    const bytesEnd = this.bytes + bytesMax;
    while (
      this.#position < this.#rows.length &&
      this.#position - start < rowsMax &&
      this.bytes < bytesEnd
    ) {
      this.bytes += rowBytes(this.#rows[this.#position++] ?? []);
    }
    const done = this.#position === this.#rows.length;
    const whole = done && start === 0;
    return { rows: whole ? this.#rows : this.#rows.slice(start, this.#position), done };
  }

  close(): void {
    this.#position = this.#rows.length;
  }
}
