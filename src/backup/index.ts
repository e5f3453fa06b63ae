/** Backups: `springhouse/backup`. */

export { type CreateBackupOptions, createBackup } from "./create.ts";
export { type KeySource, parseBackupKey, readBackupKey } from "./encryption.ts";
export { type BackupEntry, listBackups } from "./list.ts";
export type {
  BackupKind,
  DatabaseContent,
  DatabaseFacts,
  Encryption,
  LogPlace,
  Manifest,
  PackedData,
  TableFacts,
} from "./manifest.ts";
export type { BackupOptions, FolderOptions } from "./options.ts";
export { type PinOptions, pinBackup } from "./pin.ts";
export {
  type DumpPostgresOptions,
  dumpPostgres,
  type PostgresBackupOptions,
  type PostgresRestoreReport,
  type RestorePostgresOptions,
  restorePostgres,
} from "./postgres.ts";
export type { PostgresTable } from "./postgres-content.ts";
export { type ListedPostgresDump, listPostgresDumps, type PostgresDump } from "./postgres-list.ts";
export { pinPostgresDump, prunePostgresDumps } from "./postgres-retention.ts";
export type { Progress, Proof } from "./protocol.ts";
export { type PruneBackupsOptions, type PruneReport, pruneBackups } from "./prune.ts";
export {
  type Replaced,
  type RestoreBackupOptions,
  type RestoreReport,
  restoreBackup,
} from "./restore.ts";
export {
  type RestoreToTimeOptions,
  type RestoreToTimeReport,
  restoreToTime,
} from "./restore-to-time.ts";
export type { RetentionDecision, RetentionPolicy } from "./retention.ts";
export type { TaskState } from "./schedule/schedule-table.ts";
export {
  type BackupSchedule,
  type ScheduleOptions,
  scheduleBackups,
} from "./schedule/scheduled-backups.ts";
export type { TaskRun } from "./schedule/scheduler.ts";
export {
  type CheckSegmentsOptions,
  checkSegments,
  type GenerationReport,
} from "./segments/check.ts";
export type { ShipEvent, ShipperState } from "./segments/shipper.ts";
export { type Shipping, type ShippingOptions, startShipping } from "./segments/shipping.ts";
export type { Verification } from "./verification.ts";
export { type VerifiedBackup, type VerifyBackupOptions, verifyBackup } from "./verify.ts";
