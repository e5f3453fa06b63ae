/**
 * The log of changes on SQLite, read on the main thread's own connection: a few microseconds for a
 * few rows. What would take longer is not read: of a table with many changed rows it is only told
 * that something in it has changed, and after a very long way, of every table.
 */

import {
  COUNT_BY_SHAPE,
  changeOf,
  decodeLogRows,
  SELECT_POSITION,
  SELECT_POSITION_AT,
  SELECT_ROWS,
  toPosition,
} from "../capture/log-rows.ts";
import { SELECT_SHAPES, type Shape, toShape } from "../capture/log-tables.ts";
import type { Position } from "../change/position.ts";
import type { StoredValue } from "../change/value.ts";
import { assert } from "../core/assert.ts";
import type { CommitCounters } from "../sqlite/commit-counters.ts";
import type { Connection } from "../sqlite/connection.ts";
import type { LogSource, Look } from "./log-source.ts";
import type { LoggedChange } from "./ring.ts";

/** Rows of one table whose images are read. */
const ROWS_OF_TABLE_MAX = 1_000;
/** Rows that are looked through at all; more would hold the event loop. */
const ROWS_COUNTED_MAX = 20_000;
/** Enough for all rows that are read: a bound on what SQLite is asked for. */
const ROWS_READ_MAX = ROWS_COUNTED_MAX;

/** See above. */
export class SqliteLog implements LogSource {
  readonly #connection: Connection;
  readonly #commits: CommitCounters;
  #shapes: ReadonlyMap<number, Shape> = new Map();

  constructor(connection: Connection, commits: CommitCounters) {
    this.#connection = connection;
    this.#commits = commits;
  }

  get announced(): number {
    return this.#commits.announced;
  }

  get settled(): number {
    return this.#commits.settled;
  }

  dataVersion(): number {
    return Number(this.#first("PRAGMA data_version")?.[0]);
  }

  look(after: Position | undefined, knownVersion: number | undefined): Look {
    return this.inSnapshot(() => {
      const schemaVersion = this.schemaVersion();
      if (knownVersion !== undefined && schemaVersion !== knownVersion) {
        return { schemaVersion, position: undefined, reachesBack: false, changes: [] };
      }
      const row = this.#first(SELECT_POSITION);
      const position = row === undefined ? undefined : toPosition(row);
      if (after === undefined || position === undefined) {
        return { schemaVersion, position, reachesBack: false, changes: [] };
      }
      const at = this.#first(SELECT_POSITION_AT, [after.sequence]);
      const reachesBack = at !== undefined && toPosition(at).mark === after.mark;
      const changes = reachesBack ? this.#changesBetween(after, position) : [];
      return { schemaVersion, position, reachesBack, changes };
    });
  }

  /** Runs `read` on one state of the file. */
  inSnapshot<T>(read: () => T): T {
    this.#connection.control("BEGIN");
    try {
      return read();
    } finally {
      this.#connection.control("COMMIT");
    }
  }

  schemaVersion(): number {
    return Number(this.#first("PRAGMA schema_version")?.[0]);
  }

  /** Reads which number stands for which table. */
  readShapes(): readonly Shape[] {
    const shapes = this.rows(SELECT_SHAPES).map(toShape);
    this.#shapes = new Map(shapes.map((shape) => [shape.id, shape]));
    return shapes;
  }

  /** All rows of a short statement of ours. */
  rows(sql: string, parameters: readonly (string | number)[] = []): readonly StoredValue[][] {
    return this.#connection.readExactly({ sql, parameters }) as StoredValue[][];
  }

  #first(sql: string, parameters?: readonly (string | number)[]): StoredValue[] | undefined {
    return this.rows(sql, parameters)[0];
  }

  #changesBetween(after: Position, last: Position): readonly LoggedChange[] {
    const count = last.sequence - after.sequence;
    if (count === 0) return [];
    if (count > ROWS_COUNTED_MAX) return this.#everyTable(last.sequence);
    const many = count > ROWS_OF_TABLE_MAX ? this.#tablesWithMany(after, last) : [];
    const bounds = [after.sequence, last.sequence, JSON.stringify(many), ROWS_READ_MAX];
    const rows = this.rows(SELECT_ROWS, bounds);
    let decoded = decodeLogRows(rows, this.#shapes);
    if (!decoded.known) {
      this.readShapes();
      decoded = decodeLogRows(rows, this.#shapes);
    }
    assert(decoded.known, "the log has a row whose shape is not in the same snapshot");
    const changes = decoded.rows.map((row) => ({ sequence: row.sequence, change: changeOf(row) }));
    return [...many.map((id) => this.#tableOf(id, last.sequence)), ...changes].flat();
  }

  #tablesWithMany(after: Position, last: Position): readonly number[] {
    return this.rows(COUNT_BY_SHAPE, [after.sequence, last.sequence])
      .filter(([shape, count]) => Number(shape) !== 0 && Number(count) > ROWS_OF_TABLE_MAX)
      .map(([shape]) => Number(shape));
  }

  #tableOf(shape: number, sequence: number): readonly LoggedChange[] {
    if (!this.#shapes.has(shape)) this.readShapes();
    const table = this.#shapes.get(shape)?.table;
    return table === undefined ? this.#everyTable(sequence) : [wholly(table, sequence)];
  }

  #everyTable(sequence: number): readonly LoggedChange[] {
    const tables = new Set(this.readShapes().map(({ table }) => table));
    return [...tables].map((table) => wholly(table, sequence));
  }
}

function wholly(table: string, sequence: number): LoggedChange {
  return { sequence, change: { kind: "table", table } };
}
