/** JSON and CSV into a database, and moves between backends: `springhouse/import`. */

export { isSecretName } from "../../core/redact.ts";
export { type CsvRecord, csvLine, readCsv } from "./csv.ts";
export type { MovePartReport, MoveProblem, MoveStage } from "./dual-part.ts";
export {
  type DualBackend,
  type DualWriteOptions,
  dualWrite,
  type MoveReport,
  type PartMethods,
  type TransactionalBackend,
} from "./dual-write.ts";
export { defineImport, importFiles } from "./import.ts";
export { type ImportTableOptions, type ImportTableReport, importTable } from "./import-table.ts";
export type { InferredColumn, InferredTable, InferredType } from "./infer.ts";
export { maskSecrets } from "./mask.ts";
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
