/**
 * Opens the data of a folder by its settings. The old files are taken over into the database when
 * it is opened for the first time, and whoever opens it waits for that.
 */

import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { type DualBackend, dualWrite, type MoveProblem } from "springhouse/import";
import type { PersistenceBackend, Repositories } from "./backend/backend.ts";
import { openJsonBackend } from "./backend/json-backend.ts";
import { openSqliteBackend, type SqliteBackend } from "./backend/sqlite-backend.ts";
import { LegacyFolder } from "./legacy/folder.ts";
import { SCHEMA_VERSION } from "./migrate/mapping.ts";
import {
  isMigrated,
  type MigrateOptions,
  type MigrationReport,
  migrateFolder,
} from "./migrate/migrate.ts";
import { databasePath } from "./places.ts";
import type { Settings } from "./settings.ts";

export interface OpenOptions extends MigrateOptions {
  /** Told when the old files were taken over. Default: none. */
  readonly onMigrated?: (report: MigrationReport) => void;
  /** Told, during a move, where both backends differ. Default: a warning. */
  readonly onProblem?: (problem: MoveProblem) => void;
}

/** The methods of each repository, by what they do. */
const METHODS = {
  profiles: { reads: ["get", "list"], writes: ["save", "delete"] },
  queries: { reads: ["get", "list"], writes: ["save", "delete"] },
  caches: { reads: ["get", "list", "issues"], writes: ["save", "deleteExpired"] },
  changelogs: { reads: ["get", "list"], writes: ["save", "deleteExpired"] },
  projects: { reads: ["get"], writes: ["save"] },
  snapshots: { reads: ["list"], writes: ["save"] },
  state: { reads: ["get", "list", "selection"], writes: ["set", "select"] },
  tasks: { reads: ["get", "list"], writes: ["save", "delete"] },
  calculations: { reads: ["get", "list"], writes: ["save"] },
} as const;

/** Opens a folder. */
export async function openFolder(
  root: string,
  { backend, stages }: Settings,
  { onProblem, ...options }: OpenOptions = {},
): Promise<PersistenceBackend> {
  if (backend === "json") return openJsonBackend(root);
  const next = await openMigrated(root, options);
  if (backend === "sqlite") return next;
  const old = openJsonBackend(root);
  const names = Object.keys(METHODS) as (keyof Repositories)[];
  const filled = Object.fromEntries(names.map((name) => [name, stages[name] ?? "shadow"]));
  const dual: DualBackend<Repositories> = dualWrite<Repositories>({
    old,
    next,
    parts: METHODS,
    stages: { ...stages, ...filled },
    ...(onProblem && { onProblem }),
  });
  return {
    ...dual,
    close: async () => {
      await dual.settled();
      await old.close();
      await next.close();
    },
  };
}

async function openMigrated(
  root: string,
  { onMigrated, ...options }: Omit<OpenOptions, "onProblem">,
): Promise<SqliteBackend> {
  const path = databasePath(root);
  if (!(await isMigrated(root)) && isLegacy(root)) onMigrated?.(await migrateFolder(root, options));
  mkdirSync(dirname(path), { recursive: true });
  const backend = await openSqliteBackend(path);
  if ((await backend.state.get("migration_complete")) === undefined) {
    // There was nothing to take over: what comes later is not of the old application.
    await backend.state.set("schema_version", SCHEMA_VERSION);
    await backend.state.set("migration_complete", "true");
  }
  return backend;
}

function isLegacy(root: string): boolean {
  return new LegacyFolder(root, () => undefined).isThere;
}
