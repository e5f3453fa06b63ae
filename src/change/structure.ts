/** Tables as they stand in the file, as far as it matters to who reads and who changes them. */

/** What SQLite does to a value that meets the column, in storing and in comparing. */
export type Affinity = "integer" | "real" | "numeric" | "text" | "blob";

/** One column. */
export interface ColumnStructure {
  /** In lower case: SQLite knows no difference. */
  readonly name: string;
  readonly affinity: Affinity;
  /** Collating sequence in lower case: `binary`, `nocase`, `rtrim`, or one of the program's own. */
  readonly collation: string;
}

/** One table. */
export interface TableStructure {
  /** In lower case. */
  readonly name: string;
  readonly columns: readonly ColumnStructure[];
  /** Whether its log has the rows that changed, or only that something did. */
  readonly capture: "rows" | "table";
}
