/** An auditor database in a folder of its own, for one test. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import {
  type AuditorDatabase,
  checkIntegrity,
  openAuditor,
} from "../../examples/auditor/database.ts";

/** A folder that is removed when the test leaves. */
export function temporaryFolder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), "auditor-test-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/**
 * Runs a test on an empty database; what it leaves must hold together: pages, references, and
 * durations that are the sums of their events.
 */
export async function withAuditor(
  run: (db: AuditorDatabase, folder: string) => Promise<void>,
): Promise<void> {
  using folder = temporaryFolder();
  await using db = await openAuditor(join(folder.path, "auditor.db"));
  await run(db, folder.path);
  expect(await checkIntegrity(db)).toEqual([]);
}
