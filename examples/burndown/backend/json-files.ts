/** What the repositories of the JSON backend work with. */

import type { FileTransaction } from "../legacy/file-transaction.ts";
import type { LegacyFolder } from "../legacy/folder.ts";

export interface JsonFiles {
  /** As the files are, or inside of a transaction, as they will be. */
  readonly folder: LegacyFolder;
  /** Runs a change in a transaction of its own, or in the one that is under way. */
  readonly change: <T>(
    run: (changes: FileTransaction, folder: LegacyFolder) => T | Promise<T>,
  ) => Promise<T>;
}

/** The folder of a profile. */
export function profileFolder(profileId: string): string {
  return `profiles/${profileId}`;
}

/** The folder of a query. */
export function queryFolder(profileId: string, queryId: string): string {
  return `profiles/${profileId}/queries/${queryId}`;
}
