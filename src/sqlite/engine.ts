/**
 * The SQLite library that Node brings. Up to 3.51.2 a write-ahead log that two connections reset
 * at the same moment can corrupt the file, and several connections are what we live from.
 */

import { SpringhouseError } from "../core/errors.ts";
import { nodeSqlite } from "../core/node-sqlite.ts";

/** Oldest good version of the main line and of the two branches that got the fix. */
const FIRST_FIXED = [3, 51, 3] as const;
const BACKPORTS = [
  [3, 44, 6],
  [3, 50, 7],
] as const;

let running: string | undefined;

/** The version of the running library, which need not be the one that Node was built with. */
export function sqliteVersion(): string {
  if (running === undefined) {
    const { DatabaseSync } = nodeSqlite();
    using database = new DatabaseSync(":memory:");
    running = String(database.prepare("SELECT sqlite_version() AS version").get()?.["version"]);
  }
  return running;
}

/**
 * Throws `SQLITE_TOO_OLD` unless the version has the fix.
 *
 * @param version what `SELECT sqlite_version()` gives.
 */
export function assertSafeSqlite(version: string): void {
  const [major = 0, minor = 0, patch = 0] = version.split(".").map(Number);
  const [fixedMajor, fixedMinor, fixedPatch] = FIRST_FIXED;
  if (major > fixedMajor) return;
  if (major === fixedMajor) {
    if (minor > fixedMinor || (minor === fixedMinor && patch >= fixedPatch)) return;
    if (BACKPORTS.some(([, line, since]) => line === minor && patch >= since)) return;
  }
  throw new SpringhouseError(
    "SQLITE_TOO_OLD",
    `SQLite ${version} can corrupt a database when two connections reset its write-ahead log at ` +
      `the same moment. Use Node.js 24.15 or newer, which brings SQLite ${FIRST_FIXED.join(".")}.`,
    { fields: { version, needed: FIRST_FIXED.join(".") } },
  );
}
