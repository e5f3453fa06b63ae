/** The module that `--map` names: its default export is made by `defineImport`. */

import { SpringhouseError } from "../../core/errors.ts";
import type { ImportMapping, ImportTables } from "../../migrate/import/options.ts";
import { importUserModule } from "../user-module.ts";

/**
 * Loads a mapping.
 *
 * @throws `USAGE` when the module cannot be loaded or holds none.
 */
export async function loadMapping(path: string): Promise<ImportMapping<ImportTables>> {
  const { default: mapping } = await importUserModule(path, unusable);
  const isMapping =
    typeof mapping === "object" && mapping !== null && "map" in mapping && "tables" in mapping;
  if (isMapping) return mapping as ImportMapping<ImportTables>;
  throw unusable(path, "its default export is no mapping; write: export default defineImport({…})");
}

function unusable(path: string, problem: string, cause?: unknown): SpringhouseError {
  const message = `--map: ${path} cannot be used: ${problem}.`;
  return new SpringhouseError("USAGE", message, { cause, fields: { path } });
}
