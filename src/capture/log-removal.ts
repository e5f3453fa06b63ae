/** Takes the log of changes out of a file, for those who must find their tables as they were. */

import { quoteIdentifier } from "../schema/quote.ts";
import { isLogName } from "./log-tables.ts";

/** Its triggers, of the rows of `SELECT_TRIGGERS`. */
export function logTriggersOf(rows: readonly (readonly unknown[])[]): readonly string[] {
  return rows.map(([name]) => String(name)).filter(isLogName);
}

/** Drops these triggers and the tables of the log. */
export function removeLog(triggers: readonly string[]): readonly string[] {
  return [
    ...triggers.map((name) => `DROP TRIGGER ${quoteIdentifier(name)}`),
    "DROP TABLE IF EXISTS springhouse_log",
    "DROP TABLE IF EXISTS springhouse_log_shapes",
  ];
}
