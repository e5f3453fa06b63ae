/**
 * The contract of the migrator: what it is asked and what it answers. `run.ts` keeps it.
 *
 * Invariants:
 * - One migration and its ledger row are one transaction: the database stands before or after it.
 * - Several processes may call `up` at once: one of them works, the others find the work done.
 * - Migrations are never applied on their own; somebody calls `up`.
 * - `up` on a database that is up to date costs one query.
 */

import type { Clock } from "../core/clock.ts";
import type { SpringhouseError } from "../core/errors.ts";
import type { Catalog } from "../schema/catalog.ts";
import type { Store } from "../store/store.ts";
import type { Migration } from "./migration.ts";
import type { PlanStep, SchemaPlan } from "./plan.ts";
import type { Rename } from "./rename.ts";

/** For `createMigrator`. */
export interface MigratorOptions {
  /** The database to migrate. */
  readonly store: Store;
  /** Folder of numbered files, read anew by every call. Default: none. */
  readonly directory?: string;
  /** Migrations in code, beside or instead of the files. Default: none. */
  readonly migrations?: readonly Migration[];
  /** The declared schema, for `plan`, `verify` and `new`. Default: none, these say less. */
  readonly catalog?: Catalog;
  /** Most rows of one batch of a data step. Default: 1,000. */
  readonly batchSize?: number;
  /** Milliseconds for one migration, and for waiting for another process. Default: 30,000. */
  readonly timeoutMs?: number;
  /** Milliseconds that a batch aims at: how long other writers wait for it. Default: 10. */
  readonly latencyBudgetMs?: number;
  /** Called after each migration and after each batch. Default: none. */
  readonly onProgress?: (progress: MigrationProgress) => void;
  /**
   * Awaited before the first migration that may lose data, outside any transaction: the place for a
   * verified backup. A rejection stops the run before anything is changed. Default: none.
   */
  readonly beforeDestructive?: (migrations: readonly MigrationName[]) => Promise<void>;
  /** Opens the copy of a dry run. Default: a SQLite store. */
  readonly openCopy?: (path: string) => Promise<Store>;
  /** Default: the machine's clock. */
  readonly clock?: Clock;
}

/** Which migration is meant. */
export interface MigrationName {
  readonly version: number;
  readonly name: string;
}

/** How far a run has come. */
export interface MigrationProgress extends MigrationName {
  /** `"schema"` once a migration has been committed or reverted, `"data"` after each batch. */
  readonly phase: "schema" | "data";
  /** Migrations finished in this run, and all of this run. */
  readonly migrationsDone: number;
  readonly migrationsTotal: number;
  /** Of the data step: its name, rows done and in all, speed and time to go. */
  readonly step?: string;
  readonly rows?: number;
  readonly rowsTotal?: number;
  readonly rowsPerSecond?: number;
  readonly etaMs?: number;
}

/** For `up`. */
export interface UpOptions {
  /** The last version to apply. Default: all. */
  readonly to?: number;
  /** Applies this version alone; its predecessors must have been applied. Default: none. */
  readonly only?: number;
  /** Rehearses on a copy and reports; the database stays as it is. Default: false. */
  readonly dryRun?: boolean;
  /** Applies what is older than the newest applied one, or lacks predecessors. Default: false. */
  readonly outOfOrder?: boolean;
  /** Stops between two migrations or two batches; the next `up` goes on from there. */
  readonly signal?: AbortSignal;
}

/** For `down`. */
export interface DownOptions {
  /** How many migrations to revert, newest first. Default: 1, unless `to` is given. */
  readonly steps?: number;
  /** Reverts every migration after this version; 0 reverts all. Default: none. */
  readonly to?: number;
  /** Stops between two migrations. */
  readonly signal?: AbortSignal;
}

/** For `new`. */
export interface NewOptions {
  /**
   * `"difference"` writes what brings the file to the declared schema (needs `catalog`), `"empty"`
   * an empty migration. Default: "difference" when there is a catalog, else "empty".
   */
  readonly from?: "difference" | "empty";
  /** Default: "sql". */
  readonly format?: "sql" | "ts";
  /** Tables and columns that got a new name; a rename is never guessed. Default: none. */
  readonly renames?: readonly Rename[];
  /** What to write instead of a difference, with its way back. Default: none. */
  readonly steps?: readonly NewStep[];
}

/** One statement of a new migration, without semicolon, and the one that takes it back. */
export interface NewStep {
  /** What it does, in words. */
  readonly summary: string;
  readonly up: string;
  readonly down: string;
}

/** A migration that a run has applied or reverted. */
export interface MigrationResult extends MigrationName {
  readonly ms: number;
  /** Rows that its data steps changed in this run. */
  readonly rows: number;
}

