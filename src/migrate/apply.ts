/**
 * One migration, up or down, in one transaction together with its ledger row, the run's lease and
 * the snapshot of the schema. Whatever fails inside takes all of it back.
 */

import { throwIfAborted } from "../core/abort.ts";
import type { Clock } from "../core/clock.ts";
import { formatDuration } from "../core/duration.ts";
import { isSpringhouseError, messageOf, SpringhouseError } from "../core/errors.ts";
import type { ResultSet, SqlValue, Store, StoreTransaction } from "../store/store.ts";
import { clearingTheWay, clearTheWay, logDifferences, loggedSchema } from "./change-log.ts";
import { noteMigration } from "./declared.ts";
import { labelOf } from "./files.ts";
import { describeViolations, foreignKeyViolations, newViolations } from "./integrity.ts";
import { finishRow, insertRow, readLedger, removeRow } from "./ledger.ts";
import { judgeStatement } from "./lint.ts";
import { type Lease, underLock } from "./lock.ts";
import type { Migration, MigrationBody, MigrationTransaction } from "./migration.ts";
import { keepSnapshot, takeSnapshot } from "./snapshot.ts";
import { type ScriptStatement, splitStatements } from "./sql-script.ts";

/** What a run carries through all of its transactions. */
export interface RunContext {
  readonly store: Store;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly lease: Lease;
  /** Hash of the declared schema, when there is one. */
  readonly declared: string | undefined;
  readonly signal: AbortSignal | undefined;
  /** It runs on a copy that nobody else uses. */
  readonly isRehearsal: boolean;
}

/** Applies one migration; its milliseconds, or undefined when another process has done it. */
export function applyMigration(
  context: RunContext,
  migration: Migration,
): Promise<number | undefined> {
  const { clock } = context;
  return inOwnTransaction(context, migration, migration.up, async (tx, isApplied, startMs) => {
    if (isApplied) return undefined;
    return async () => {
      const ms = clock.monotonicMs() - startMs;
      const state = migration.data === undefined ? "applied" : "data";
      const row = { ...migration, state, appliedAtMs: clock.nowMs(), ms } as const;
      await tx.write([insertRow(row)]);
      return ms;
    };
  });
}

/** Reverts one migration; its milliseconds, or undefined when another process has done it. */
export function revertMigration(
  context: RunContext,
  migration: Migration,
): Promise<number | undefined> {
  const { clock } = context;
  const body = migration.down ?? { kind: "script", statements: [] };
  return inOwnTransaction(context, migration, body, async (tx, isApplied, startMs) => {
    if (!isApplied) return undefined;
    return async () => {
      await tx.write(removeRow(migration.version));
      return clock.monotonicMs() - startMs;
    };
  });
}

/** Marks the data steps of a migration as finished. */
export async function finishMigration(
  context: RunContext,
  { version }: Migration,
  ms: number,
): Promise<void> {
  await underLock(
    context.store,
    (tx) => tx.write([...finishRow(version, ms), context.lease.claim()]),
    context,
  );
}

/** How the database stands after a failure: in `up` and `down`, and in a data step. */
const AS_BEFORE = "The database is as it was before this migration; mend it and run again.";
export const BATCHES_KEPT =
  "Finished batches are kept; mend it and run again, it goes on where it stopped.";

/** The error for a migration that failed; `advice` says how the database stands. */
export function failedError(
  migration: Migration,
  error: unknown,
  statement?: ScriptStatement,
  advice: string = AS_BEFORE,
): SpringhouseError {
  const line = statement === undefined ? "" : `:${statement.line}`;
  const what = statement === undefined ? "" : ` at ${excerpt(statement.sql)}`;
  const reason = messageOf(error).replace(/[.\s]+$/, "");
  return new SpringhouseError(
    "MIGRATION_FAILED",
    `${migration.source}${line}: migration ${labelOf(migration)} failed${what}: ${reason}. ` +
      advice,
    {
      cause: error,
      fields: {
        version: migration.version,
        name: migration.name,
        source: migration.source,
        line: statement?.line,
        statement: statement?.sql,
        reason,
      },
    },
  );
}

/** Decides under the lock whether there is work, and gives what is to be written after it. */
type Decide = (
  tx: StoreTransaction,
  isApplied: boolean,
  startMs: number,
) => Promise<(() => Promise<number>) | undefined>;

