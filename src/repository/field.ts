/** One property of an entity as repositories use it: its place in SQL and its two codecs. */

import { SpringhouseError } from "../core/errors.ts";
import { type Check, compileCheck } from "../schema/check.ts";
import { codecOf } from "../schema/codec.ts";
import type { ColumnFacts, EntityFacts } from "../schema/facts.ts";
import type { Dialect } from "../schema/physical.ts";
import { quoteIdentifier } from "../schema/quote.ts";
import type { SqlValue } from "../store/store.ts";

/** One property. */
export interface Field {
  readonly property: string;
  readonly column: ColumnFacts;
  /** The table that the column is in; of a detail entity it may be the base's. */
  readonly table: string;
  /** The column in SQL: `"week_id"`. */
  readonly name: string;
  /** The column with its table: `"tasks"."week_id"`. */
  readonly reference: string;
  readonly encode: (value: unknown) => SqlValue;
  readonly decode: (stored: SqlValue) => unknown;
  /** Encodes a value to compare with. Limits of the column do not hold for it, its kind does. */
  readonly operand: (value: unknown) => SqlValue;
}

/** The property of a column. */
export function fieldOf(facts: EntityFacts, column: ColumnFacts, dialect: Dialect): Field {
  const name = quoteIdentifier(column.name);
  const codec = codecOf(facts.table, column, dialect);
  const check = compileCheck(withoutLimits(column));
  return {
    property: column.property,
    column,
    table: facts.table,
    name,
    reference: `${quoteIdentifier(facts.table)}.${name}`,
    encode: codec.encode,
    decode: codec.decode,
    operand: (value) => codec.encode(checked(check, facts.table, column.property, value)),
  };
}

/** A value beyond the limits finds no row, which is an answer; one of another kind is a mistake. */
function withoutLimits(column: ColumnFacts): ColumnFacts {
  const { min, max, minLength, maxLength, pattern, trim, ...kept } = column;
  return kept;
}

function checked(check: Check, table: string, property: string, value: unknown): unknown {
  return check(value, (message) => {
    throw new SpringhouseError("INVALID_ARGUMENT", `"${table}": ${property} ${message}.`, {
      fields: { table, property },
    });
  });
}
