/**
 * Reading the log: its position, how much there is of which table, and the rows.
 *
 * All statements are run with integers as bigints and rows as arrays. One snapshot for position,
 * shapes and rows, or a row may name a shape that is not known; then the caller is told to read the
 * shapes again, and nothing is guessed.
 */

import type { Change } from "../change/change.ts";
import type { Position } from "../change/position.ts";
import { type ImageValue, type StoredValue, UNKNOWN } from "../change/value.ts";
import { KIND, LONG_VALUE, type Shape } from "./log-tables.ts";

/** One row of the log. */
export interface LoggedRow {
  readonly sequence: number;
  /** 64 random bits as decimal text. */
  readonly mark: string;
  /** In lower case. */
  readonly table: string;
  /** `"table"`: anything in it may have changed. `"replaced"`: the row may have been deleted. */
  readonly kind: "table" | "insert" | "update" | "delete" | "replaced";
  /** Names of the values; none for `"table"`. */
  readonly columns: readonly string[];
  /** As many as columns; for an update the old values, and then as many new ones. */
  readonly values: readonly ImageValue[];
}

/** Rows of the log that follow each other, decoded. */
export type LoggedRows =
  | {
      readonly known: true;
      readonly rows: readonly LoggedRow[];
      /** Of the last row read, which may be a tick; undefined when none was. */
      readonly last: Position | undefined;
    }
  /** A row has a shape that is not among those given: read them again. */
  | { readonly known: false; readonly shape: number };

/** Position of the snapshot, for `toPosition`. */
export const SELECT_POSITION = "SELECT seq, nonce FROM springhouse_log ORDER BY seq DESC LIMIT 1";
/** The oldest row that is still there; what came before it is not known any more. */
export const SELECT_FIRST_POSITION = "SELECT seq, nonce FROM springhouse_log ORDER BY seq LIMIT 1";
/** The row of a sequence: no row, or another mark, and the position is of another history. */
export const SELECT_POSITION_AT = "SELECT seq, nonce FROM springhouse_log WHERE seq = ?";
/**
 * Shapes and how many rows each has, after a sequence and up to another. It reads each row's head;
 * a caller that must not be held up takes the way in steps.
 */
export const COUNT_BY_SHAPE =
  "SELECT shape, count(*) FROM springhouse_log WHERE seq > ? AND seq <= ? GROUP BY shape";
/**
 * Rows after a sequence, up to another, but for the shapes in a JSON array, and at most so many.
 * Columns that are not needed cost little, and the log may have been widened meanwhile.
 */
export const SELECT_ROWS: string =
  "SELECT * FROM springhouse_log WHERE seq > ? AND seq <= ? " +
  "AND shape NOT IN (SELECT value FROM json_each(?)) ORDER BY seq LIMIT ?";

/**
 * A row of one of the `SELECT_…POSITION` statements. The mark is empty for a row that a trigger has
 * written: such a position is good as long as the connection is open and the schema the same, and
 * must not be kept beyond; a tick makes one that can.
 */
export function toPosition(row: readonly unknown[]): Position {
  return { sequence: Number(row[0]), mark: String(row[1] ?? "") };
}

/** Decodes rows of `SELECT_ROWS`, given the shapes by number. Ticks are left out. */
export function decodeLogRows(
  rows: readonly (readonly StoredValue[])[],
  shapes: ReadonlyMap<number, Shape>,
): LoggedRows {
  const decoded: DecodedRow[] = [];
  for (const row of rows) {
    const id = Number(row[2]);
    if (id === 0) continue;
    const shape = shapes.get(id);
    if (shape === undefined) return { known: false, shape: id };
    decoded.push(decode(row, shape));
  }
  const last = rows.at(-1);
  return {
    known: true,
    rows: withoutUpserts(decoded).map(({ logged }) => logged),
    last: last && toPosition(last),
  };
}

/** What a row of the log tells of. */
export function changeOf({ table, kind, columns, values }: LoggedRow): Change {
  const image = (from: number): { columns: typeof columns; values: typeof values } => ({
    columns,
    values: values.slice(from, from + columns.length),
  });
  switch (kind) {
    case "table":
      return { kind: "table", table };
    case "insert":
      return { kind: "row", table, before: undefined, after: image(0) };
    case "update":
      return { kind: "row", table, before: image(0), after: image(columns.length) };
    case "delete":
    case "replaced":
      return { kind: "row", table, before: image(0), after: undefined };
  }
}

interface DecodedRow {
  readonly logged: LoggedRow;
  /** Number of its kind, which tells more. */
  readonly kind: number;
  readonly identity: Shape["identity"];
}

/** `seq, nonce, shape, kind, v0, …` */
const FIRST_VALUE = 4;
const KIND_NAMES = ["table", "insert", "update", "delete", "replaced", "replaced"] as const;

function decode(row: readonly StoredValue[], { table, columns, identity }: Shape): DecodedRow {
  const kind = Number(row[3]);
  const name = KIND_NAMES[kind] ?? "table";
  const count = name === "table" ? 0 : name === "update" ? 2 * columns.length : columns.length;
  const values = row.slice(FIRST_VALUE, FIRST_VALUE + count).map(decodeValue);
  const logged: LoggedRow = {
    ...toPosition(row),
    table,
    kind: name,
    columns: name === "table" ? [] : columns,
    values,
  };
  return { logged, kind, identity };
}

function decodeValue(value: StoredValue): ImageValue {
  const isLong =
    value instanceof Uint8Array &&
    value.length === LONG_VALUE.length &&
    LONG_VALUE.every((byte, at) => value[at] === byte);
  return isLong ? UNKNOWN : value;
}

/**
 * Leaves out a row in the way of an insert that was not replaced, because the very next thing that
 * happened is an update of it: so ends an upsert. It must be the only one in the way: the deletion
 * of another one could have set the update off, and this one be replaced after it. And it must be
 * an insert: a row that is updated to the key of one that it replaces can be updated again, by a
 * foreign key to its own table, before its trigger comes.
 */
function withoutUpserts(rows: readonly DecodedRow[]): readonly DecodedRow[] {
  const kept: DecodedRow[] = [];
  let run: DecodedRow[] = [];
  for (const row of rows) {
    const [first = row] = run;
    if (row.kind === KIND.inTheWay && isSameRow(first, row)) {
      run.push(row);
      continue;
    }
    const isUpsert = run.length > 0 && row.kind === KIND.update && isSameRow(first, row);
    if (!isUpsert) kept.push(...run);
    // Another row in the way: all of them stay, and none begins a run.
    const isFirst = row.kind === KIND.inTheWay && kept.at(-1)?.kind !== KIND.inTheWay;
    run = isFirst ? [row] : [];
    if (!isFirst) kept.push(row);
  }
  return [...kept, ...run];
}

/** Whether two images are of one row: the values that tell it apart are the same, and not NULL. */
function isSameRow(a: DecodedRow, b: DecodedRow): boolean {
  if (a.logged.table !== b.logged.table || a.logged.columns !== b.logged.columns) return false;
  return a.identity?.every((at) => isSameValue(a.logged.values[at], b.logged.values[at])) ?? false;
}

function isSameValue(a: ImageValue | undefined, b: ImageValue | undefined): boolean {
  if (a === null || a === undefined || a === UNKNOWN) return false;
  if (a instanceof Uint8Array) return b instanceof Uint8Array && Buffer.compare(a, b) === 0;
  return a === b;
}
