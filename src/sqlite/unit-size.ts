/**
 * How much of a unit goes into one message. Copying a message takes time on the main thread, so a
 * unit that is too large for one is sent in pieces, in a transaction of its own.
 */

import { rowBytes } from "./row-cursor.ts";
import type { Statement } from "./values.ts";

/** Statements in one message; copying as many takes about two milliseconds. */
export const MESSAGE_STATEMENTS_MAX = 1_000;
/** Text and values in one message. */
export const MESSAGE_BYTES_MAX: number = 512 * 1_024;

/** About what a statement costs to copy. */
export function statementBytes({ sql, parameters }: Statement): number {
  return sql.length + rowBytes(parameters);
}

/** About what a unit costs to copy, or `Infinity` when it is too large for one message. */
export function unitBytes(unit: readonly Statement[]): number {
  if (unit.length > MESSAGE_STATEMENTS_MAX) return Number.POSITIVE_INFINITY;
  let bytes = 0;
  for (const statement of unit) bytes += statementBytes(statement);
  return bytes > MESSAGE_BYTES_MAX && unit.length > 1 ? Number.POSITIVE_INFINITY : bytes;
}

/** The pieces of a unit, each small enough for one message. */
export function* pieces(unit: readonly Statement[]): Generator<readonly Statement[]> {
  let start = 0;
  let bytes = 0;
  for (const [index, statement] of unit.entries()) {
    const cost = statementBytes(statement);
    const full = index - start >= MESSAGE_STATEMENTS_MAX || bytes + cost > MESSAGE_BYTES_MAX;
    if (full && index > start) {
      yield unit.slice(start, index);
      start = index;
      bytes = 0;
    }
    bytes += cost;
  }
  if (start < unit.length) yield unit.slice(start);
}
