/**
 * The folder of migrations as a list of names: all that opening a database needs to know of it.
 *
 * A folder that is not there is an error and not an empty one. Its name is misspelt, or the files
 * were left behind by a deployment, and "nothing to do" would be the wrong answer to both.
 */

import { readdir } from "node:fs/promises";
import { resolve } from "node:path";
import { messageOf, SpringhouseError } from "../core/errors.ts";
import { hashText } from "../core/hash.ts";

/** How a migration is called: `0001_create_tasks.sql`. */
export const FILE_NAME: RegExp = /^(\d{1,15})_([A-Za-z0-9][A-Za-z0-9_-]*)\.(sql|m?[tj]s)$/;

/**
 * The names in a folder.
 *
 * @throws `MIGRATION_INVALID` when it does not exist or cannot be read.
 */
export async function listFolder(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    const folder = resolve(directory);
    const isMissing = (error as NodeJS.ErrnoException).code === "ENOENT";
    const message = isMissing
      ? `The migrations folder ${folder} does not exist. Correct its name, or make it: ` +
        "`springhouse migrate new <name>` does."
      : `The migrations folder ${folder} cannot be read: ${messageOf(error)}.`;
    const fields = { directory: folder };
    throw new SpringhouseError("MIGRATION_INVALID", message, { cause: error, fields });
  }
}

/** What the names of the files in a folder say. */
export interface MigrationsFolder {
  readonly directory: string;
  readonly versions: ReadonlySet<number>;
  /** A short text that is equal for equal versions. */
  readonly hash: string;
}

/**
 * Reads the names in a folder, and nothing of what is in the files.
 *
 * @throws `MIGRATION_INVALID` when it does not exist or cannot be read.
 */
export async function readFolder(directory: string): Promise<MigrationsFolder> {
  const names = await listFolder(directory);
  const versions = names.flatMap((name) => {
    const digits = FILE_NAME.exec(name)?.[1];
    return digits === undefined ? [] : [Number(digits)];
  });
  const hash = hashText(versions.sort((a, b) => a - b).join());
  return { directory, versions: new Set(versions), hash };
}
