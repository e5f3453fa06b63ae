/**
 * The folder of migrations as a list of names: all that opening a database needs to know of it.
 *
 * A folder that is not there is an error and not an empty one. Its name is misspelt, or the files
 * were left behind by a deployment, and "nothing to do" would be the wrong answer to both.
 */

import { readdir } from "node:fs/promises";
import { resolve } from "node:path";
import { messageOf, SpringhouseError } from "../core/errors.ts";

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

/** The versions of the migrations in a folder, by the names of its files alone. */
export async function listVersions(directory: string): Promise<ReadonlySet<number>> {
  const names = await listFolder(directory);
  return new Set(names.map((name) => Number(FILE_NAME.exec(name)?.[1] ?? 0)));
}
