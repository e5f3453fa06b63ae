/**
 * The log of changes: the table `springhouse_log` in the user's own file, to which triggers add one
 * row for each row that is changed, in the transaction that changes it. So it is exact under every
 * writer, and a crash cannot lose what it says.
 *
 * `seq` is the greatest one plus one; the last row is never deleted, so it never goes backwards.
 * `nonce` tells a file from a restored or copied one that has come to the same number; only ticks
 * have one. A call of a function in a trigger, or a rule of the log, would make SQLite keep a copy
 * of every page that a statement changes, which costs as much as the log itself; so there is none.
 * The values
 * of a row stand in `v0`, `v1`, … in the order of the table's columns; these have no type, so that
 * every storage class survives, and no rule, so that a writer never fails because of the log.
 *
 * `shape` says which table, with which columns: a row of `springhouse_log_shapes`. A table whose
 * columns change gets a new shape, and no shape is ever altered or deleted. Shape 0 is none: a
 * tick, a commit of our own that has nothing else to say; in its place stands the identity of the
 * log, when it has one.
 */

import { lowerAscii } from "../core/lower-ascii.ts";
import { literal } from "../schema/quote.ts";

/** What has happened to a row, as a number in the log. */
export const KIND = {
  /** Anything in the table may have changed. No values. */
  table: 0,
  /** The new values. */
  insert: 1,
  /** The old values, then the new ones. */
  update: 2,
  /** The old values. */
  delete: 3,
  /** The row is in the way of one that is inserted; if REPLACE was said it is gone. Its values. */
  inTheWay: 4,
  /**
   * The same of one that is updated; and of a row that came, by a new key, to where it may be in
   * the way of another one.
   */
  mayGo: 5,
} as const;

/** Tables with more columns are logged without their rows: two of each would make the log wide. */
export const LOGGED_COLUMNS_MAX = 64;
/** Longer values are logged as `LONG_VALUE`: what they are is not worth a second copy. */
export const LOGGED_VALUE_BYTES_MAX = 1_024;
/** Stands for a long value. A value that is just this reads as unknown too, which is as safe. */
export const LONG_VALUE: Uint8Array = Uint8Array.of(0x9d, 0x5a, 0x1c, 0xe7, 0x00, 0xb3, 0x46, 0xf8);

/** The columns of a table when its triggers were made. */
export interface Shape {
  readonly id: number;
  /** In lower case, like the columns. */
  readonly table: string;
  /** Empty when the rows are not logged. */
  readonly columns: readonly string[];
  /**
   * Places of columns that tell the row from every other one, unless one of them is NULL. Undefined
   * when there are none.
   */
  readonly identity: readonly number[] | undefined;
}

/** Whether a table or trigger is part of the log. */
export function isLogName(name: string): boolean {
  return /^springhouse_log(?:_|$)/i.test(name);
}

/** How many columns for values a log needs for a table. */
export function logWidth(columns: number): number {
  return 2 * columns;
}

/**
 * Makes the log, with this many columns for values. It starts with a row, to have a position. Half
 * a log, left by somebody else, is of no use: no number in it can be relied on.
 */
export function createLog(width: number): readonly string[] {
  const values = Array.from({ length: width }, (_, at) => `, v${at}`).join("");
  return [
    "DROP TABLE IF EXISTS springhouse_log",
    "DROP TABLE IF EXISTS springhouse_log_shapes",
    `CREATE TABLE springhouse_log (seq INTEGER PRIMARY KEY, nonce, shape, kind${values})`,
    "CREATE TABLE springhouse_log_shapes (id INTEGER PRIMARY KEY, table_name TEXT NOT NULL, " +
      "columns TEXT NOT NULL, identity TEXT)",
    ADD_TICK,
  ];
}

/** Gives a log of `from` columns for values as many as `to`. */
export function widenLog(from: number, to: number): readonly string[] {
  const count = Math.max(to - from, 0);
  return Array.from({ length: count }, (_, at) => {
    return `ALTER TABLE springhouse_log ADD COLUMN v${from + at}`;
  });
}

/** Adds the row of a commit that has nothing else to say. */
export const ADD_TICK = "INSERT INTO springhouse_log (nonce, shape, kind) VALUES (random(), 0, 0)";

/** Whether there is a log: one row or none. */
export const HAS_LOG = `SELECT 1 FROM sqlite_schema
  WHERE type = 'table' AND name = 'springhouse_log_shapes'`;
/** All shapes, for `toShape`. */
export const SELECT_SHAPES =
  "SELECT id, table_name, columns, identity FROM springhouse_log_shapes ORDER BY id";

/** A row of `SELECT_SHAPES`. */
export function toShape(row: readonly unknown[]): Shape {
  const [id, table, columns, identity] = row;
  return {
    id: Number(id),
    table: String(table),
    columns: JSON.parse(String(columns)) as string[],
    identity: identity === null ? undefined : (JSON.parse(String(identity)) as number[]),
  };
}

/** The statement that keeps a shape. */
export function addShape({ id, table, columns, identity }: Shape): string {
  const values = [
    String(id),
    text(table),
    text(JSON.stringify(columns)),
    identity === undefined ? "NULL" : text(JSON.stringify(identity)),
  ];
  return `INSERT INTO springhouse_log_shapes VALUES (${values.join(", ")})`;
}

/** Says of a shape's table that anything in it may have changed. */
export function logTable(shape: number): string {
  return `INSERT INTO springhouse_log (shape, kind) VALUES (${shape}, ${KIND.table})`;
}

/** The same for a table, whatever its shape, and though it may not have one yet. */
export function logTableByName(table: string): readonly string[] {
  const name = text(lowerAscii(table));
  const own = `FROM springhouse_log_shapes WHERE table_name = ${name}`;
  return [
    `INSERT INTO springhouse_log_shapes (table_name, columns) SELECT ${name}, '[]' ` +
      `WHERE NOT EXISTS (SELECT 1 ${own})`,
    `INSERT INTO springhouse_log (shape, kind) SELECT max(id), ${KIND.table} ${own}`,
  ];
}

/** Says of every table that anything in it may have changed. */
export const LOG_EVERY_TABLE: string =
  `INSERT INTO springhouse_log (shape, kind) SELECT max(id), ${KIND.table} ` +
  "FROM springhouse_log_shapes WHERE id > 0 GROUP BY table_name";

/**
 * Gives the log an identity, once: random bits that tell a file from all others but its copies. It
 * stands where the shapes are, under the number that ticks have.
 */
export const ADD_IDENTITY: string =
  "INSERT INTO springhouse_log_shapes (id, table_name, columns) " +
  "SELECT 0, '', json_array(lower(hex(randomblob(16)))) " +
  "WHERE NOT EXISTS (SELECT 1 FROM springhouse_log_shapes WHERE id = 0)";

/** Gives a log that has an identity another one: for a file that goes on from an earlier time. */
export const RENEW_IDENTITY: string =
  "UPDATE springhouse_log_shapes SET columns = json_array(lower(hex(randomblob(16)))) WHERE id = 0";

/** The identity: one row or none. */
export const SELECT_IDENTITY = "SELECT columns ->> 0 FROM springhouse_log_shapes WHERE id = 0";

/** The last tick after one sequence and up to another: one row or none. */
export const SELECT_LAST_TICK: string =
  "SELECT seq, nonce FROM springhouse_log WHERE seq > ? AND seq <= ? AND nonce IS NOT NULL " +
  "ORDER BY seq DESC LIMIT 1";

function text(value: string): string {
  return literal(value, "sqlite");
}
