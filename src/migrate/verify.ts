/** Whether ledger, code, file and declaration agree, and the file itself is sound. */

import { SpringhouseError } from "../core/errors.ts";
import type { PhysicalSchema } from "../schema/physical.ts";
import type { Store } from "../store/store.ts";
import { assess, outOfOrderError } from "./assess.ts";
import { differencesThatCount, isSurplus, mismatchError } from "./compare.ts";
import { diff, undeclaredIn } from "./diff.ts";
import { labelOf } from "./files.ts";
import { describeViolations, foreignKeyViolations, integrityProblems } from "./integrity.ts";
import { introspect } from "./introspect.ts";
import { readLedger } from "./ledger.ts";
import type { Migration } from "./migration.ts";
import type { VerifyReport } from "./migrator.ts";
import { describeOperation } from "./operation.ts";
import { compareSnapshots, readSnapshot, takeSnapshot } from "./snapshot.ts";

/** Looks at everything; changes nothing. */
export async function verify(
  store: Store,
  migrations: readonly Migration[],
  desired: PhysicalSchema | undefined,
): Promise<VerifyReport> {
  const ledger = await readLedger(store);
  const { problems, skipped, pending, rows } = assess(ledger, migrations);
  const newest = rows.at(-1);
  const found: SpringhouseError[] = [...problems];
  if (newest !== undefined && skipped.length > 0) found.push(outOfOrderError(newest, skipped));
  if (ledger.exists) found.push(...(await drift(store, newest)));
  const notes: string[] = [];
  if (desired !== undefined) {
    const current = await introspect(store);
    const operations = diff(current, desired);
    const differences = differencesThatCount(operations);
    // With migrations pending the file is expected to lag behind.
    if (differences.length > 0 && pending.length === 0) found.push(mismatchError(differences, []));
    notes.push(
      ...operations.filter((entry) => isSurplus(entry, operations)).map(describeOperation),
      ...undeclaredIn(current, desired),
    );
  }
  found.push(...(await soundness(store)));
  return { ok: found.length === 0, problems: found, notes };
}

async function drift(
  store: Store,
  newest: { readonly version: number; readonly name: string } | undefined,
): Promise<readonly SpringhouseError[]> {
  const before = await readSnapshot(store);
  if (before === undefined) return [];
  const changes = compareSnapshots(before, await takeSnapshot(store));
  if (changes.length === 0) return [];
  const since = newest === undefined ? "it was made" : labelOf(newest);
  const message =
    `The schema was changed outside of migrations since ${since}: ${changes.join("; ")}. ` +
    "Undo the change, or write a migration that makes it everywhere.";
  return [new SpringhouseError("SCHEMA_DRIFT", message, { fields: { changes } })];
}

async function soundness(store: Store): Promise<readonly SpringhouseError[]> {
  const damage = await integrityProblems(store);
  if (damage.length > 0) {
    // What refers to what cannot be told from damaged pages.
    const message = `The file is damaged: ${damage.join("; ")}. Restore a backup.`;
    return [new SpringhouseError("CORRUPT", message, { fields: { problems: damage } })];
  }
  const dangling = describeViolations(await foreignKeyViolations(store));
  if (dangling.length === 0) return [];
  const message = `Rows refer to nothing: ${dangling.join("; ")}. Correct or delete them.`;
  return [new SpringhouseError("CONSTRAINT", message, { fields: { problems: dangling } })];
}
