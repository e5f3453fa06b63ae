/** The slow path of opening: makes the schema of an empty database, or says what differs. */

import { isSpringhouseError, SpringhouseError } from "../core/errors.ts";
import { createStatements } from "../schema/ddl.ts";
import type { PhysicalSchema } from "../schema/physical.ts";
import type { Session, Store, StoreTransaction } from "../store/store.ts";
import { assess, unknownError } from "./assess.ts";
import { isFormer, noteComparison } from "./declared.ts";
import { diff } from "./diff.ts";
import { labelOf, loadMigrations } from "./files.ts";
import type { MigrationsFolder } from "./folder.ts";
import { introspect } from "./introspect.ts";
import { CREATE_BOOKKEEPING, insertRow, readLedger, toBaseline } from "./ledger.ts";
import type { MigrationName } from "./migrator.ts";
import { describeOperations, type Operation } from "./operation.ts";
import { keepSnapshot, takeSnapshot } from "./snapshot.ts";

/** What the code says about the database. */
export interface Declaration {
  readonly desired: PhysicalSchema;
  /** Hash of `desired`. */
  readonly declared: string;
  /** Undefined when the code did not say where its migrations are. */
  readonly folder: MigrationsFolder | undefined;
}

/** More differences than anybody reads in one message. */
const DIFFERENCES_MAX = 30;

/** Makes the schema in an empty database; compares any other. */
export async function createOrCompare(
  store: Store,
  mode: "create" | "check",
  declaration: Declaration,
): Promise<void> {
  if (mode === "create" && (await isEmpty(store))) {
    await store.transaction(async (tx) => {
      // Another process may have been faster; then there is something to compare.
      if (await isEmpty(tx)) await create(tx, declaration);
    });
  }
  const problem = await openingProblem(store, declaration);
  if (problem !== undefined) throw problem;
  await remember(store, declaration);
}

/**
 * Why code with this declaration cannot use the database, if it cannot: `SCHEMA_NEWER` or
 * `SCHEMA_MISMATCH`. A migration that the folder does not have counts before any difference, and
 * without one too: what it has done to the data is not known here.
 */
export async function openingProblem(
  session: Session,
  { desired, declared, folder }: Declaration,
): Promise<SpringhouseError | undefined> {
  if (folder !== undefined) {
    const { rows } = await readLedger(session);
    const unknown = rows.find(({ version, checksum }) => {
      return checksum !== "" && !folder.versions.has(version);
    });
    if (unknown !== undefined) return unknownError(unknown);
  }
  const differences = differencesThatCount(diff(await introspect(session), desired));
  if (differences.length === 0) return undefined;
  const ledger = await readLedger(session);
  const pending =
    folder === undefined
      ? undefined
      : assess(ledger, await loadMigrations(folder.directory)).pending;
  const newest = ledger.rows.at(-1);
  const isBehind = pending !== undefined && pending.length > 0;
  if (newest !== undefined && !isBehind && (await isFormer(session, declared))) {
    return formerError(newest, differences);
  }
  return mismatchError(differences, pending);
}

/** Differences that make the file another one than declared; an index too many does no harm. */
export function differencesThatCount(operations: readonly Operation[]): readonly string[] {
  return describeOperations(operations.filter((entry) => !isSurplus(entry, operations)));
}

/** An index that is not declared; one that is declared otherwise comes back and is a difference. */
export function isSurplus(operation: Operation, all: readonly Operation[]): boolean {
  if (operation.kind !== "drop index") return false;
  const { name } = operation.index;
  return !all.some((entry) => entry.kind === "create index" && entry.index.name === name);
}

/** The error for a file that is not as declared; `pending` is undefined when nobody knows. */
export function mismatchError(
  differences: readonly string[],
  pending: readonly MigrationName[] | undefined,
): SpringhouseError {
  const shown = differences.slice(0, DIFFERENCES_MAX).map((line) => `\n- ${line}`);
  const more = differences.length - shown.length;
  const advice = mismatchAdvice(pending);
  return new SpringhouseError(
    "SCHEMA_MISMATCH",
    `The database does not have the declared schema:${shown.join("")}` +
      `${more > 0 ? `\n- and ${more} more` : ""}\nNothing was changed. ${advice}`,
    { fields: { differences, advice } },
  );
}

/** A new migration is the last resort: it would repeat a pending one, or undo a newer one. */
function mismatchAdvice(pending: readonly MigrationName[] | undefined): string {
  const write =
    "write a migration with `springhouse migrate new <name>`, look at it with " +
    "`springhouse migrate plan`, and apply it with `springhouse migrate up`";
  if (pending === undefined) {
    return (
      "Run `springhouse migrate up`. When nothing is pending, and the database is not from a " +
      `newer version of this program, ${write}.`
    );
  }
  if (pending.length === 0) return `Nothing is pending: ${write}.`;
  const names = pending.map(labelOf).join(", ");
  return `Pending: ${names}. Run \`springhouse migrate up\`.`;
}

async function isEmpty(session: Session): Promise<boolean> {
  const sql = `SELECT count(*) FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
    AND name NOT LIKE 'springhouse\\_log%' ESCAPE '\\'`;
  return (await session.read({ sql, parameters: [] })).rows[0]?.[0] === 0;
}

async function create(tx: StoreTransaction, { desired, folder }: Declaration): Promise<void> {
  const migrations = folder === undefined ? [] : await loadMigrations(folder.directory);
  const nowMs = Date.now();
  await tx.write([
    ...createStatements(desired).map((sql) => ({ sql, parameters: [] })),
    ...CREATE_BOOKKEEPING,
    ...migrations.map((migration) => insertRow(toBaseline(migration, nowMs))),
  ]);
  await tx.write([keepSnapshot(await takeSnapshot(tx))]);
}

/** Keeps the fingerprint where there are notes; a database of somebody else's is left as it is. */
async function remember(store: Store, { declared, folder }: Declaration): Promise<void> {
  const { rows } = await store.read({
    sql: `SELECT s.schema_version FROM pragma_schema_version s
      WHERE EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'springhouse_meta')`,
    parameters: [],
  });
  if (rows[0] === undefined) return;
  try {
    const schemaVersion = Number(rows[0][0]);
    await store.write(await noteComparison(store, declared, schemaVersion, folder?.hash));
  } catch (error) {
    // Then the next opening compares again.
    if (!isSpringhouseError(error, "READ_ONLY")) throw error;
  }
}

/** The error for a file that was migrated away from this very declaration. */
function formerError(newest: MigrationName, differences: readonly string[]): SpringhouseError {
  return new SpringhouseError(
    "SCHEMA_NEWER",
    `The database is newer than this code: ${labelOf(newest)} was applied after the schema that ` +
      "this code declares. Run the newer version of the program, or restore an older backup.",
    { fields: { version: newest.version, differences } },
  );
}
