/**
 * Tables that are altered while the log of changes has triggers on them. These name columns, and
 * SQLite refuses to alter a table while a trigger of it names what goes.
 */

import { lowerAscii } from "../core/lower-ascii.ts";
import { codeTokens, identifierOf, isWord } from "../core/sql-tokens.ts";
import { quoteIdentifier } from "../schema/quote.ts";
import { isLogName, logTableByName } from "./log-tables.ts";

/** All triggers, for `clearTheWay`. */
export const SELECT_TRIGGERS = "SELECT name, tbl_name FROM sqlite_schema WHERE type = 'trigger'";

/** The table that an ALTER TABLE is about; undefined for any other statement. */
export function alteredTable(sql: string): string | undefined {
  const [alter, table, ...name] = codeTokens(sql);
  if (!isWord(alter, "alter") || !isWord(table, "table")) return undefined;
  return identifierOf(name[1]?.text === "." ? name[2] : name[0]);
}

/**
 * Drops the log's triggers of a table that is about to be altered, and says that anything in it may
 * have changed; nothing when there are none. They are made anew by whoever completes the log.
 *
 * @param triggers rows of `SELECT_TRIGGERS`.
 */
export function clearTheWay(
  table: string,
  triggers: readonly (readonly unknown[])[],
): readonly string[] {
  const own = triggers.filter(([name, on]) => {
    return isLogName(String(name)) && lowerAscii(String(on)) === lowerAscii(table);
  });
  if (own.length === 0) return [];
  const drops = own.map(([name]) => `DROP TRIGGER ${quoteIdentifier(String(name))}`);
  return [...drops, ...logTableByName(table)];
}