/** What `up` and `down` did. */
export interface MigrationRun {
  readonly direction: "up" | "down";
  /** In the order in which they were applied or reverted; empty when there was nothing to do. */
  readonly migrations: readonly MigrationResult[];
  /** Version of the database afterwards; 0 for none. */
  readonly version: number;
  readonly ms: number;
  /** Only of a dry run. */
  readonly dryRun?: DryRunReport;
}

/** What a rehearsal on a copy showed. */
export interface DryRunReport {
  /** Differences between the schema before and after, in words. */
  readonly changes: readonly string[];
  readonly migrations: readonly DryRunMigration[];
  /** Rows that refer to nothing after the last migration. */
  readonly foreignKeyViolations: readonly string[];
  /** Empty when the file is sound. */
  readonly integrityProblems: readonly string[];
  readonly copyMs: number;
}

/** One migration of a rehearsal. */
export interface DryRunMigration extends MigrationResult {
  /** Whether up, down and up again gave the same schema and the same rows. */
  readonly reversible: boolean;
  /** Why it is not reversible. */
  readonly reason?: string;
}

/** One migration as the ledger and the code know it. */
export interface MigrationState extends MigrationName {
  /**
   * `applied`; `baseline`: taken over, not run; `data`: applied, its data steps are not finished;
   * `pending`; `changed`: applied, and its text is another now; `unknown`: applied, but this code
   * does not have it; `skipped`: pending although a later one was applied.
   */
  readonly state: "applied" | "baseline" | "data" | "pending" | "changed" | "unknown" | "skipped";
  readonly source?: string;
  /** Absent when it is pending, or a baseline that the next `up` will record. */
  readonly appliedAt?: Date;
  readonly ms?: number;
}

/** What `status` answers. */
export interface MigrationStatus {
  /** Newest applied version; 0 for none. */
  readonly version: number;
  /** All that the ledger or the code knows, by version. */
  readonly migrations: readonly MigrationState[];
  readonly pending: readonly MigrationName[];
  /** Nothing pending and nothing wrong. */
  readonly upToDate: boolean;
}

/** A pending migration and what it would do. */
export interface PlannedMigration extends MigrationName {
  readonly source: string;
  /** A migration in code says what it does only by running. */
  readonly kind: "script" | "code";
  /** Empty for a migration in code. */
  readonly steps: readonly PlanStep[];
  readonly destructive: boolean;
  readonly irreversible: boolean;
  readonly foreignKeys: "on" | "off";
  /** Has batched data steps. */
  readonly data: boolean;
}

/** What `plan` answers. */
export interface MigrationPlan {
  readonly pending: readonly PlannedMigration[];
  /**
   * What separates the file from the declared schema; needs `catalog`. Left out while anything is
   * pending, for the file is not yet what the code expects.
   */
  readonly difference?: SchemaPlan;
}

/** What `verify` answers. */
export interface VerifyReport {
  readonly ok: boolean;
  /**
   * One error for each thing that is wrong: `MIGRATION_CHANGED`, `SCHEMA_NEWER`,
   * `MIGRATION_OUT_OF_ORDER`, `SCHEMA_DRIFT` (altered outside of migrations), `SCHEMA_MISMATCH`
   * (not as declared), `CORRUPT`, `CONSTRAINT` (rows that refer to nothing).
   */
  readonly problems: readonly SpringhouseError[];
  /** What is there without being declared; it is left alone. */
  readonly notes: readonly string[];
}

/** What `new` wrote. */
export interface NewMigration extends MigrationName {
  readonly path: string;
  /** All files written, the migration last; a baseline comes first when the folder was empty. */
  readonly paths: readonly string[];
  /** In words; empty for an empty migration. */
  readonly changes: readonly string[];
  /** Hints such as how to declare a rename. */
  readonly hints: readonly string[];
}

/** Plans, runs and checks the migrations of one database. */
export interface Migrator {
  /** What has been applied and what has not. */
  status(): Promise<MigrationStatus>;
  /** What `up` would run, and what separates the file from the declared schema. */
  plan(options?: Pick<UpOptions, "to">): Promise<MigrationPlan>;
  /**
   * Applies what is pending.
   *
   * @throws `MIGRATION_FAILED` naming file, line and statement; the database is as before that
   *   migration. `MIGRATION_CHANGED`, `MIGRATION_OUT_OF_ORDER`, `SCHEMA_NEWER` before anything is
   *   done. `MIGRATION_LOCKED` when another process works for longer than `timeoutMs`.
   */
  up(options?: UpOptions): Promise<MigrationRun>;
  /**
   * Reverts the newest migrations.
   *
   * @throws `MIGRATION_IRREVERSIBLE` before anything is done, when one of them has no way back.
   */
  down(options?: DownOptions): Promise<MigrationRun>;
  /** Compares ledger, code, file and declared schema, and checks the file itself. */
  verify(): Promise<VerifyReport>;
  /** Writes a new numbered file. Nothing is applied. */
  readonly new: (name: string, options?: NewOptions) => Promise<NewMigration>;
}
