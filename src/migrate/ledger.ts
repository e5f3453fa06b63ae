/**
 * The ledger: which migrations this database has had, in the table `schema_migrations`.
 *
 * Every row is written in the transaction of its migration, so the ledger is never ahead of the
 * schema nor behind it. Without a ledger, an older table `schema_version(version)` is the baseline:
 * all migrations up to its greatest version count as applied; without that the version is 0.
 */

import { isSpringhouseError, SpringhouseError } from "../core/errors.ts";
import { lowerAscii } from "../core/lower-ascii.ts";
import type { ResultSet, Session, Statement } from "../store/store.ts";
import { isInternal } from "./internal.ts";
import { CREATE_META } from "./meta.ts";
import type { Migration } from "./migration.ts";

/** How a migration came into the ledger; `data` still has data steps to finish. */
export type LedgerState = "applied" | "baseline" | "data";

/** One row of the ledger. */
export interface LedgerRow {
  readonly version: number;
  readonly name: string;
  /** Empty for a version that was taken over without its text. */
  readonly checksum: string;
  readonly state: LedgerState;
  readonly appliedAtMs: number;
  readonly ms: number;
}

/** What a database says about its migrations. */
export interface Ledger {
  readonly rows: readonly LedgerRow[];
  /** The table is there. */
  readonly exists: boolean;
  /** Without a ledger: the version of an older `schema_version` table, else 0. */
  readonly legacyVersion: number;
  /** With no row in the ledger: there are tables already. */
  readonly hasTables: boolean;
}

const CREATE_LEDGER = `CREATE TABLE IF NOT EXISTS schema_migrations (
  version INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  checksum TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('applied', 'baseline', 'data')),
  applied_at INTEGER NOT NULL,
  ms REAL NOT NULL
) STRICT`;
const CREATE_STEPS = `CREATE TABLE IF NOT EXISTS springhouse_migration_steps (
  version INTEGER NOT NULL,
  step INTEGER NOT NULL,
  cursor TEXT,
  rows INTEGER NOT NULL,
  changed INTEGER NOT NULL,
  rows_total INTEGER NOT NULL,
  finished INTEGER NOT NULL,
  PRIMARY KEY (version, step)
) STRICT`;
const SELECT_LEDGER =
  "SELECT version, name, checksum, state, applied_at, ms FROM schema_migrations ORDER BY version";

/** Makes the ledger, the journal of data steps and the notes, where they are missing. */
export const CREATE_BOOKKEEPING: readonly Statement[] = [
  statement(CREATE_LEDGER),
  statement(CREATE_STEPS),
  CREATE_META,
];

/** Reads the ledger: one query when there is one. */
export async function readLedger(session: Session): Promise<Ledger> {
  const rows = await selectRows(session);
  if (rows === undefined) return readWithoutLedger(session);
  if (rows.length === 0) return { ...(await readWithoutRows(session)), exists: true };
  return { rows: rows.map(toRow), exists: true, legacyVersion: 0, hasTables: true };
}

/** Rows for what counts as applied when a database without any is taken over. */
export function baselineRows(
  ledger: Ledger,
  migrations: readonly Migration[],
  nowMs: number,
): readonly LedgerRow[] {
  if (ledger.rows.length > 0) return [];
  const { legacyVersion, hasTables } = ledger;
  const rows = migrations
    .filter(({ version, baseline }) => version <= legacyVersion || (baseline && hasTables))
    .map((migration) => toBaseline(migration, nowMs));
  if (legacyVersion > 0 && !rows.some(({ version }) => version === legacyVersion)) {
    rows.push(toBaseline({ version: legacyVersion, name: "schema_version", checksum: "" }, nowMs));
  }
  return rows.sort((a, b) => a.version - b.version);
}

/** A migration that is taken over without being run. */
export function toBaseline(
  { version, name, checksum }: Pick<Migration, "version" | "name" | "checksum">,
  nowMs: number,
): LedgerRow {
  return { version, name, checksum, state: "baseline", appliedAtMs: nowMs, ms: 0 };
}

/** The statement that adds a row. */
export function insertRow(row: LedgerRow): Statement {
  return {
    sql: `INSERT INTO schema_migrations (version, name, checksum, state, applied_at, ms)
      VALUES (?, ?, ?, ?, ?, ?)`,
    parameters: [row.version, row.name, row.checksum, row.state, row.appliedAtMs, row.ms],
  };
}

/** The statements that take a migration out of the ledger. */
export function removeRow(version: number): readonly Statement[] {
  return [
    { sql: "DELETE FROM schema_migrations WHERE version = ?", parameters: [version] },
    deleteSteps(version),
  ];
}

/** The statements that mark the data steps of a migration as finished. */
export function finishRow(version: number, ms: number): readonly Statement[] {
  const sql = "UPDATE schema_migrations SET state = 'applied', ms = ms + ? WHERE version = ?";
  return [{ sql, parameters: [ms, version] }, deleteSteps(version)];
}

function deleteSteps(version: number): Statement {
  return {
    sql: "DELETE FROM springhouse_migration_steps WHERE version = ?",
    parameters: [version],
  };
}

function toRow(row: readonly unknown[]): LedgerRow {
  const [version, name, checksum, state, appliedAtMs, ms] = row;
  return {
    version: Number(version),
    name: String(name),
    checksum: String(checksum),
    state: state as LedgerState,
    appliedAtMs: Number(appliedAtMs),
    ms: Number(ms),
  };
}

/** The ledger's rows; undefined when they cannot be read, for want of the table or its columns. */
async function selectRows(session: Session): Promise<ResultSet["rows"] | undefined> {
  try {
    return (await session.read(statement(SELECT_LEDGER))).rows;
  } catch (error) {
    if (isSpringhouseError(error, "SQL")) return undefined;
    throw error;
  }
}

async function readWithoutLedger(session: Session): Promise<Ledger> {
  const tables = await readTables(session);
  const has = (name: string): boolean => tables.some((table) => lowerAscii(table) === name);
  if (has("schema_migrations")) {
    // Another process may have made it since; then it can be read now.
    if ((await selectRows(session)) !== undefined) return readLedger(session);
    throw new SpringhouseError(
      "MIGRATION_INVALID",
      "The table schema_migrations was made by another tool and has other columns. " +
        "Rename it, and add a migration marked `-- springhouse: baseline` for what it applied.",
    );
  }
  return {
    rows: [],
    exists: false,
    legacyVersion: has("schema_version") ? await readLegacyVersion(session) : 0,
    hasTables: tables.some((table) => !isInternal(table)),
  };
}

async function readWithoutRows(session: Session): Promise<Omit<Ledger, "exists">> {
  const tables = await readTables(session);
  return { rows: [], legacyVersion: 0, hasTables: tables.some((table) => !isInternal(table)) };
}

async function readTables(session: Session): Promise<readonly string[]> {
  const sql = "SELECT name FROM sqlite_schema WHERE type = 'table'";
  return (await session.read(statement(sql))).rows.map((row) => String(row[0]));
}

async function readLegacyVersion(session: Session): Promise<number> {
  const sql = "SELECT max(CAST(version AS INTEGER)) FROM schema_version";
  const version = (await session.read(statement(sql))).rows[0]?.[0];
  return typeof version === "number" && version > 0 ? version : 0;
}

function statement(sql: string): Statement {
  return { sql, parameters: [] };
}
