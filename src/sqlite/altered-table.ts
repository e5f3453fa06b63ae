/**
 * ALTER TABLE, with the log of changes out of its way.
 *
 * The log's triggers name every column of their table, and SQLite refuses to take away a column
 * that a trigger names. So they go before the table is altered, and come back for the table as it
 * is then, in the same transaction. What they could not tell between is told as a whole.
 */

import { alteredTable, clearTheWay, SELECT_TRIGGERS } from "../capture/altered-table.ts";
import { isSpringhouseError, SpringhouseError } from "../core/errors.ts";
import type { Connection } from "./connection.ts";
import { completeLog } from "./log-preparation.ts";
import { statementFacts } from "./statement-text.ts";
import type { ResultSet, Statement } from "./values.ts";

/** Runs a caller's statement in a transaction, of which a failure must leave nothing. */
export function runClearingTheWay(connection: Connection, statement: Statement): ResultSet {
  const { sql } = statement;
  const table = statementFacts(sql).ddl ? alteredTable(sql) : undefined;
  if (table === undefined) return connection.run(statement);
  const drops = clearTheWay(table, connection.askAll(SELECT_TRIGGERS));
  for (const drop of drops) connection.run({ sql: drop, parameters: [] });
  const result = alter(connection, statement);
  if (drops.length > 0) completeLog(connection);
  return result;
}

/** What is declared has triggers of its own, and only a declaration says how they are to be. */
function alter(connection: Connection, statement: Statement): ResultSet {
  try {
    return connection.run(statement);
  } catch (error) {
    const [, object] = DECLARED.exec(isSpringhouseError(error) ? error.message : "") ?? [];
    if (object === undefined) throw error;
    const { sql } = statement;
    throw new SpringhouseError(
      "SQL",
      `${object} needs what the statement takes away: it belongs to an audited entity, to a ` +
        "rollup or to a search. Change the declaration, and let a migration make both fit: " +
        `springhouse migrate new. Nothing was changed.\n${sql.slice(0, 200)}`,
      { cause: error, fields: { sql } },
    );
  }
}

const DECLARED = /error in (trigger springhouse_(?:audit|replaced|rollup|search)_\S+)/;
