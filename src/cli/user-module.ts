/** Modules of the user's that the command line is told of: entities, mappings. */

import { pathToFileURL } from "node:url";
import { SpringhouseError } from "../core/errors.ts";
import { importProblem } from "../core/import-problem.ts";

/**
 * Loads one.
 *
 * @param unusable the error for one that cannot be loaded, and for what reason; an error of ours
 * that the module throws itself is passed on.
 */
export async function importUserModule(
  path: string,
  unusable: (path: string, problem: string, cause: unknown) => SpringhouseError,
): Promise<Record<string, unknown>> {
  try {
    return await import(pathToFileURL(path).href);
  } catch (error) {
    if (error instanceof SpringhouseError) throw error;
    throw unusable(path, importProblem(error), error);
  }
}
