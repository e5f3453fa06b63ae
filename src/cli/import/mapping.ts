/** The module that `--map` names: its default export is made by `defineImport`. */

import { pathToFileURL } from "node:url";
import { SpringhouseError } from "../../core/errors.ts";
import { importProblem } from "../../core/import-problem.ts";
import type { ImportMapping, ImportTables } from "../../migrate/import/options.ts";

/**
 * Loads a mapping.
 *
 * @throws `USAGE` when the module cannot be loaded or holds none.
 */
export async function loadMapping(path: string): Promise<ImportMapping<ImportTables>> {
  const { default: mapping } = await importModule(path);
  const isMapping =
    typeof mapping === "object" && mapping !== null && "map" in mapping && "tables" in mapping;
  if (isMapping) return mapping as ImportMapping<ImportTables>;
  throw unusable(path, "its default export is no mapping; write: export default defineImport({…})");
}

async function importModule(path: string): Promise<{ readonly default?: unknown }> {
  try {
    return await import(pathToFileURL(path).href);
  } catch (error) {
    if (error instanceof SpringhouseError) throw error;
    throw unusable(path, importProblem(error), error);
  }
}

function unusable(path: string, problem: string, cause?: unknown): SpringhouseError {
  const message = `--map: ${path} cannot be used: ${problem}.`;
  return new SpringhouseError("USAGE", message, { cause, fields: { path } });
}
