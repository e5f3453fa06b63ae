/**
 * The rehearsal: the pending migrations run on a copy of the database, each one up, down and up
 * again. What comes back as it was is proved to be reversible; what does not is named.
 */

import { isSpringhouseError, messageOf } from "../core/errors.ts";
import type { Store } from "../store/store.ts";
import { applyMigration, type RunContext, revertMigration } from "./apply.ts";
import { DatabaseCopy } from "./copy.ts";
import { diff } from "./diff.ts";
import { labelOf } from "./files.ts";
import { describeViolations, foreignKeyViolations, integrityProblems } from "./integrity.ts";
import { type FileSchema, introspect } from "./introspect.ts";
import type { Migration } from "./migration.ts";
import type { DryRunMigration, DryRunReport } from "./migrator.ts";
import { describeAction } from "./operation.ts";
import { applicableRenames, type Rename, renameOf } from "./rename.ts";
import { digestRows } from "./rows-digest.ts";
import type { Selection } from "./select.ts";

/** What a rehearsal needs. */
export interface Rehearsal {
  /** Of the database itself, which stays as it is. */
  readonly context: RunContext;
  readonly openCopy: (path: string) => Promise<Store>;
  /** Enters the migrations into the copy's ledger; gives what is to be done. */
  readonly prepare: (copy: RunContext) => Promise<Selection>;
  /** Runs the data steps of a migration; the number of rows. */
  readonly runData: (copy: RunContext, migration: Migration) => Promise<number>;
}

/** Runs everything on a copy and reports. */
export async function rehearse(rehearsal: Rehearsal): Promise<DryRunReport> {
  const { context } = rehearsal;
  const startMs = context.clock.monotonicMs();
  await using copy = await DatabaseCopy.of(context.store);
  const copyMs = context.clock.monotonicMs() - startMs;
  await using store = await rehearsal.openCopy(copy.path);
  const copied: RunContext = { ...context, store, isRehearsal: true };
  const before = await introspect(store);
  const { unfinished, migrations } = await rehearsal.prepare(copied);
  const results: DryRunMigration[] = [];
  for (const migration of unfinished) await rehearsal.runData(copied, migration);
  for (const migration of migrations) results.push(await tryOut(rehearsal, copied, migration));
  return {
    changes: changesBetween(before, await introspect(store), renamesOf(migrations)),
    migrations: results,
    foreignKeyViolations: describeViolations(await foreignKeyViolations(store)),
    integrityProblems: await integrityProblems(store),
    copyMs,
  };
}

async function tryOut(
  rehearsal: Rehearsal,
  context: RunContext,
  migration: Migration,
): Promise<DryRunMigration> {
  const { version, name } = migration;
  const hasWayBack = migration.down !== undefined;
  const before = hasWayBack ? await stateOf(context.store) : undefined;
  const result = { version, name, ...(await runUp(rehearsal, context, migration)) };
  const reason =
    before === undefined
      ? `${labelOf(migration)} has no way back`
      : await tryBack(rehearsal, context, migration, before);
  return { ...result, reversible: reason === undefined, ...(reason !== undefined && { reason }) };
}

async function runUp(
  { runData }: Rehearsal,
  context: RunContext,
  migration: Migration,
): Promise<{ readonly ms: number; readonly rows: number }> {
  const ms = (await applyMigration(context, migration)) ?? 0;
  const startMs = context.clock.monotonicMs();
  const rows = await runData(context, migration);
  return { ms: ms + context.clock.monotonicMs() - startMs, rows };
}

/**
 * Down and up again, with a look at schema and rows each time; why the migration is not reversible,
 * or undefined when it is. On a copy of its own, so that the next migration finds what it expects.
 */
async function tryBack(
  rehearsal: Rehearsal,
  context: RunContext,
  migration: Migration,
  before: DatabaseState,
): Promise<string | undefined> {
  await using copy = await DatabaseCopy.of(context.store);
  await using store = await rehearsal.openCopy(copy.path);
  const trial: RunContext = { ...context, store };
  const after = await stateOf(store);
  try {
    await revertMigration(trial, migration);
    const reason = difference("down does not restore", before, await stateOf(store));
    if (reason !== undefined) return reason;
    await runUp(rehearsal, trial, migration);
    return difference("up after down does not give", after, await stateOf(store));
  } catch (error) {
    if (isSpringhouseError(error, "MIGRATION_FAILED")) return messageOf(error);
    throw error;
  }
}

interface DatabaseState {
  readonly schema: FileSchema;
  readonly rows: ReadonlyMap<string, string>;
}

async function stateOf(store: Store): Promise<DatabaseState> {
  const schema = await introspect(store);
  return { schema, rows: await digestRows(store, schema.tables) };
}

function difference(
  what: string,
  expected: DatabaseState,
  found: DatabaseState,
): string | undefined {
  const changes = changesBetween(found.schema, expected.schema);
  if (changes.length > 0) return `${what} the schema: ${changes.join("; ")}`;
  const tables = [...expected.rows].filter(([table, rows]) => found.rows.get(table) !== rows);
  if (tables.length === 0) return undefined;
  return `${what} the rows of ${tables.map(([table]) => table).join(", ")}`;
}

function changesBetween(
  before: FileSchema,
  after: FileSchema,
  renames: readonly Rename[] = [],
): readonly string[] {
  const applicable = applicableRenames(before, renames);
  return diff(before, after, { undeclared: "drop", renames: applicable }).map(describeAction);
}

/** What the scripts rename; a migration in code does not tell. */
function renamesOf(migrations: readonly Migration[]): readonly Rename[] {
  return migrations.flatMap(({ up }) =>
    up.kind === "script" ? up.statements.flatMap(({ sql }) => renameOf(sql) ?? []) : [],
  );
}
