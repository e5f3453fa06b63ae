/** Migrations: `springhouse/migrate`. */

export { backfill } from "./batched.ts";
export { type DiffOptions, diff, undeclaredIn } from "./diff.ts";
export { checksumOf, defineMigration, loadMigrations } from "./files.ts";
export {
  countRows,
  foreignKeyViolations,
  integrityProblems,
  type VerifyCopyOptions,
  type Violations,
  verifyCopy,
} from "./integrity.ts";
export { type FileSchema, introspect } from "./introspect.ts";
export type {
  BackfillOptions,
  DataRow,
  DataStep,
  EachBatchOptions,
  Migration,
  MigrationBody,
  MigrationDefinition,
  MigrationTransaction,
} from "./migration.ts";
export type {
  DownOptions,
  DryRunMigration,
  DryRunReport,
  MigrationName,
  MigrationPlan,
  MigrationProgress,
  MigrationResult,
  MigrationRun,
  MigrationState,
  MigrationStatus,
  Migrator,
  MigratorOptions,
  NewMigration,
  NewOptions,
  NewStep,
  PlannedMigration,
  UpOptions,
  VerifyReport,
} from "./migrator.ts";
export {
  type Constraint,
  describeAction,
  describeOperation,
  describeOperations,
  type Operation,
} from "./operation.ts";
export { type PlanOptions, type PlanStep, planSchema, type SchemaPlan } from "./plan.ts";
export type { Rename } from "./rename.ts";
export { createMigrator } from "./run.ts";
export {
  declaredSchema,
  type EnsureSchemaOptions,
  ensureSchema,
  type SchemaMode,
} from "./schema.ts";
export type { ScriptStatement } from "./sql-script.ts";
