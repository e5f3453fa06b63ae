/**
 * The place of a data step in its table, kept in `springhouse_migration_steps` and moved on by each
 * batch in the batch's own transaction.
 */

import { quoteIdentifier } from "../schema/quote.ts";
import type { Session, SqlValue, Statement, Store } from "../store/store.ts";
import { type Condition, decodeCursor, encodeCursor } from "./keyset.ts";

/** What a batch covers. */
export interface Covered {
  readonly rows: number;
  /** Key of its last row; undefined when the table ends here. */
  readonly last: readonly SqlValue[] | undefined;
}

/** The journal of one step of one migration. */
export class Journal {
  readonly #version: number;
  readonly #step: number;
  #cursor: string | null = null;
  #rows = 0;
  #changed = 0;
  #total = 0;
  #isFinished = false;

  private constructor(version: number, step: number) {
    this.#version = version;
    this.#step = step;
  }

  /** Enters the step into the journal, or finds where it has stopped. */
  static async open(store: Store, version: number, step: number, table: string): Promise<Journal> {
    const journal = new Journal(version, step);
    if (await journal.read(store)) return journal;
    const sql = `SELECT count(*) FROM ${quoteIdentifier(table)}`;
    const total = Number((await store.read({ sql, parameters: [] })).rows[0]?.[0]);
    await store.write([
      {
        sql: `INSERT INTO springhouse_migration_steps
          (version, step, cursor, rows, changed, rows_total, finished)
          VALUES (?, ?, NULL, 0, 0, ?, 0) ON CONFLICT (version, step) DO NOTHING`,
        parameters: [version, step, total],
      },
    ]);
    await journal.read(store);
    return journal;
  }

  /** Key of the last row that was worked on; undefined before the first. */
  get cursor(): readonly SqlValue[] | undefined {
    return this.#cursor === null ? undefined : decodeCursor(this.#cursor);
  }

  /** Rows walked over. */
  get rows(): number {
    return this.#rows;
  }

  /** Rows changed or handed out. */
  get changed(): number {
    return this.#changed;
  }

  /** Where it stands, as text; only ever moves on. */
  get position(): string {
    return this.#isFinished ? "the end" : (this.#cursor ?? "the beginning");
  }

  get isFinished(): boolean {
    return this.#isFinished;
  }

  /** Takes over what the database says; whether it knows the step. A step that is gone is done. */
  async read(session: Session): Promise<boolean> {
    const sql = `SELECT cursor, rows, changed, rows_total, finished
      FROM springhouse_migration_steps WHERE version = ? AND step = ?`;
    const parameters = [this.#version, this.#step];
    const row = (await session.read({ sql, parameters })).rows[0];
    this.#isFinished = row === undefined || row[4] === 1;
    if (row === undefined) return false;
    this.#cursor = row[0] === null ? null : String(row[0]);
    [this.#rows, this.#changed, this.#total] = [Number(row[1]), Number(row[2]), Number(row[3])];
    return true;
  }

  /** True, in SQL, while the database stands where this journal does. */
  guard(): Condition {
    return {
      sql: `EXISTS (SELECT 1 FROM springhouse_migration_steps WHERE ${STANDS})`,
      parameters: [this.#version, this.#step, this.#cursor],
    };
  }

  /** Whether the database stands where this journal does. */
  async stands(session: Session): Promise<boolean> {
    const { sql, parameters } = this.guard();
    const { rows } = await session.read({ sql: `SELECT ${sql}`, parameters });
    return rows[0]?.[0] === 1;
  }

  /** The statement that moves the journal behind a batch; `changed` is SQL. Changes 0 or 1 row. */
  advance({ rows, last }: Covered, changed: string): Statement {
    return {
      sql: `UPDATE springhouse_migration_steps SET cursor = coalesce(?, cursor), rows = rows + ?,
        changed = changed + ${changed}, finished = ? WHERE ${STANDS}`,
      parameters: [
        last === undefined ? null : encodeCursor(last),
        rows,
        last === undefined ? 1 : 0,
        this.#version,
        this.#step,
        this.#cursor,
      ],
    };
  }

  /** Follows what `advance` has done. */
  moved({ rows, last }: Covered, changed: number): void {
    if (last !== undefined) this.#cursor = encodeCursor(last);
    this.#rows += rows;
    this.#changed += changed;
    this.#isFinished = last === undefined;
    this.#total = this.#isFinished ? this.#rows : Math.max(this.#total, this.#rows);
  }

  /** How far the step has come, and how long the rest takes at this speed. */
  progress(rowsPerSecond: number): { rows: number; rowsTotal: number; etaMs: number } {
    const left = this.#total - this.#rows;
    const etaMs = rowsPerSecond > 0 ? (left / rowsPerSecond) * 1_000 : 0;
    return { rows: this.#rows, rowsTotal: this.#total, etaMs };
  }
}

const STANDS = "version = ? AND step = ? AND cursor IS ? AND finished = 0";
