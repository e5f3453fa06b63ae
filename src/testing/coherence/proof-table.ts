/** The tables and views of a file, as far as random queries and writes have to know them. */

import type { DatabaseSync } from "node:sqlite";

/** What SQLite does to values of a column. */
export type ProofAffinity = "integer" | "real" | "numeric" | "text" | "blob";

export interface ProofColumn {
  readonly name: string;
  readonly affinity: ProofAffinity;
  readonly isGenerated: boolean;
}

/** A table or a view. */
export interface ProofTable {
  readonly name: string;
  readonly kind: "table" | "view";
  readonly columns: readonly ProofColumn[];
  /** Whether it has row numbers. */
  readonly hasRowid: boolean;
  /** The statement that made it. */
  readonly sql: string;
  /** Indexes that can be dropped, and triggers, by name. */
  readonly indexes: readonly string[];
  readonly triggers: readonly string[];
}

/** Everything that is the user's own; not what belongs to SQLite or to a Springhouse. */
export function tablesOf(database: DatabaseSync): readonly ProofTable[] {
  const objects = rowsOf(database, OBJECTS).filter(({ name }) => !isBookkeeping(String(name)));
  const belonging = (kind: string, table: unknown): string[] =>
    objects
      .filter((object) => object["type"] === kind && object["tbl_name"] === table)
      .map(({ name }) => String(name));
  return objects
    .filter(({ type }) => type === "table" || type === "view")
    .flatMap(({ type, name, sql }) => {
      const columns = columnsOf(database, String(name));
      if (columns.length === 0) return [];
      return {
        name: String(name),
        kind: type as ProofTable["kind"],
        columns,
        hasRowid: type === "table" && !/WITHOUT\s+ROWID/i.test(String(sql)),
        sql: String(sql),
        indexes: belonging("index", name),
        triggers: belonging("trigger", name),
      };
    });
}

const OBJECTS = "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE sql IS NOT NULL";

function isBookkeeping(name: string): boolean {
  return /^(?:sqlite|springhouse)_/i.test(name);
}

/** None for a view that does not fit its tables any more. */
function columnsOf(database: DatabaseSync, table: string): readonly ProofColumn[] {
  try {
    return rowsOf(database, `PRAGMA table_xinfo("${table}")`).map(({ name, type, hidden }) => ({
      name: String(name),
      affinity: affinityOf(String(type)),
      isGenerated: Number(hidden) > 1,
    }));
  } catch {
    return [];
  }
}

function rowsOf(database: DatabaseSync, sql: string): Record<string, unknown>[] {
  return database.prepare(sql).all();
}

/** By the rules of SQLite's documentation, in their order. */
function affinityOf(type: string): ProofAffinity {
  if (/INT/i.test(type)) return "integer";
  if (/CHAR|CLOB|TEXT/i.test(type)) return "text";
  if (/BLOB|ANY/i.test(type) || type === "") return "blob";
  return /REAL|FLOA|DOUB/i.test(type) ? "real" : "numeric";
}
