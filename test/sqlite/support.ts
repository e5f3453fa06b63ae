/** What the tests of this folder share: real folders, and failures to look at. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { Connection } from "../../src/sqlite/connection.ts";
import type { Gate } from "../../src/sqlite/write-group.ts";

export { FakeClock } from "../../src/testing/fake-clock.ts";
export { sql } from "./statements.ts";

/** A folder that is removed when the test is over. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "springhouse-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A path for a database that is removed when the test is over. */
export function temporaryPath(name = "test.db"): string {
  return join(temporaryFolder(), name);
}

/** Begins transactions on a connection that nobody else locks, for units that nobody gives up. */
export function openGate(connection: Connection): Gate {
  return {
    begin: () => connection.control("BEGIN IMMEDIATE"),
    claim: () => true,
    check: () => undefined,
    isOverdue: () => true,
    commit: () => connection.control("COMMIT"),
  };
}

/** Lets everything run that is ready to run. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** The error that a promise rejects with. */
export async function failureOf(promise: Promise<unknown>): Promise<Error & { code?: string }> {
  try {
    await promise;
  } catch (error) {
    return error as Error & { code?: string };
  }
  throw new Error("it did not fail");
}
