/**
 * Full-text search over a table.
 *
 * SQLite: an FTS5 table that keeps only the index, not the texts, with the trigram tokenizer, so
 * that parts of words and languages without spaces are found; three triggers keep it equal to the
 * table. Rows are joined by `rowid`, which VACUUM keeps for a table with an index, and one without
 * an INTEGER key has an index on its key. The index deletes by `rowid` (`contentless_delete`): were
 * it told the old texts, the rows that REPLACE removes without a trigger would break it. They stay
 * in the index until their `rowid` is used again; the join with the table leaves them out.
 *
 * PostgreSQL: a GIN index over the words of the columns.
 */

import type { EntityFacts } from "./facts.ts";
import { derivedName } from "./names.ts";
import type { Dialect, PhysicalObject } from "./physical.ts";
import { quoteIdentifier, quoteList } from "./quote.ts";
import { sqliteTrigger } from "./trigger.ts";

/** The name of the FTS5 table of a table. */
export function searchTableName(table: string): string {
  return `${table}_search`;
}

/** What the search over an entity needs; nothing when it has none. */
export function searchObjects(facts: EntityFacts, dialect: Dialect): readonly PhysicalObject[] {
  if (facts.search.length === 0) return [];
  return dialect === "sqlite" ? sqliteSearch(facts) : [postgresSearch(facts)];
}

/** The FTS5 table over columns of a table, and how it is filled from the rows that are there. */
export function searchTable(table: string, search: readonly string[]): PhysicalObject {
  const name = searchTableName(table);
  const index = quoteIdentifier(name);
  const columns = quoteList(search);
  return {
    kind: "virtual table",
    name,
    table,
    sql:
      `CREATE VIRTUAL TABLE ${index} ` +
      `USING fts5(${columns}, content='', contentless_delete=1, tokenize='trigram')`,
    fill:
      `INSERT INTO ${index} (rowid, ${columns}) ` +
      `SELECT rowid, ${columns} FROM ${quoteIdentifier(table)}`,
  };
}

function sqliteSearch({ table, search }: EntityFacts): readonly PhysicalObject[] {
  const index = quoteIdentifier(searchTableName(table));
  const columns = quoteList(search);
  const values = search.map((column) => `NEW.${quoteIdentifier(column)}`).join(", ");
  const add = `INSERT INTO ${index} (rowid, ${columns}) VALUES (NEW.rowid, ${values})`;
  const remove = (rows: string): string => `DELETE FROM ${index} WHERE rowid IN (${rows})`;
  const changed = ["rowid", ...search.map(quoteIdentifier)]
    .map((column) => `OLD.${column} IS NOT NEW.${column}`)
    .join(" OR ");
  return [
    searchTable(table, search),
    trigger(table, "insert", [remove("NEW.rowid"), add]),
    trigger(table, "delete", [remove("OLD.rowid")]),
    trigger(table, "update", [remove("OLD.rowid, NEW.rowid"), add], changed),
  ];
}

function trigger(
  table: string,
  event: "insert" | "delete" | "update",
  statements: readonly string[],
  when?: string,
): PhysicalObject {
  return sqliteTrigger({
    name: `springhouse_search_${table}_${event}`,
    table,
    event: `AFTER ${event.toUpperCase()}`,
    statements,
    ...(when === undefined ? {} : { when }),
  });
}

function postgresSearch({ table, search }: EntityFacts): PhysicalObject {
  const name = derivedName("idx", table, ["search"]);
  const words = search
    .map((column) => `coalesce(${quoteIdentifier(column)}, '')`)
    .join(" || ' ' || ");
  return {
    kind: "index",
    name,
    table,
    sql:
      `CREATE INDEX ${quoteIdentifier(name)} ON ${quoteIdentifier(table)} ` +
      `USING gin (to_tsvector('simple', ${words}))`,
  };
}
