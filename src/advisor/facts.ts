/** What the advisor knows of a database: plain data that goes from process to process. */

import { lowerAscii } from "../core/lower-ascii.ts";
import type { SqlValue } from "../core/statement.ts";

/** A name by which SQLite knows rowids, unless a column has it. */
export type RowidName = "rowid" | "_rowid_" | "oid";

/** A table with rows of its own. */
export interface TableFacts {
  readonly name: string;
  /** About how many rows it has. */
  readonly rows: number;
  /**
   * What its rowids are called, as a column may have that name. Undefined when it has none
   * (WITHOUT ROWID) or when columns have all of their names.
   */
  readonly rowid: RowidName | undefined;
  /** Without those that SQLite computes. */
  readonly columns: readonly string[];
  readonly primaryKey: readonly string[];
  /** Columns of each foreign key of the table. */
  readonly foreignKeys: readonly (readonly string[])[];
}

/** A column of an index; an expression has no name. */
export interface IndexPart {
  readonly name: string | null;
  readonly descending: boolean;
  readonly collation: string;
}

/** An index that stands in the file. */
export interface IndexFacts {
  readonly name: string;
  readonly table: string;
  readonly parts: readonly IndexPart[];
  readonly unique: boolean;
  /** Whether CREATE INDEX made it; others belong to a constraint. */
  readonly isOwn: boolean;
  readonly where: string | undefined;
  readonly sql: string | undefined;
}

/** Everything that stands in the schema, and about how much of it. */
export interface DatabaseFacts {
  readonly tables: readonly TableFacts[];
  readonly indexes: readonly IndexFacts[];
  readonly texts: readonly SchemaText[];
  /** Rows of `sqlite_stat1`: what an ANALYZE has found. */
  readonly statistics: readonly (readonly SqlValue[])[];
}

/** One object of the schema, in the words in which it was made. */
export interface SchemaText {
  readonly kind: string;
  readonly name: string;
  readonly table: string;
  readonly sql: string;
  /** Whether it is part of a virtual table, which makes it itself. */
  readonly isShadow: boolean;
}

/** An index that could be made. */
export interface Candidate {
  readonly table: string;
  readonly columns: readonly string[];
}

/** The table of this name, whatever its case. */
export function tableNamed(
  { tables }: Pick<DatabaseFacts, "tables">,
  name: string,
): TableFacts | undefined {
  const wanted = lowerAscii(name);
  return tables.find((table) => lowerAscii(table.name) === wanted);
}
