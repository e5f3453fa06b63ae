/** Where the application keeps things: everything of a user lies below one folder. */

import { join } from "node:path";

/** The database, inside of `profiles`, so that copying that folder copies everything. */
export function databasePath(root: string): string {
  return join(root, "profiles", "burndown.db");
}

/** Copies of the old files, one folder for each migration. */
export function backupsPath(root: string): string {
  return join(root, "backups");
}
