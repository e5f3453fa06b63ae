/** Names that belong to SQLite or to Springhouse, and objects made from a declaration. */

import { isLogName } from "../capture/log-tables.ts";
import { codeTokens, identifierOf } from "../core/sql-tokens.ts";
import { searchTable } from "../schema/ddl-search.ts";
import type { PhysicalObject, PhysicalSchema } from "../schema/physical.ts";
import { canonicalName, canonicalObject } from "./normalise.ts";

/**
 * Whether a table or trigger of this name is SQLite's, the migrator's own or part of the log of
 * changes, and in nobody's schema.
 */
export function isBookkeeping(name: string): boolean {
  return BOOKKEEPING.test(name) || isLogName(name);
}

/** Whether Springhouse or SQLite owns what has this name: undeclared, it is nobody's business. */
export function isInternal(name: string): boolean {
  return isBookkeeping(name) || /^springhouse_/i.test(name);
}

/**
 * Whether an object was made for one of the declared tables: a search table, a trigger for search
 * or audit, whatever belongs to a rollup. When it is declared no longer it goes, unlike what
 * somebody else has made: a virtual table with a text of its own may hold what stands nowhere else.
 */
export function isOwnObject(object: PhysicalObject, desired: PhysicalSchema): boolean {
  const isDeclared = (table: string | undefined): boolean =>
    table !== undefined &&
    desired.tables.some(({ name }) => canonicalName(name) === canonicalName(table));
  if (object.kind === "trigger") {
    const noted = rollupSourceOf(object.table ?? "", "");
    return OWN_TRIGGER.test(object.name) && isDeclared(noted ?? object.table);
  }
  // Of views and tables only those of rollups know what they follow from.
  return (object.kind !== "index" || isRollupName(object.name)) && isDeclared(object.table);
}

/** Whether a table or index of this name belongs to rollups: all it holds follows from others. */
export function isRollupName(name: string): boolean {
  return ROLLUP_NAME.test(name);
}

/** The table that a table of rollups follows from. */
export function rollupSourceOf(name: string, sql: string): string | undefined {
  const noted = NOTES_TABLE.exec(name)?.[1];
  if (noted !== undefined || !isRollupName(name)) return noted;
  return ROLLUP_SOURCE.exec(sql)?.[1]?.replaceAll('""', '"');
}

/** The search table that has this text, with what fills it; undefined when we have not made it. */
export function searchTableOf(name: string, sql: string): PhysicalObject | undefined {
  const table = SEARCH_TABLE.exec(name)?.[1];
  if (table === undefined) return undefined;
  const made = searchTable(table, searchColumns(sql));
  return canonicalObject(made.sql) === canonicalObject(sql) ? made : undefined;
}

/** The quoted names between the parenthesis and the first setting: `fts5("title", content='')`. */
function searchColumns(sql: string): readonly string[] {
  const tokens = codeTokens(sql);
  const open = tokens.findIndex(({ text }) => text === "(");
  const settings = tokens.findIndex(({ text }) => text === "=");
  const names = tokens.slice(open + 1, settings - 1).filter(({ text }) => text !== ",");
  return names.map(identifierOf);
}

const OWN_TABLES = "imports|meta|migration_steps|new_.*";
const BOOKKEEPING = new RegExp(
  `^(?:sqlite_.*|schema_migrations|schema_version|springhouse_(?:${OWN_TABLES}))$`,
  "i",
);
const OWN_TRIGGER = /^springhouse_(?:search|audit|rollup|replaced)_/i;
const ROLLUP_NAME = /^springhouse_(?:rollups$|rollup_|replaced_)/i;
const NOTES_TABLE = /^springhouse_replaced_(.+)$/i;
/** The name of the key says it, followed by a hash. */
const ROLLUP_SOURCE = /CONSTRAINT "of ((?:[^"]|"")+) [0-9a-f]{8}"/;
const SEARCH_TABLE = /^(.+)_search$/i;
