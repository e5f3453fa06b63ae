/**
 * A read that is stepped through in chunks of bounded size.
 *
 * The first chunk is read as numbers; when an integer does not fit, it starts again with bigints,
 * which nobody notices because nothing has been handed out. Later chunks read bigints from the
 * start and turn them back, since a statement cannot go back over a row.
 */

import type { StatementSync } from "node:sqlite";
import { toSpringhouseError } from "./errors.ts";
import { assertInRange, isOutOfRange, narrowIntegers } from "./integers.ts";
import { columnsOf, type Prepared } from "./statement-cache.ts";
import type { ResultColumn, Row, SqlValue } from "./values.ts";

/** A chunk ends early at about this size, so that copying it takes about a millisecond. */
export const CHUNK_BYTES_MAX: number = 256 * 1_024;
/** What a row or a number costs in the estimate. */
const VALUE_BYTES = 8;

/** Some rows, and whether they were the last. */
export interface Chunk {
  readonly rows: Row[];
  readonly done: boolean;
}

/** An open read. Closed by its end, by an error, or by `close`. */
export class RowCursor implements Disposable {
  readonly #path: string;
  readonly #prepared: Prepared;
  readonly #statement: StatementSync;
  readonly #parameters: readonly SqlValue[];
  #giveBack: (() => void) | undefined;
  #iterator: Iterator<unknown> | undefined;
  #bigints = false;

  /** @param path of the file, for errors. */
  constructor(
    path: string,
    prepared: Prepared,
    parameters: readonly SqlValue[],
    giveBack: () => void,
  ) {
    this.#path = path;
    this.#prepared = prepared;
    this.#statement = prepared.statement;
    this.#parameters = parameters;
    this.#giveBack = giveBack;
  }

  /** Known after the first chunk. */
  get columns(): readonly ResultColumn[] {
    return columnsOf(this.#prepared);
  }

  /** The next chunk: at most `rowsMax` rows. */
  next(rowsMax: number): Chunk {
    try {
      if (this.#iterator !== undefined) {
        this.#readBigInts();
        return this.#fill(rowsMax);
      }
      this.#statement.setReadBigInts(false);
      this.#restart();
      try {
        return this.#fill(rowsMax);
      } catch (error) {
        if (!isOutOfRange(error)) throw error;
        this.#restart();
        this.#readBigInts();
        return this.#fill(rowsMax);
      }
    } catch (error) {
      this.close();
      throw toSpringhouseError(error, { path: this.#path, sql: this.#statement.sourceSQL });
    }
  }

  close(): void {
    this.#iterator?.return?.();
    this.#giveBack?.();
    this.#giveBack = undefined;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #restart(): void {
    this.#iterator?.return?.();
    this.#iterator = this.#statement.iterate(...this.#parameters);
  }

  #readBigInts(): void {
    if (this.#bigints) return;
    this.#statement.setReadBigInts(true);
    this.#bigints = true;
  }

  #fill(rowsMax: number): Chunk {
    const rows: Row[] = [];
    let bytes = 0;
    while (rows.length < rowsMax && bytes < CHUNK_BYTES_MAX) {
      const step = this.#iterator?.next();
      if (step === undefined || step.done === true) {
        this.close();
        return { rows, done: true };
      }
      const row = step.value as Row;
      if (this.#bigints) narrowIntegers(row);
      else assertInRange(row);
      bytes += rowBytes(row);
      rows.push(row);
    }
    return { rows, done: false };
  }
}

/** About what a row costs to copy to another thread. */
export function rowBytes(row: readonly SqlValue[]): number {
  let bytes = VALUE_BYTES;
  for (const value of row) {
    if (typeof value === "string") bytes += value.length;
    else if (value instanceof Uint8Array) bytes += value.byteLength;
    else bytes += VALUE_BYTES;
  }
  return bytes;
}
