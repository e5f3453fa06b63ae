/**
 * Gathers items into batches and sends them to the thread, a few at a time: while the thread writes
 * one, the next is read, and no more than that is held in memory.
 */

import type { SqlValue } from "../../core/statement.ts";
import { rowBytes } from "../../sqlite/row-cursor.ts";
import type { EncodedRows } from "./encode.ts";
import type { ImportReject } from "./options.ts";
import type { Batch } from "./plan.ts";

/** Enough to be fast, few enough to die young in both threads. */
const BATCH_ROWS = 200;
const BATCH_BYTES = 262_144;
/** Items without rows are noted as done too, now and then. */
const BATCH_ITEMS_MAX = 5_000;
/** One that is written, and one that is on its way. */
const IN_FLIGHT_MAX = 2;

/** Batches on their way. */
export class Batches {
  readonly #send: (batch: Batch) => Promise<readonly ImportReject[]>;
  readonly #inFlight: Promise<unknown>[] = [];
  #failure: { readonly error: unknown } | undefined;
  #open = emptyBatch();
  #bytes = 0;
  /** Whether JSON has all values of the open batch. */
  #isPlain = true;
  #items = 0;
  #rejected = 0;
  #place: Pick<Batch, "file" | "source" | "sourceItems"> = { file: "", source: 0, sourceItems: 0 };

  /** @param send writes a batch; gives the rejects that the database has found. */
  constructor(send: (batch: Batch) => Promise<readonly ImportReject[]>) {
    this.#send = send;
  }

  get items(): number {
    return this.#items;
  }

  get rejected(): number {
    return this.#rejected;
  }

  /** Begins a source file, of which some items are done already. */
  begin(source: number, file: string, sourceItems: number): void {
    this.#place = { source, file, sourceItems };
  }

  /** Adds an item that has rows, or none when it was left out. */
  add(line: number, { rows, shapes }: EncodedRows): void {
    const owner = this.#open.lines.length;
    if (rows.length > 0) this.#open.lines.push(line);
    for (const [index, row] of rows.entries()) this.#addRow(row, shapes[index] ?? 0, owner);
    this.#count();
  }

  /** Adds rows that belong to no item. */
  addLast({ rows, shapes }: EncodedRows): void {
    this.#open.lines.push(0);
    for (const [index, row] of rows.entries()) this.#addRow(row, shapes[index] ?? 0, 0);
  }

  /** Adds an item that is not imported. */
  reject(reject: ImportReject): void {
    this.#open.rejects.push(reject);
    this.#rejected++;
    this.#count();
  }

  /** Whether it is time to send. */
  get isFull(): boolean {
    const { rows, rejects, items } = this.#open;
    return (
      rows.length + rejects.length >= BATCH_ROWS ||
      this.#bytes >= BATCH_BYTES ||
      items >= BATCH_ITEMS_MAX
    );
  }

  /** Sends what was gathered, when there is room for it. */
  async send(): Promise<void> {
    if (this.#open.items === 0 && this.#open.rows.length === 0) return;
    const { rows } = this.#open;
    const packed = this.#isPlain ? JSON.stringify(rows) : rows;
    const batch: Batch = { ...this.#open, ...this.#place, rows: packed };
    this.#isPlain = true;
    this.#open = emptyBatch();
    this.#bytes = 0;
    const sent = this.#send(batch).then(
      (found) => {
        this.#rejected += found.length;
      },
      (error: unknown) => {
        this.#failure ??= { error };
      },
    );
    this.#inFlight.push(sent);
    while (this.#inFlight.length >= IN_FLIGHT_MAX) await this.#inFlight.shift();
    this.#throwFailure();
  }

  /** Sends the rest and waits until everything is written. */
  async flush(): Promise<void> {
    await this.send();
    await Promise.all(this.#inFlight);
    this.#throwFailure();
  }

  #addRow(row: readonly SqlValue[], shape: number, owner: number): void {
    this.#open.rows.push(row);
    this.#open.shapes.push(shape);
    this.#open.owners.push(owner);
    this.#bytes += rowBytes(row);
    this.#isPlain &&= row.every(isPlain);
  }

  #count(): void {
    this.#open.items++;
    this.#items++;
    this.#place = { ...this.#place, sourceItems: this.#place.sourceItems + 1 };
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}

function isPlain(value: SqlValue): boolean {
  return typeof value !== "bigint" && !(value instanceof Uint8Array);
}

interface OpenBatch {
  readonly lines: number[];
  readonly shapes: number[];
  readonly owners: number[];
  readonly rows: (readonly SqlValue[])[];
  readonly rejects: ImportReject[];
  items: number;
}

function emptyBatch(): OpenBatch {
  return { lines: [], shapes: [], owners: [], rows: [], rejects: [], items: 0 };
}
