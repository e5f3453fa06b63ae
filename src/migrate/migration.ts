/**
 * One migration as data: what a numbered file or a definition in code comes down to.
 *
 * `files.ts` and `defineMigration` make it, `run.ts` carries it out. A body is either a script,
 * already split into statements that know their line, or a function of the caller.
 */

import type { ResultSet, SqlValue, StoreTransaction } from "../store/store.ts";
import type { ScriptStatement } from "./sql-script.ts";

/** What `up` and `down` of a migration in TypeScript work with. */
export interface MigrationTransaction {
  /** The open transaction itself, for everything `execute` does not do. */
  readonly session: StoreTransaction;
  /**
   * Runs one statement with values for its placeholders, or a script of several without values.
   * Returns the result of the last one.
   *
   * @example await tx.execute("UPDATE tasks SET state = ? WHERE state IS NULL", ["open"]);
   */
  execute(sql: string, parameters?: readonly SqlValue[]): Promise<ResultSet>;
}

/** For `backfill`: one UPDATE over all rows of a table, in batches. */
export interface BackfillOptions {
  readonly table: string;
  /** SQL expressions by column, over the columns of the row. */
  readonly set: Readonly<Record<string, string>>;
  /** SQL condition for the rows to change. Default: all rows. */
  readonly where?: string;
}

/** For `eachBatch`: rows of a table, in batches, for work that SQL cannot do. */
export interface EachBatchOptions {
  readonly table: string;
  /** Columns to read. */
  readonly columns: readonly string[];
  /** SQL condition for the rows to read. Default: all rows. */
  readonly where?: string;
}

/** A row as `eachBatch` reads it, by column name. */
export type DataRow = Readonly<Record<string, SqlValue>>;

/**
 * Work over the rows of large tables. A batch, its place in the table and its count are one
 * transaction, so that after a kill the next `up` goes on behind the last row that was committed.
 * Other writers come between two batches. Rows that are inserted while it runs may be missed: let
 * the program write the new columns before the data step begins.
 *
 * What a data step does outside of these calls runs again after a kill.
 */
export interface DataStep {
  /** Aborted when the run is to stop. */
  readonly signal: AbortSignal | undefined;
  /**
   * Changes rows by an UPDATE; the number of rows changed.
   *
   * @example await step.backfill({ table: "tasks", set: { seconds: "minutes * 60" } });
   */
  backfill(options: BackfillOptions): Promise<number>;
  /** Hands rows to `work`, which writes through `tx`; the number of rows handed out. */
  eachBatch(
    options: EachBatchOptions,
    work: (rows: readonly DataRow[], tx: MigrationTransaction) => Promise<void>,
  ): Promise<number>;
}

/** A body of a migration. */
export type MigrationBody =
  | { readonly kind: "script"; readonly statements: readonly ScriptStatement[] }
  | { readonly kind: "code"; readonly run: (tx: MigrationTransaction) => Promise<void> };

/** One migration, checked and ready to run. */
export interface Migration {
  /** A positive integer; migrations run in its order. */
  readonly version: number;
  readonly name: string;
  /** SHA-256 (hex) over the normalised text. */
  readonly checksum: string;
  /** The file's path, or "code" for one that was defined in TypeScript. */
  readonly source: string;
  readonly up: MigrationBody;
  /** Absent: the migration cannot be reverted. */
  readonly down?: MigrationBody;
  /** Runs after `up` has been committed, in batches of their own. */
  readonly data?: (step: DataStep) => Promise<void>;
  /** `"off"` for a table rebuild; foreign keys are then checked before the commit. */
  readonly foreignKeys: "on" | "off";
  /** Recorded instead of run when the database has tables but has had no migration. */
  readonly baseline: boolean;
  /** May lose data; code is taken to be so unless it says otherwise. */
  readonly destructive: boolean;
  /** Tables whose DROP TABLE is part of a rebuild that copies every column; in lower case. */
  readonly keepsData?: readonly string[];
}

/** A migration defined in TypeScript instead of in a file. */
export interface MigrationDefinition {
  readonly version: number;
  readonly name: string;
  /** A script or a function. */
  readonly up: string | ((tx: MigrationTransaction) => Promise<void>);
  /** A script or a function. Default: none, the migration cannot be reverted. */
  readonly down?: string | ((tx: MigrationTransaction) => Promise<void>);
  /** Batched work after `up`. Default: none. */
  readonly data?: (step: DataStep) => Promise<void>;
  /** Switched off for a table rebuild. Default: "on". */
  readonly foreignKeys?: "on" | "off";
  /** Recorded instead of run when there are tables but no migration was. Default: false. */
  readonly baseline?: boolean;
  /** Whether data may be lost. Default: judged by the script; true for a function. */
  readonly destructive?: boolean;
}
