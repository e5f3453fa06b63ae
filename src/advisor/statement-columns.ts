/**
 * Which columns of which tables a statement filters, joins and sorts by, without a parser: SQLite's
 * authorizer tells what it reads, and the words behind the first WHERE, JOIN, GROUP or ORDER tell
 * which of that an index could serve. A column that is only shown is no part of a search.
 */

import type { DatabaseSync } from "node:sqlite";
import { lowerAscii } from "../core/lower-ascii.ts";
import { nodeSqlite } from "../core/node-sqlite.ts";
import { codeTokens, identifierOf } from "../core/sql-tokens.ts";

/** What a statement does with tables. */
export interface StatementColumns {
  /** By table: columns that an index could serve. */
  readonly searched: ReadonlyMap<string, readonly string[]>;
  /** Tables whose rows it inserts, changes or deletes; null for all columns. */
  readonly written: ReadonlyMap<string, ReadonlySet<string> | null>;
}

const CLAUSES = new Set(["where", "on", "using", "join", "group", "having", "order"]);

/**
 * Prepares the statement and listens. The database has an authorizer for that time, so it is one
 * without data.
 *
 * @throws what `prepare` throws, when the statement does not fit the schema.
 */
export function columnsOfStatement(
  database: DatabaseSync,
  views: ReadonlySet<string>,
  sql: string,
): StatementColumns {
  const { constants } = nodeSqlite();
  const read = new Map<string, Set<string>>();
  const written = new Map<string, Set<string> | null>();
  let throughView = false;
  database.setAuthorizer((action, first, second, _, inner) => {
    // The words of a view stand in its own text; a common table expression is named here too.
    if (inner !== null && views.has(inner)) throughView = true;
    if (first === null) return constants.SQLITE_OK;
    if (action === constants.SQLITE_READ && second !== null && second !== "") {
      read.set(first, (read.get(first) ?? new Set()).add(second));
    } else if (action === constants.SQLITE_UPDATE && second !== null) {
      const columns = written.has(first) ? written.get(first) : new Set<string>();
      written.set(first, columns?.add(second) ?? null);
    } else if (action === constants.SQLITE_INSERT || action === constants.SQLITE_DELETE) {
      written.set(first, null);
    }
    return constants.SQLITE_OK;
  });
  try {
    database.prepare(sql);
  } finally {
    database.setAuthorizer(null);
  }
  const words = throughView ? undefined : searchedWords(sql);
  return { searched: narrowed(read, words), written };
}

function narrowed(
  read: ReadonlyMap<string, ReadonlySet<string>>,
  words: ReadonlySet<string> | undefined,
): ReadonlyMap<string, readonly string[]> {
  return new Map(
    [...read].map(([table, columns]) => [
      table,
      [...columns].filter((column) => words?.has(lowerAscii(column)) ?? true),
    ]),
  );
}

/** Names behind the first clause that searches, or all names when there is none. */
function searchedWords(sql: string): ReadonlySet<string> {
  const tokens = codeTokens(sql);
  const first = tokens.findIndex(({ text }) => CLAUSES.has(lowerAscii(text)));
  const searched = tokens
    .slice(Math.max(first, 0))
    .filter(({ kind }) => kind === "word" || kind === "name");
  return new Set(searched.map((token) => lowerAscii(identifierOf(token))));
}
