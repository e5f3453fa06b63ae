/** What the rollup commands share: the rollups of the configured module, on the configured file. */

import { SpringhouseError } from "../../core/errors.ts";
import type { Rollups } from "../../rollup/rollups.ts";
import { type Invocation, usageError } from "../command.ts";
import { loadCatalog, loadSettings, openStore, refuseMissingFile } from "../settings.ts";

/** Runs `use` with the rollups, and the names that were given or else all of them. */
export async function withRollups<T>(
  invocation: Invocation,
  access: "read" | "write",
  use: (rollups: Rollups, names: readonly string[]) => Promise<T>,
): Promise<T> {
  const config = await loadSettings(invocation);
  const catalog = await loadCatalog(config);
  const known = catalog?.rollups.map(({ table }) => table) ?? [];
  if (catalog === undefined || known.length === 0) {
    const place = config.entities ?? "No module of entities is configured, so it";
    throw new SpringhouseError("CONFIG", `${place} exports no rollup, made by rollup().`);
  }
  const unknown = invocation.words.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw usageError(`There is no rollup "${unknown}". There are: ${known.join(", ")}.`);
  }
  await refuseMissingFile(config);
  const { Rollups: Opened } = await import("../../rollup/rollups.ts");
  await using store = await openStore(config, { readOnly: access === "read" });
  return await use(
    new Opened(store, catalog),
    invocation.words.length === 0 ? known : invocation.words,
  );
}
