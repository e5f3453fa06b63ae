/**
 * Full-text search over a table.
 *
 * SQLite: an FTS5 table that keeps only the index (external content), with the trigram tokenizer,
 * so that parts of words and languages without spaces are found; three triggers keep it equal to
 * the table. Rows are joined by `rowid`. That stays true through VACUUM: a table without an INTEGER
 * key has an automatic index on its key, and SQLite keeps the rowids of tables with indexes.
 *
 * PostgreSQL: a GIN index over the words of the columns.
 */

import type { EntityFacts } from "./facts.ts";
import { derivedName } from "./names.ts";
import type { Dialect, PhysicalObject } from "./physical.ts";
import { literal, quoteIdentifier, quoteList } from "./quote.ts";

/** The name of the FTS5 table of a table. */
export function searchTableName(table: string): string {
  return `${table}_search`;
}

/** What the search over an entity needs; nothing when it has none. */
export function searchObjects(facts: EntityFacts, dialect: Dialect): readonly PhysicalObject[] {
  if (facts.search.length === 0) return [];
  return dialect === "sqlite" ? sqliteSearch(facts) : [postgresSearch(facts)];
}

function sqliteSearch({ table, search }: EntityFacts): readonly PhysicalObject[] {
  const name = searchTableName(table);
  const index = quoteIdentifier(name);
  const columns = quoteList(search);
  const add = `INSERT INTO ${index} (rowid, ${columns}) VALUES (NEW.rowid, ${prefixed("NEW", search)})`;
  const remove =
    `INSERT INTO ${index} (${index}, rowid, ${columns}) ` +
    `VALUES ('delete', OLD.rowid, ${prefixed("OLD", search)})`;
  const changed = ["rowid", ...search.map(quoteIdentifier)]
    .map((column) => `OLD.${column} IS NOT NEW.${column}`)
    .join(" OR ");
  const content = `content=${literal(table, "sqlite")}`;
  return [
    {
      kind: "virtual table",
      name,
      table,
      sql: `CREATE VIRTUAL TABLE ${index} USING fts5(${columns}, ${content}, tokenize='trigram')`,
      fill: `INSERT INTO ${index} (${index}) VALUES ('rebuild')`,
    },
    trigger(table, "insert", "INSERT", "", [add]),
    trigger(table, "delete", "DELETE", "", [remove]),
    trigger(table, "update", "UPDATE", ` WHEN ${changed}`, [remove, add]),
  ];
}

function trigger(
  table: string,
  suffix: string,
  event: string,
  condition: string,
  statements: readonly string[],
): PhysicalObject {
  const name = `springhouse_search_${table}_${suffix}`;
  const head = `CREATE TRIGGER ${quoteIdentifier(name)} AFTER ${event} ON ${quoteIdentifier(table)}`;
  const body = statements.map((statement) => `  ${statement};\n`).join("");
  return { kind: "trigger", name, table, sql: `${head}${condition} BEGIN\n${body}END` };
}

function prefixed(row: "NEW" | "OLD", columns: readonly string[]): string {
  return columns.map((column) => `${row}.${quoteIdentifier(column)}`).join(", ");
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
