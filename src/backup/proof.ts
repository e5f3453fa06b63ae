/**
 * The proof of a backup: it is restored into a file of its own, and that file is checked. Only what
 * has gone through it counts as a backup.
 */

import { statSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { SpringhouseError } from "../core/errors.ts";
import { toSpringhouseError } from "../sqlite/errors.ts";
import { contentDifferences, contentOf } from "./content.ts";
import { digestKey } from "./encryption.ts";
import { openForChecks } from "./open-for-checks.ts";
import { damaged, unpack } from "./packing.ts";
import type { Progress, Proof, Task } from "./protocol.ts";
import { isDamage } from "./snapshot.ts";

/** Messages beyond this say nothing new. */
const PROBLEMS_MAX = 5;
const INTEGRITY = "SELECT integrity_check FROM pragma_integrity_check LIMIT ?";

type ProveTask = Extract<Task, { kind: "prove" }>;

/**
 * Restores a backup to a new file and checks it: every byte, every page and index, every reference,
 * every value. The file stays.
 *
 * @throws `BACKUP_DAMAGED` at the first thing that is not as it was, `BACKUP_KEY` for a wrong key.
 */
export async function prove(
  task: ProveTask,
  onProgress: (progress: Progress) => void,
): Promise<Proof> {
  const startMs = performance.now();
  const { manifest, key, to } = task;
  await unpack(task, onProgress);
  const { encryption } = manifest.data;
  try {
    using database = openForChecks(to);
    onProgress({ step: "check", done: 0, unit: "rows" });
    const problems = integrityProblems(database);
    if (problems.length > 0) {
      throw damaged(manifest, `the check of its pages found ${problems.join("; ")}`);
    }
    const found = contentOf(database, {
      key: key && encryption && digestKey(key, encryption),
      onRows: (done) => onProgress({ step: "check", done, unit: "rows" }),
    });
    const differences = contentDifferences(manifest.content, found);
    if (differences.length > 0)
      throw damaged(manifest, differences.slice(0, PROBLEMS_MAX).join("; "));
    return {
      bytes: manifest.database.sizeBytes,
      tables: found.tables.length,
      rows: found.tables.reduce((sum, { rows }) => sum + rows, 0),
      foreignKeyViolations: found.foreignKeyViolations,
      ms: performance.now() - startMs,
    };
  } catch (error) {
    const known = toSpringhouseError(error, { path: to });
    throw isDamage(known) ? damaged(manifest, `it cannot be read: ${known.message}`) : known;
  }
}

/**
 * Checks a file whose content nobody wrote down: its pages and indexes, and its references.
 *
 * @throws `CORRUPT`: whatever it was made of was damaged too.
 */
export function checkFile(path: string, onProgress: (progress: Progress) => void): Proof {
  const startMs = performance.now();
  using database = openForChecks(path);
  onProgress({ step: "check", done: 0, unit: "rows" });
  const problems = integrityProblems(database);
  if (problems.length > 0) {
    const message = `The restored database is damaged, as its original was: ${problems.join("; ")}`;
    throw new SpringhouseError("CORRUPT", message, { fields: { path } });
  }
  const { tables, foreignKeyViolations } = contentOf(database, {
    onRows: (done) => onProgress({ step: "check", done, unit: "rows" }),
  });
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  const bytes = statSync(path).size;
  const ms = performance.now() - startMs;
  return { bytes, tables: tables.length, rows, foreignKeyViolations, ms };
}

function integrityProblems(database: DatabaseSync): readonly string[] {
  const rows = database.prepare(INTEGRITY).all(PROBLEMS_MAX) as unknown as string[][];
  return rows.map(([problem = ""]) => problem).filter((problem) => problem !== "ok");
}
