/**
 * Which of the gathered rows a database refuses, and of which items they are.
 *
 * The staging file knows no places of rows: noting them would cost every import, and hardly any
 * has such rows. So the import is read once more, and what gives one of them becomes a reject. A
 * row is known by its shape and its values; items that give the same row are all refused.
 */

import { isSpringhouseError, messageOf, SpringhouseError } from "../../core/errors.ts";
import { lowerAscii } from "../../core/lower-ascii.ts";
import type { SqlValue } from "../../core/statement.ts";
import { quoteIdentifier, quoteList } from "../../schema/quote.ts";
import type { Connection } from "../../sqlite/connection.ts";
import type { EncodedRows } from "./encode.ts";
import type { RefusedRow, TableShape } from "./plan.ts";
import { rowText } from "./row-hash.ts";

const CHUNK_ROWS = 500;
/** Each time at least one item less is imported; chains of references may need several. */
const ROUNDS_MAX = 20;

/** The rows that were refused so far, for the one who reads the items. */
export class RefusedRows {
  readonly #reasons = new Map<string, string>();
  #rounds = 0;
  /** Items that have given such a row. */
  #items = 0;
  #itemsBefore = 0;

  /** Why a row of an item was refused; undefined when all may be tried. */
  reasonOf({ rows, shapes }: EncodedRows): string | undefined {
    if (this.#reasons.size === 0) return undefined;
    for (const [index, row] of rows.entries()) {
      const reason = this.#reasons.get(keyOf(shapes[index] ?? 0, rowText(row)));
      if (reason === undefined) continue;
      this.#items++;
      return reason;
    }
    return undefined;
  }

  /**
   * Takes what was refused this time.
   *
   * @throws `CONSTRAINT` when reading again would not help: the rows are of no item.
   */
  add(rows: readonly RefusedRow[]): void {
    const isStuck = this.#rounds > 0 && this.#items <= this.#itemsBefore;
    if (isStuck || this.#rounds === ROUNDS_MAX) throw refusedAll(rows);
    this.#rounds++;
    this.#itemsBefore = this.#items;
    this.#items = 0;
    for (const { shape, text, reason } of rows) this.#reasons.set(keyOf(shape, text), reason);
  }
}

function keyOf(shape: number, text: string): string {
  return `${shape}:${text}`;
}

function refusedAll(rows: readonly RefusedRow[]): SpringhouseError {
  const reasons = [...new Set(rows.map(({ reason }) => reason))].slice(0, 3);
  const what = reasons.join("; ");
  const message = `The database refuses ${rows.length} rows: ${what}. Nothing was imported.`;
  return new SpringhouseError("CONSTRAINT", message, { fields: { reasons } });
}

/** Something that is refused, as `PRAGMA foreign_key_check` gives it. */
export interface Orphan {
  readonly table: string;
  /** Null in a table WITHOUT ROWID. */
  readonly rowid: SqlValue;
  readonly parent: string;
  /** Number of the foreign key in its table. */
  readonly key: number;
}

/** Rows that refer to nothing, in some tables or all of a database. */
export function orphansOf(
  connection: Connection,
  schema: "main" | "target",
  tables?: Iterable<string>,
): readonly Orphan[] {
  const names = tables === undefined ? [undefined] : [...tables];
  return names
    .flatMap((name) => {
      const of = name === undefined ? "" : `(${quoteIdentifier(name)})`;
      return connection.askAll(`PRAGMA ${schema}.foreign_key_check${of}`);
    })
    .map(([table, rowid, parent, key]) => ({
      table: String(table),
      rowid: rowid ?? null,
      parent: String(parent),
      key: Number(key),
    }));
}

/** Those that were not there before. */
export function newOrphans(
  orphans: readonly Orphan[],
  before: readonly Orphan[],
): readonly Orphan[] {
  // Those of a table WITHOUT ROWID look alike, so it is their number that tells.
  const known = new Map<string, number>();
  for (const one of before) known.set(orphanText(one), (known.get(orphanText(one)) ?? 0) + 1);
  return orphans.filter((one) => {
    const left = known.get(orphanText(one)) ?? 0;
    if (left > 0) known.set(orphanText(one), left - 1);
    return left === 0;
  });
}

function orphanText({ table, rowid, parent, key }: Orphan): string {
  return JSON.stringify([table, String(rowid), parent, key]);
}

/** The rows of the orphans as they were given. Those of tables WITHOUT ROWID are left out. */
export function refusedOrphans(
  connection: Connection,
  schema: "main" | "target",
  shapes: readonly TableShape[],
  orphans: readonly Orphan[],
  rowsMax: number,
): readonly RefusedRow[] {
  return orphans.slice(0, rowsMax).flatMap(({ table, rowid, parent, key }) => {
    const columns = connection
      .askAll(`PRAGMA ${schema}.foreign_key_list(${quoteIdentifier(table)})`)
      .filter(([id]) => Number(id) === key)
      .map(([, , , from]) => String(from));
    const reason = `${table}: ${columns.join(", ")} refers to no row of ${parent}`;
    return shapes.flatMap((shape, index) => {
      if (lowerAscii(shape.table) !== lowerAscii(table) || rowid === null) return [];
      const list = quoteList(shape.columns);
      const sql = `SELECT ${list} FROM ${schema}.${quoteIdentifier(table)} WHERE rowid = ?`;
      return connection
        .readAll({ sql, parameters: [rowid] })
        .rows.map((row) => ({ shape: index, text: rowText(row), reason }));
    });
  });
}

/** Writes the gathered rows of a shape a few at a time, to find those that the target refuses. */
export function refusedByTarget(
  connection: Connection,
  shape: number,
  { table, columns }: TableShape,
  upsert: string,
  rowsMax: number,
): readonly RefusedRow[] {
  const refused: RefusedRow[] = [];
  const sql = `SELECT ${quoteList(columns)} FROM main.${quoteIdentifier(table)}`;
  using cursor = connection.openCursor({ sql, parameters: [] });
  for (let isDone = false; !isDone && refused.length < rowsMax; ) {
    const { rows, done } = cursor.next(CHUNK_ROWS);
    isDone = done;
    if (tryRows(connection, upsert, rows) === undefined) continue;
    for (const row of rows) {
      const reason = tryRows(connection, upsert, [row]);
      if (reason === undefined) continue;
      refused.push({ shape, text: rowText(row), reason: `${table}: ${reason}, in the target` });
    }
  }
  return refused;
}

/** Undefined when all were written; else why not, and none was. */
function tryRows(
  connection: Connection,
  sql: string,
  rows: readonly (readonly SqlValue[])[],
): string | undefined {
  connection.control("SAVEPOINT rows");
  try {
    connection.runMany(sql, rows.map(bound));
    connection.control("RELEASE rows");
    return undefined;
  } catch (error) {
    // A constraint of the target may say that it ends the transaction.
    if (!isSpringhouseError(error, "CONSTRAINT") || !connection.inTransaction) throw error;
    connection.control("ROLLBACK TO rows");
    connection.control("RELEASE rows");
    return messageOf(error);
  }
}

/** A number is bound as a real one, which a column without a type would keep. */
function bound(row: readonly SqlValue[]): SqlValue[] {
  return row.map((value) => (Number.isSafeInteger(value) ? BigInt(value as number) : value));
}
