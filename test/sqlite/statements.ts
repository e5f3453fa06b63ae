/** Statements as the tests and their child processes write them. */

import type { SqlValue, Statement } from "../../src/sqlite/values.ts";

/** A statement with its values. */
export function sql(text: string, ...parameters: SqlValue[]): Statement {
  return { sql: text, parameters };
}
