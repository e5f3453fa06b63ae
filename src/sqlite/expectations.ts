/**
 * Whether what a write rests on still holds, judged by the writer's thread in the transaction of
 * the write, before its first statement. What earlier units of the same group have written is in
 * the log that this connection sees, committed or not, so it counts.
 *
 * When nothing was logged since, two small reads say so. Otherwise the rows of the log are compared
 * with what was read, up to a bound; beyond it whole tables are, which may refuse a write that
 * could have been made, and never lets one pass that could not.
 */

import { captureOf } from "../capture/capture-level.ts";
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
import {
  fileTables,
  STRUCTURE_QUERIES,
  type StructureRows,
  tableStructure,
} from "../capture/table-structure.ts";
import type { Change } from "../change/change.ts";
import { changedConflict, DOUBTS, doubtfulConflict } from "../change/conflict.ts";
import type { Expectation, Version } from "../change/expectation.ts";
import type { Atom } from "../change/footprint.ts";
import type { Position } from "../change/position.ts";
import type { TableStructure } from "../change/structure.ts";
import { touches } from "../change/touches.ts";
import type { StoredValue } from "../change/value.ts";
import { assert } from "../core/assert.ts";
import type { Connection } from "./connection.ts";
import type { SqlValue } from "./values.ts";

/** Rows of the log that are looked at one by one; more would hold up the writers behind. */
const ROWS_MAX = 5_000;
/** Pairs of a row and something read that are compared: some tens of milliseconds. */
const COMPARISONS_MAX = 200_000;

/** A change, and the number of its row in the log. */
interface Logged {
  readonly sequence: number;
  readonly change: Change;
}

/** Judges on one connection. */
export class ExpectationCheck {
  readonly #connection: Connection;
  /** Of the tables below. */
  #schemaVersion: number | undefined;
  #structures: ReadonlyMap<string, TableStructure> = new Map();
  #shapes: ReadonlyMap<number, Shape> = new Map();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /**
   * To be called within a transaction.
   *
   * @throws `CONFLICT` for the first expectation that does not hold.
   */
  assertHold(expectations: readonly Expectation[]): void {
    if (expectations.length === 0) return;
    const schemaVersion = Number(this.#first("PRAGMA schema_version")?.[0]);
    // First: with another schema there may be no log.
    for (const { version } of expectations) {
      if (version.schemaVersion !== schemaVersion) throw doubtfulConflict(DOUBTS.schema);
    }
    const row = this.#first(SELECT_POSITION);
    if (row === undefined) throw doubtfulConflict(DOUBTS.history);
    const last = toPosition(row);
    const late = expectations.filter(({ version }) => !isAt(version, last));
    if (late.length === 0) return;
    for (const { version } of late) this.#assertReached(version);
    const from = Math.min(...late.map(({ version }) => version.sequence));
    for (const logged of this.#changes(from, last.sequence, schemaVersion, late)) {
      for (const expectation of late) this.#assertMissed(logged, expectation);
    }
  }

  /** The log still has the place, and it is a place of this file's history. */
  #assertReached(version: Version): void {
    const row = this.#first(SELECT_POSITION_AT, [version.sequence]);
    if (row === undefined || !isAt(version, toPosition(row)))
      throw doubtfulConflict(DOUBTS.history);
  }

  #assertMissed({ sequence, change }: Logged, { version, atoms }: Expectation): void {
    if (sequence <= version.sequence) return;
    if (atoms === "all") throw changedConflict(change, atoms);
    const structure = this.#structures.get(change.table);
    for (const atom of atoms) {
      if (atom.table !== change.table) continue;
      if (structure !== undefined && !touches(change, atom, structure)) continue;
      throw changedConflict(change, atom);
    }
  }

  #changes(
    after: number,
    upTo: number,
    schemaVersion: number,
    late: readonly Expectation[],
  ): readonly Logged[] {
    this.#lookAtTables(schemaVersion);
    const count = upTo - after;
    const atoms = late.reduce((sum, { atoms: some }) => sum + sizeOf(some), 0);
    if (count > ROWS_MAX || count * atoms > COMPARISONS_MAX) return this.#tables(after, upTo);
    const rows = this.#rows(SELECT_ROWS, [after, upTo, "[]", ROWS_MAX]);
    let decoded = decodeLogRows(rows as StoredValue[][], this.#shapes);
    if (!decoded.known) decoded = decodeLogRows(rows as StoredValue[][], this.#readShapes());
    assert(decoded.known, "the log has a row whose shape is not in the same snapshot");
    return decoded.rows.map((row) => ({ sequence: row.sequence, change: changeOf(row) }));
  }

  /** As if each table with a row among them had been changed by the last one. */
  #tables(after: number, upTo: number): readonly Logged[] {
    const shapes = this.#readShapes();
    const rows = this.#rows(COUNT_BY_SHAPE, [after, upTo]);
    const tables = new Set(rows.map(([shape]) => shapes.get(Number(shape))?.table));
    return [...tables]
      .filter((table) => table !== undefined)
      .map((table) => ({ sequence: upTo, change: { kind: "table", table } }));
  }

  #lookAtTables(schemaVersion: number): void {
    if (this.#schemaVersion === schemaVersion) return;
    const rows = Object.fromEntries(
      Object.entries(STRUCTURE_QUERIES).map(([name, sql]) => [name, this.#rows(sql)]),
    ) as unknown as StructureRows;
    const file = fileTables(rows);
    const structures = file.tables.map((table) => {
      return tableStructure(table, captureOf(table, file).level);
    });
    this.#structures = new Map(structures.map((structure) => [structure.name, structure]));
    this.#readShapes();
    this.#schemaVersion = schemaVersion;
  }

  #readShapes(): ReadonlyMap<number, Shape> {
    const shapes = this.#rows(SELECT_SHAPES).map(toShape);
    this.#shapes = new Map(shapes.map((shape) => [shape.id, shape]));
    return this.#shapes;
  }

  #first(sql: string, parameters?: readonly SqlValue[]): readonly unknown[] | undefined {
    return this.#rows(sql, parameters)[0];
  }

  #rows(sql: string, parameters: readonly SqlValue[] = []): readonly SqlValue[][] {
    return this.#connection.readExactly({ sql, parameters });
  }
}

function isAt(version: Version, { sequence, mark }: Position): boolean {
  return version.sequence === sequence && version.mark === mark;
}

function sizeOf(atoms: readonly Atom[] | "all"): number {
  return atoms === "all" ? 1 : atoms.length;
}
