/** JSON and CSV into a database: `springhouse/import`. */

export { type CsvRecord, csvLine, readCsv } from "./csv.ts";
export { defineImport, importFiles } from "./import.ts";
export { type ImportTableOptions, type ImportTableReport, importTable } from "./import-table.ts";
export type { InferredColumn, InferredTable, InferredType } from "./infer.ts";
export type {
  ImportedTable,
  ImportItem,
  ImportMapping,
  ImportOptions,
  ImportProgress,
  ImportReject,
  ImportReport,
  ImportRows,
  ImportSettings,
  ImportTables,
} from "./options.ts";
export type { ImportFormat, ImportSource } from "./source.ts";
export { type ReadTextOptions, readText } from "./text.ts";
