/**
 * How a group of units and its outcomes travel between the threads.
 *
 * Copying is most of what a small write costs the main thread, so a text goes once however many
 * units share it, and a result that is only a number of changed rows goes as two numbers.
 */

import type { Expectation } from "../change/expectation.ts";
import type { SpringhouseError } from "../core/errors.ts";
import { fromWireError, toWireError, type WireError } from "./errors.ts";
import type { WireGroup, WireResult } from "./protocol.ts";
import type { Statement } from "./values.ts";

type Unit = readonly Statement[];

/** What became of one unit. */
export type Outcome =
  | { readonly results: readonly WireResult[]; readonly error?: undefined }
  | { readonly error: SpringhouseError };

/**
 * The outcomes of a group, statement by statement over all units that succeeded. Those that can
 * still wait for the lock when the first ones cannot have none yet, and are to be sent again.
 */
export interface WireOutcomes {
  /** The units that have an outcome: the first ones. */
  readonly count: number;
  /** Changed rows and milliseconds of each statement. */
  readonly numbers: Float64Array;
  /** The results that have columns, by the number of their statement. */
  readonly results: ReadonlyMap<number, WireResult>;
  /** The units that failed, by their number. */
  readonly errors: ReadonlyMap<number, WireError>;
}

const NUMBERS_PER_STATEMENT = 2;
const NO_EXPECTATIONS: ReadonlyMap<number, readonly Expectation[]> = new Map();
/** Shared by all results that have none. */
const NOTHING: never[] = Object.freeze<never[]>([]) as never[];

/** @param expects what units expect, by their number. */
export function encodeGroup(
  units: readonly Unit[],
  expects: ReadonlyMap<number, readonly Expectation[]> = NO_EXPECTATIONS,
): WireGroup {
  const numbers = new Map<string, number>();
  const numberOf = (sql: string): number => {
    const known = numbers.get(sql);
    if (known !== undefined) return known;
    numbers.set(sql, numbers.size);
    return numbers.size - 1;
  };
  const encoded = units.map((unit) =>
    unit.map(({ sql, parameters }) => [numberOf(sql), parameters] as const),
  );
  const group = { texts: [...numbers.keys()], units: encoded };
  return expects.size === 0 ? group : { ...group, expects };
}

export function decodeGroup({ texts, units }: WireGroup): readonly Unit[] {
  return units.map((unit) =>
    unit.map(([text, parameters]) => ({ sql: texts[text] ?? "", parameters })),
  );
}

export function encodeOutcomes(outcomes: readonly Outcome[]): WireOutcomes {
  const numbers: number[] = [];
  const results = new Map<number, WireResult>();
  const errors = new Map<number, WireError>();
  for (const [index, outcome] of outcomes.entries()) {
    if (outcome.error !== undefined) {
      errors.set(index, toWireError(outcome.error));
      continue;
    }
    for (const result of outcome.results) {
      if (result.columns.length > 0) {
        results.set(numbers.length / NUMBERS_PER_STATEMENT, result);
      }
      numbers.push(result.changes, result.ms);
    }
  }
  return { count: outcomes.length, numbers: Float64Array.from(numbers), results, errors };
}

/**
 * One outcome for each of the first units.
 *
 * @param units the units that were sent, in their order.
 */
export function decodeOutcomes(wire: WireOutcomes, units: readonly Unit[]): readonly Outcome[] {
  let statements = 0;
  return units.slice(0, wire.count).map((unit, index) => {
    const error = wire.errors.get(index);
    if (error !== undefined) return { error: fromWireError(error) };
    const first = statements;
    statements += unit.length;
    return { results: unit.map((_, offset) => resultAt(wire, first + offset)) };
  });
}

function resultAt({ numbers, results }: WireOutcomes, statement: number): WireResult {
  const at = statement * NUMBERS_PER_STATEMENT;
  return (
    results.get(statement) ?? {
      columns: NOTHING,
      rows: NOTHING,
      changes: numbers[at] ?? 0,
      ms: numbers[at + 1] ?? 0,
    }
  );
}
