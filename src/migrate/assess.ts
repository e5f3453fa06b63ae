/** What a ledger and the code's migrations say together: a pure comparison, by version. */

import { SpringhouseError } from "../core/errors.ts";
import { labelOf } from "./files.ts";
import { baselineRows, type Ledger, type LedgerRow } from "./ledger.ts";
import type { Migration } from "./migration.ts";
import type { MigrationName, MigrationState } from "./migrator.ts";

/** The state of a database towards the code. */
export interface Assessment {
  /** The ledger's rows, or what will be taken over as its first ones. */
  readonly rows: readonly LedgerRow[];
  /** Newest applied version; 0 for none. */
  readonly version: number;
  readonly states: readonly MigrationState[];
  /** Not applied, by version. */
  readonly pending: readonly Migration[];
  /** Applied, with data steps left to finish. */
  readonly unfinished: readonly Migration[];
  /** Pending although a later one was applied. */
  readonly skipped: readonly Migration[];
  /** What forbids to go on: changed and unknown migrations. */
  readonly problems: readonly SpringhouseError[];
}

/** The moment of a row that will be taken over and is not in the ledger yet. */
const NOT_RECORDED_MS = 0;

/** Compares the two. */
export function assess(ledger: Ledger, migrations: readonly Migration[]): Assessment {
  const rows =
    ledger.rows.length > 0 ? ledger.rows : baselineRows(ledger, migrations, NOT_RECORDED_MS);
  const version = rows.at(-1)?.version ?? 0;
  const applied = new Map(rows.map((row) => [row.version, row]));
  const known = new Map(migrations.map((migration) => [migration.version, migration]));
  const pending = migrations.filter((migration) => !applied.has(migration.version));
  const states = [
    ...rows.map((row) => stateOfRow(row, known.get(row.version))),
    ...pending.map((migration) => stateOfPending(migration, version)),
  ].sort((a, b) => a.version - b.version);
  return {
    rows,
    version,
    states,
    pending,
    unfinished: migrations.filter(({ version: at }) => applied.get(at)?.state === "data"),
    skipped: pending.filter((migration) => migration.version < version),
    problems: states.flatMap((state) => problemOf(state) ?? []),
  };
}

/** The error for migrations that would be applied after a later one. */
export function outOfOrderError(
  migration: { readonly version: number; readonly name: string },
  missing: readonly { readonly version: number; readonly name: string }[],
): SpringhouseError {
  const names = missing.map(labelOf);
  const have = names.length === 1 ? "has" : "have";
  return new SpringhouseError(
    "MIGRATION_OUT_OF_ORDER",
    `${labelOf(migration)} comes after ${names.join(", ")}, which ${have} not been applied. ` +
      "Apply what is missing first, renumber it, or allow the order with `outOfOrder` " +
      "(on the command line --out-of-order).",
    { fields: { version: migration.version, missing: names } },
  );
}

function stateOfRow(row: LedgerRow, migration: Migration | undefined): MigrationState {
  const { version, name, ms, checksum, appliedAtMs } = row;
  const facts = {
    version,
    name,
    ms,
    ...(appliedAtMs !== NOT_RECORDED_MS && { appliedAt: new Date(appliedAtMs) }),
  };
  if (checksum === "") return { ...facts, state: "baseline" };
  if (migration === undefined) return { ...facts, state: "unknown" };
  const isChanged = migration.checksum !== checksum;
  return { ...facts, source: migration.source, state: isChanged ? "changed" : row.state };
}

function stateOfPending(migration: Migration, newest: number): MigrationState {
  const { version, name, source } = migration;
  return { version, name, source, state: version < newest ? "skipped" : "pending" };
}

/** The error for a migration that stands in the way, if it does. */
export function problemOf(state: MigrationState): SpringhouseError | undefined {
  const label = labelOf(state);
  const fields = { version: state.version, name: state.name };
  if (state.state === "changed") {
    const message =
      `${label} was changed after it had been applied (${state.source}). ` +
      "Restore its text and put the change into a new migration.";
    return new SpringhouseError("MIGRATION_CHANGED", message, { fields });
  }
  return state.state === "unknown" ? unknownError(state) : undefined;
}

/** The error for a migration that the database has had and the code does not have. */
export function unknownError({ version, name }: MigrationName): SpringhouseError {
  const message =
    `The database has had ${labelOf({ version, name })}, which this code does not have: it is ` +
    "newer than the code. Run the newer version of the program, or restore the migration's file. " +
    "If it has it, look whether the folder of migrations is the right one.";
  return new SpringhouseError("SCHEMA_NEWER", message, { fields: { version, name } });
}