async function inOwnTransaction(
  context: RunContext,
  migration: Migration,
  body: MigrationBody,
  decide: Decide,
): Promise<number | undefined> {
  const { foreignKeys } = migration;
  throwIfAborted(context.signal, "The migration");
  const work = async (tx: StoreTransaction): Promise<number | undefined> => {
    const { rows } = await readLedger(tx);
    const isApplied = rows.some(({ version }) => version === migration.version);
    const finish = await decide(tx, isApplied, context.clock.monotonicMs());
    if (finish === undefined) return undefined;
    const before = foreignKeys === "off" ? await foreignKeyViolations(tx) : undefined;
    const logged = await loggedSchema(tx);
    await runBody(tx, migration, body);
    if (before !== undefined) {
      const broken = newViolations(before, await foreignKeyViolations(tx));
      if (broken.size > 0) throw new Error(describeViolations(broken).join("; "));
    }
    const ms = await finish();
    const notes = [
      ...(await logDifferences(tx, logged)),
      ...(await noteMigration(tx, context.declared)),
    ];
    await tx.write([...notes, keepSnapshot(await takeSnapshot(tx)), context.lease.claim()]);
    return ms;
  };
  try {
    return await underLock(context.store, work, { ...context, foreignKeys });
  } catch (error) {
    if (isSpringhouseError(error) && PASSED_ON.includes(error.code)) throw error;
    if (!isSpringhouseError(error, "TRANSACTION_TIMEOUT")) throw failedError(migration, error);
    const reason = `it took longer than timeoutMs, ${formatDuration(context.timeoutMs)}; raise it`;
    throw failedError(migration, new Error(reason, { cause: error }));
  }
}

/** These say already what has happened to the migration. */
const PASSED_ON: readonly string[] = ["ABORTED", "MIGRATION_FAILED", "MIGRATION_LOCKED"];
const STATEMENT_CHARS_MAX = 120;

async function runBody(
  tx: StoreTransaction,
  migration: Migration,
  body: MigrationBody,
): Promise<void> {
  if (body.kind === "code") return body.run(migrationTransaction(tx, migration));
  for (const statement of body.statements) await runStatement(tx, migration, statement);
}

/** What the code of a migration is given. */
export function migrationTransaction(
  session: StoreTransaction,
  migration: Migration,
  advice?: string,
): MigrationTransaction {
  return {
    session: clearingTheWay(session),
    async execute(sql, parameters) {
      const statements = splitStatements(sql, migration.source);
      let result: ResultSet = { columns: [], rows: [], changes: 0 };
      for (const statement of statements) {
        result = await runStatement(session, migration, statement, parameters, advice);
      }
      return result;
    },
  };
}

async function runStatement(
  tx: StoreTransaction,
  migration: Migration,
  statement: ScriptStatement,
  parameters: readonly SqlValue[] = [],
  advice?: string,
): Promise<ResultSet> {
  const { sql } = statement;
  try {
    const { dropsTable, table = "" } = judgeStatement(sql);
    if (dropsTable && migration.foreignKeys === "on") await refuseCascade(tx, table);
    await clearTheWay(tx, sql);
    if (!tx.isWrite(sql)) return await tx.read({ sql, parameters });
    const [result] = await tx.write([{ sql, parameters }]);
    return result ?? { columns: [], rows: [], changes: 0 };
  } catch (error) {
    throw failedError(migration, error, statement, advice);
  }
}

/**
 * With foreign keys on, DROP TABLE deletes the table's rows first, and rows that refer to them by
 * cascade: the way in which a table rebuild loses the rows of other tables without an error.
 */
async function refuseCascade(tx: StoreTransaction, table: string): Promise<void> {
  const sql = `SELECT DISTINCT s.name FROM sqlite_schema s, pragma_foreign_key_list(s.name) f
    WHERE s.type = 'table' AND lower(f."table") = lower(?) AND lower(s.name) <> lower(?)`;
  const { rows } = await tx.read({ sql, parameters: [table, table] });
  if (rows.length === 0) return;
  const others = rows.map((row) => String(row[0])).join(", ");
  throw new Error(
    `${others} refers to ${table}, and dropping it with foreign keys on would delete or change ` +
      "rows there; add the line `-- springhouse: foreign-keys off`, or drop those tables first",
  );
}

function excerpt(sql: string): string {
  const line = sql.replace(/\s+/g, " ");
  const isLong = line.length > STATEMENT_CHARS_MAX;
  return JSON.stringify(isLong ? `${line.slice(0, STATEMENT_CHARS_MAX)}…` : line);
}
