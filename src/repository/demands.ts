/**
 * What the conditions of a statement demand, for whoever wants to know what it reads. What works
 * that out is loaded with the caching, before which nobody asks: opening a database and reading a
 * few rows do not pay for it.
 */

import type { Reading } from "../change/footprint.ts";
import type { SchemaStructure } from "../change/structure.ts";
import { currentRun } from "../coherence/tracking.ts";
import { ownCopy } from "../core/own-copy.ts";
import { type ReadingOf, withReading } from "../store/reading.ts";
import type { SqlValue, Statement } from "../store/store.ts";
import type { Field } from "./field.ts";
import type { Model } from "./model.ts";
import type { Scope } from "./scope.ts";

/** The conditions of a statement, of which all hold. */
export interface Demands {
  /** Fields that have one of the rows of stored values. */
  readonly among?: {
    readonly fields: readonly Field[];
    readonly rows: readonly (readonly SqlValue[])[];
  };
  /** Conditions that `whereSql` has accepted; undefined for none. */
  readonly where: readonly unknown[];
  /** Whether it selects all columns. Otherwise only those of the conditions matter. */
  readonly wholeRows: boolean;
}

/** Works out what is read; undefined when only the text of the statement can tell. */
export type DemandsReader = (
  model: Model,
  demands: Demands,
  schema: SchemaStructure,
) => Reading | undefined;

let reader: DemandsReader | undefined;

/** Says what works it out. Without, only the text of a statement tells. */
export function readDemandsBy(given: DemandsReader): void {
  reader = given;
}

/**
 * What tells what a statement with these demands reads. Call it after the conditions have become
 * SQL, and before their owner can change them. Inside of a cached function and of a unit of work it
 * is noted beside the statement, for which it counts there; elsewhere a note would cost as much as
 * the read.
 */
export function noteDemands(
  { notesReads = false }: Scope,
  statement: Statement,
  model: Model,
  demands: Demands,
): ReadingOf {
  if (model.dialect !== "sqlite") return UNTOLD;
  const where = demands.where.filter((each) => each !== undefined).map(ownCopy);
  const own = { ...demands, where };
  const reading: ReadingOf = (schema) => reader?.(model, own, schema);
  if (notesReads || currentRun() !== undefined) withReading(statement, reading);
  return reading;
}

const UNTOLD: ReadingOf = () => undefined;
