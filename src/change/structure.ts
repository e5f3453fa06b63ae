/** Tables as they stand in the file, as far as it matters to who reads and who changes them. */

/** What SQLite does to a value that meets the column, in storing and in comparing. */
export type Affinity = "integer" | "real" | "numeric" | "text" | "blob";

/** One column. */
export interface ColumnStructure {
  /** In lower case as far as SQLite knows no difference: see `lowerAscii`. */
  readonly name: string;
  readonly affinity: Affinity;
  /**
   * Collating sequence in lower case: `binary`, `nocase`, `rtrim`, or one of the program's own,
   * of which nothing is known.
   */
  readonly collation: string;
}

/** One table. */
export interface TableStructure {
  /** In lower case, as all names here. */
  readonly name: string;
  readonly columns: readonly ColumnStructure[];
  /** Whether its log has the rows that changed, or only that something did. */
  readonly capture: "rows" | "table";
  /**
   * The file stores texts in UTF-16. Texts can be told apart there, and not be put in order.
   * Default: false, they are in UTF-8.
   */
  readonly isUtf16?: boolean;
}

/** The column of that name, when the table has one. */
export function columnOf(structure: TableStructure, name: string): ColumnStructure | undefined {
  for (const column of structure.columns) if (column.name === name) return column;
  return undefined;
}

/** The tables as they stand in the file. */
export interface SchemaStructure {
  /** By its name in lower case; undefined for a view, a virtual table and what does not exist. */
  table(name: string): TableStructure | undefined;
}
