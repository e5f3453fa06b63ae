/** What the migration commands share: the migrator of the configured database, and its words. */

import { existsSync } from "node:fs";
import type { Config } from "../../config/config.ts";
import { formatDuration } from "../../core/duration.ts";
import { SpringhouseError } from "../../core/errors.ts";
import { labelOf } from "../../migrate/files.ts";
import { listFolder } from "../../migrate/folder.ts";
import type {
  MigrationProgress,
  MigrationRun,
  Migrator,
  MigratorOptions,
} from "../../migrate/migrator.ts";
import type { Invocation } from "../command.ts";
import { ProgressLine } from "../progress.ts";
import { loadCatalog, loadSettings, openStore } from "../settings.ts";

/**
 * How a command uses the database. A missing file is made for `"write"` only; it counts as an empty
 * database for `"look"` and `"revert"`, and is an error for `"read"`.
 */
export type Access = "look" | "read" | "revert" | "write";

/** Runs `use` with the migrator of the configured database, and closes it afterwards. */
export async function withMigrator<T>(
  invocation: Invocation,
  access: Access,
  use: (migrator: Migrator, config: Config) => Promise<T>,
  hooks: Pick<MigratorOptions, "beforeDestructive"> = {},
): Promise<T> {
  const config = await loadSettings(invocation);
  const catalog = await loadCatalog(config);
  const { createMigrator } = await import("../../migrate/run.ts");
  // A misspelt folder must not leave an empty database behind.
  if (access === "write") await listFolder(config.migrations.directory);
  await using store = await openStore(await seenAs(config, access), {
    readOnly: false,
  });
  using line = new ProgressLine(invocation.terminal);
  const migrator = createMigrator({
    store,
    directory: config.migrations.directory,
    batchSize: config.migrations.batchSize,
    timeoutMs: config.migrations.timeout,
    latencyBudgetMs: config.migrations.latencyBudget,
    onProgress: (progress) => line.show(stateOf(progress)),
    ...(catalog === undefined ? {} : { catalog }),
    ...hooks,
  });
  return await use(migrator, config);
}

/** To look at a database, or to rehearse, must not make its file. */
async function seenAs(config: Config, access: Access): Promise<Config> {
  if (access === "write") return config;
  const { parseLocation } = await import("../../sqlite/location.ts");
  const location = parseLocation(config.database.url);
  if (location.kind === "file" && existsSync(location.path)) {
    if (access === "revert") return config;
    return { ...config, database: { ...config.database, readOnly: true } };
  }
  if (access === "read" && location.kind === "file") throw missing(location.path);
  return { ...config, database: { ...config.database, url: "sqlite::memory:", readOnly: false } };
}

function missing(path: string): SpringhouseError {
  const message =
    `The database file ${path} does not exist. Run: npx springhouse migrate up. It makes the ` +
    "file. Or give the right place with --url or database.url.";
  return new SpringhouseError("UNOPENABLE", message, { fields: { path } });
}

function stateOf(progress: MigrationProgress): Parameters<ProgressLine["show"]>[0] {
  const label = labelOf(progress);
  if (progress.phase === "schema") {
    const { migrationsDone, migrationsTotal } = progress;
    return { label, done: migrationsDone, total: migrationsTotal, unit: "migrations" };
  }
  return {
    label: `${label} ${progress.step ?? "data"}`,
    done: progress.rows ?? 0,
    total: progress.rowsTotal,
    unit: "rows",
    perSecond: progress.rowsPerSecond,
    etaMs: progress.etaMs,
  };
}

/** What a run did, a line for each backup and each migration. */
export function describeRun(run: MigrationRun, backups: readonly string[]): string {
  const { direction, migrations, version, ms } = run;
  const verb = direction === "up" ? "applied" : "reverted";
  if (migrations.length === 0) return `Nothing to do: the database is at version ${version}.`;
  const made = backups.map((name) => `made and verified ${name}`);
  const lines = migrations.map((migration) => {
    const rows = migration.rows > 0 ? `, ${migration.rows.toLocaleString("en")} rows` : "";
    return `${verb} ${labelOf(migration)} (${formatDuration(migration.ms)}${rows})`;
  });
  const count = migrations.length === 1 ? "1 migration" : `${migrations.length} migrations`;
  const seconds = (ms / 1_000).toFixed(3);
  const summary = `Migrations completed in ${seconds}s: ${count}, version ${version}.`;
  return [...made, ...lines, summary].join("\n");
}
