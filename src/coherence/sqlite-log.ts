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
/** The row of a sequence, and those behind it. */
const SELECT_FROM = "SELECT * FROM springhouse_log WHERE seq >= ? ORDER BY seq LIMIT ?";

type LogLook = Pick<Look, "position" | "reachesBack" | "changes">;

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

  isRestarted(): boolean {
    return Number(this.#first("PRAGMA wal_checkpoint(NOOP)")?.[1]) === 0;
  }

  look(after: Position | undefined, knownVersion: number | undefined): Look {
    return this.inSnapshot(() => {
      // Within a transaction it tells of the snapshot, and stands still.
      const dataVersion = this.dataVersion();
      const schemaVersion = this.schemaVersion();
      const known = { dataVersion, schemaVersion };
      if (knownVersion !== undefined && schemaVersion !== knownVersion) {
        return { ...known, position: undefined, reachesBack: false, changes: [] };
      }
      return { ...known, ...(after === undefined ? this.#end() : this.#lookFrom(after)) };
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

  /** Only where the log ends. */
  #end(): LogLook {
    const row = this.rows(SELECT_POSITION)[0];
    const position = row === undefined ? undefined : toPosition(row);
    return { position, reachesBack: false, changes: [] };
  }

  /** One statement for the usual case: the row of the place itself, and the few behind it. */
  #lookFrom(after: Position): LogLook {
    const rows = this.rows(SELECT_FROM, [after.sequence, ROWS_OF_TABLE_MAX + 1]);
    const [at, ...others] = rows;
    if (at === undefined || !isSame(toPosition(at), after)) return this.#end();
    if (rows.length > ROWS_OF_TABLE_MAX) return this.#lookFarFrom(after);
    const position = toPosition(rows.at(-1) ?? at);
    return { position, reachesBack: true, changes: this.#decode(others) };
  }

  #lookFarFrom(after: Position): LogLook {
    const { position } = this.#end();
    assert(position !== undefined, "the log has rows, and no last one");
    const count = position.sequence - after.sequence;
    if (count > ROWS_COUNTED_MAX) {
      return { position, reachesBack: true, changes: this.#everyTable(position.sequence) };
    }
    const many = this.#tablesWithMany(after, position);
    const bounds = [after.sequence, position.sequence, JSON.stringify(many), ROWS_COUNTED_MAX];
    const changes = [
      ...many.flatMap((id) => this.#tableOf(id, position.sequence)),
      ...this.#decode(this.rows(SELECT_ROWS, bounds)),
    ];
    return { position, reachesBack: true, changes };
  }

  #decode(rows: readonly StoredValue[][]): readonly LoggedChange[] {
    let decoded = decodeLogRows(rows, this.#shapes);
    if (!decoded.known) {
      this.readShapes();
      decoded = decodeLogRows(rows, this.#shapes);
    }
    assert(decoded.known, "the log has a row whose shape is not in the same snapshot");
    return decoded.rows.map((row) => ({ sequence: row.sequence, change: changeOf(row) }));
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

function isSame(one: Position, other: Position): boolean {
  return one.sequence === other.sequence && one.mark === other.mark;
}

function wholly(table: string, sequence: number): LoggedChange {
  return { sequence, change: { kind: "table", table } };
}
