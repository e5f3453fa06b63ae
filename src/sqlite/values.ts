/** Statements, values and results as this folder speaks them. */

import type { SqlValue } from "../core/statement.ts";

export type {
  CallOptions,
  ResultColumn,
  ResultSet,
  SqlValue,
  Statement,
} from "../core/statement.ts";

/** Values of one result row, in the order of the columns. */
export type Row = SqlValue[];
