/** From a command line to what it works on: the configuration, the database, the entities. */

import { existsSync } from "node:fs";
import type { Config } from "../config/config.ts";
import { SpringhouseError } from "../core/errors.ts";
import type { Catalog } from "../schema/catalog.ts";
import type { SqliteStore } from "../store/sqlite/store.ts";
import { type Invocation, textOf } from "./command.ts";
import { importUserModule } from "./user-module.ts";

/** The configuration, with `--config` and `--url` applied. */
export async function loadSettings(invocation: Invocation): Promise<Config> {
  const { loadConfig } = await import("../config/load.ts");
  const { cwd, env } = invocation.terminal;
  const url = textOf(invocation, "url");
  return loadConfig({
    cwd,
    env,
    file: textOf(invocation, "config"),
    ...(url === undefined ? {} : { overrides: { database: { url } } }),
  });
}

/** Opens the configured database. */
export async function openStore(
  config: Config,
  { readOnly }: { readonly readOnly: boolean },
): Promise<SqliteStore> {
  const { openSqliteStore } = await import("../store/sqlite/store.ts");
  const { sqliteStoreOptions } = await import("../open/options.ts");
  const options = sqliteStoreOptions(config.database);
  return openSqliteStore({ ...options, readOnly: readOnly || config.database.readOnly });
}

/**
 * For commands that make no file.
 *
 * @throws `UNOPENABLE` when there is none.
 */
export async function refuseMissingFile(config: Config): Promise<void> {
  const { parseLocation } = await import("../sqlite/location.ts");
  const location = parseLocation(config.database.url);
  if (location.kind !== "file" || existsSync(location.path)) return;
  const { path } = location;
  const message = `The database file ${path} does not exist. Give the right one with --url.`;
  throw new SpringhouseError("UNOPENABLE", message, { fields: { path } });
}

/**
 * The declared schema: every entity and rollup that the configured module exports, by whatever
 * name, alone or in a list. Undefined when no module is configured.
 *
 * @throws `CONFIG` when the module cannot be loaded or exports no entity.
 */
export async function loadCatalog(config: Config): Promise<Catalog | undefined> {
  if (config.entities === undefined) return undefined;
  const { factsOf, isEntity } = await import("../schema/entity.ts");
  const { createCatalog } = await import("../schema/catalog.ts");
  const exported = Object.values(await importUserModule(config.entities, unusable))
    .flat()
    .filter(isEntity);
  if (exported.length === 0) throw unusable(config.entities, "it exports no entity");
  const declared = Object.groupBy(new Set(exported), (entity) =>
    factsOf(entity).rollup === undefined ? "entities" : "rollups",
  );
  return createCatalog(declared.entities ?? [], declared.rollups);
}

function unusable(path: string, problem: string, cause?: unknown): SpringhouseError {
  return new SpringhouseError("CONFIG", `entities: ${path} cannot be used: ${problem}.`, {
    cause,
    fields: { path },
  });
}
