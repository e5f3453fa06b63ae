/** The slow path of opening: makes the schema of an empty database, or says what differs. */

import { isSpringhouseError, SpringhouseError } from "../core/errors.ts";
import { createStatements } from "../schema/ddl.ts";
import type { PhysicalSchema } from "../schema/physical.ts";
import type { Session, Store, StoreTransaction } from "../store/store.ts";
import { isFormer, noteComparison } from "./declared.ts";
import { diff } from "./diff.ts";
import { labelOf, loadMigrations } from "./files.ts";
import { introspect } from "./introspect.ts";
import { CREATE_BOOKKEEPING, insertRow, readLedger, toBaseline } from "./ledger.ts";
import { describeOperations, type Operation } from "./operation.ts";
import { keepSnapshot, takeSnapshot } from "./snapshot.ts";

/** What is to be made or compared. */
export interface SchemaRequest {
  readonly store: Store;
  readonly desired: PhysicalSchema;
  /** Hash of `desired`. */
  readonly declared: string;
  readonly mode: "create" | "check";
  readonly migrationsDirectory?: string;
}

/** More differences than anybody reads in one message. */
const DIFFERENCES_MAX = 30;

/** Makes the schema in an empty database; compares any other. */
export async function createOrCompare(request: SchemaRequest): Promise<void> {
  const { store, desired, declared, mode } = request;
  if (mode === "create" && (await isEmpty(store))) {
    await store.transaction(async (tx) => {
      // Another process may have been faster; then there is something to compare.
      if (await isEmpty(tx)) await create(tx, request);
    });
  }
  const differences = differencesThatCount(diff(await introspect(store), desired));
  if (differences.length > 0) throw await mismatch(store, declared, differences);
  await remember(store, declared);
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

/** The error for a file that is not as declared. */
export function mismatchError(differences: readonly string[]): SpringhouseError {
  const shown = differences.slice(0, DIFFERENCES_MAX).map((line) => `\n- ${line}`);
  const more = differences.length - shown.length;
  return new SpringhouseError(
    "SCHEMA_MISMATCH",
    `The database does not have the declared schema:${shown.join("")}` +
      `${more > 0 ? `\n- and ${more} more` : ""}\nNothing was changed. Write a migration with ` +
      "`springhouse migrate new <name>`, look at it with `springhouse migrate plan`, and apply " +
      "it with `springhouse migrate up`.",
    { fields: { differences } },
  );
}

async function isEmpty(session: Session): Promise<boolean> {
  const sql = "SELECT count(*) FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
  return (await session.read({ sql, parameters: [] })).rows[0]?.[0] === 0;
}

async function create(tx: StoreTransaction, request: SchemaRequest): Promise<void> {
  const { desired, migrationsDirectory } = request;
  const migrations =
    migrationsDirectory === undefined ? [] : await loadMigrations(migrationsDirectory);
  const nowMs = Date.now();
  await tx.write([
    ...createStatements(desired).map((sql) => ({ sql, parameters: [] })),
    ...CREATE_BOOKKEEPING,
    ...migrations.map((migration) => insertRow(toBaseline(migration, nowMs))),
  ]);
  await tx.write([keepSnapshot(await takeSnapshot(tx))]);
}

/** Keeps the fingerprint where there are notes; a database of somebody else's is left as it is. */
async function remember(store: Store, declared: string): Promise<void> {
  const { rows } = await store.read({
    sql: `SELECT s.schema_version FROM pragma_schema_version s
      WHERE EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'springhouse_meta')`,
    parameters: [],
  });
  if (rows[0] === undefined) return;
  try {
    await store.write(await noteComparison(store, declared, Number(rows[0][0])));
  } catch (error) {
    // Then the next opening compares again.
    if (!isSpringhouseError(error, "READ_ONLY")) throw error;
  }
}

/** A file that was migrated away from this very declaration is newer than this code. */
async function mismatch(
  store: Store,
  declared: string,
  differences: readonly string[],
): Promise<SpringhouseError> {
  const newest = (await readLedger(store)).rows.at(-1);
  if (newest === undefined || !(await isFormer(store, declared))) return mismatchError(differences);
  return new SpringhouseError(
    "SCHEMA_NEWER",
    `The database is newer than this code: ${labelOf(newest)} was applied after the schema that ` +
      "this code declares. Run the newer version of the program, or restore an older backup.",
    { fields: { version: newest.version, differences } },
  );
}
