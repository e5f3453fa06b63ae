/** Statements, values and results as this folder speaks them. */

import type { Expecting } from "../change/expectation.ts";
import type { CallOptions, SqlValue } from "../core/statement.ts";

export type {
  CallOptions,
  ResultColumn,
  ResultSet,
  SqlValue,
  Statement,
} from "../core/statement.ts";

/** Values of one result row, in the order of the columns. */
export type Row = SqlValue[];

/** For a single write. */
export interface UnitOptions extends CallOptions, Expecting {}
