/** `springhouse doctor`: looks at everything that can be wrong, changes nothing. */

import { existsSync } from "node:fs";
import { styleText } from "node:util";
import type { Config } from "../config/config.ts";
import { SpringhouseError } from "../core/errors.ts";
import { redactUrl } from "../core/redact.ts";
import type { SqliteStore } from "../store/sqlite/store.ts";
import type { Store } from "../store/store.ts";
import type { CommandDefinition, Invocation } from "./command.ts";
import {
  type Check,
  checkEntities,
  checkFile,
  checkIntegrity,
  checkKeeping,
  checkNode,
  checkSqlite,
  checkTriggers,
} from "./doctor-checks.ts";
import { examineLog, type LoggedTable, renderLog } from "./doctor-coverage.ts";
import { loadCatalog, loadSettings, openStore } from "./settings.ts";
import { formatTable } from "./table.ts";

export const doctor: CommandDefinition = {
  name: "doctor",
  summary: "Check the engine, the configuration, the database and its migrations",
  examples: ["springhouse doctor", "springhouse doctor --url sqlite:app.db --json"],
  async run(invocation) {
    const checks: Check[] = [checkNode(process.versions.node), await checkSqlite()];
    let changeLog: readonly LoggedTable[] = [];
    const config = await attempt(checks, "configuration", () => loadSettings(invocation));
    if (config !== undefined) {
      const found = config.file ?? "defaults and environment";
      checks.push({ name: "configuration", status: "ok", found });
      changeLog = (await checkDatabase(checks, config, invocation)) ?? [];
    }
    const ok = checks.every(({ status }) => status !== "fail");
    const report = render(checks, invocation.terminal.color);
    const text = changeLog.length === 0 ? report : `${report}\n\n${renderLog(changeLog)}`;
    return { ok, data: { ok, checks, changeLog }, text };
  },
};

/** Gives how the tables are logged, if it comes to that. */
async function checkDatabase(
  checks: Check[],
  config: Config,
  invocation: Invocation,
): Promise<readonly LoggedTable[] | undefined> {
  const { parseLocation } = await import("../sqlite/location.ts");
  const location = await attempt(checks, "database", async () =>
    parseLocation(config.database.url),
  );
  if (location === undefined) return undefined;
  if (location.kind === "temporary") {
    const found = `${redactUrl(config.database.url)} is private to each process`;
    checks.push({ name: "database", status: "ok", found });
    return undefined;
  }
  const files = checkFile(location.path);
  checks.push(...files);
  if (files.some(({ name, status }) => name === "file" && status !== "ok")) return undefined;
  const store = await attempt(checks, "database", () => openStore(config, { readOnly: true }));
  if (store === undefined) return undefined;
  await using _closed = store;
  await checkContents(checks, store, config, invocation);
  const log = await attempt(checks, "change log", () => examineLog(store));
  if (log !== undefined) checks.push(log.check);
  return log?.tables;
}

async function checkContents(
  checks: Check[],
  store: SqliteStore,
  config: Config,
  { terminal: { signal } }: Invocation,
): Promise<void> {
  const catalog = await attempt(checks, "entities", () => loadCatalog(config));
  const add = async (name: string, run: () => Promise<readonly Check[]>): Promise<void> => {
    checks.push(...((await attempt(checks, name, run)) ?? []));
  };
  await add("file", async () => checkKeeping(await store.describe()));
  await add("triggers", async () => [await checkTriggers(store, catalog)]);
  if (catalog !== undefined) {
    await add("entities", async () => [
      await checkEntities(store, catalog, config.migrations.directory),
    ]);
  }
  await add("integrity", () => checkIntegrity(store, signal));
  await add("migrations", async () => [await checkMigrations(store, config)]);
}

async function checkMigrations(store: Store, config: Config): Promise<Check> {
  const name = "migrations";
  const { directory } = config.migrations;
  if (!existsSync(directory)) return missingFolder(store, directory);
  const { createMigrator } = await import("../migrate/run.ts");
  const migrator = createMigrator({ store, directory });
  const { version, upToDate, pending, migrations } = await migrator.status();
  if (upToDate) return { name, status: "ok", found: `version ${version}, none pending` };
  const wrong = migrations.filter(({ state }) => ["changed", "unknown", "skipped"].includes(state));
  if (wrong.length === 0) {
    const advice = "Run: npx springhouse migrate up.";
    return { name, status: "warn", found: `version ${version}, ${pending.length} pending`, advice };
  }
  const found = wrong.map((one) => `${one.version} ${one.name} is ${one.state}`).join("; ");
  return { name, status: "fail", found, advice: "Run: npx springhouse migrate verify." };
}

/** A database may do without migrations, but not one that has had some. */
async function missingFolder(store: Store, directory: string): Promise<Check> {
  const { readLedger } = await import("../migrate/ledger.ts");
  const { rows } = await readLedger(store);
  return {
    name: "migrations",
    status: rows.length === 0 ? "warn" : "fail",
    found: `the folder ${directory} does not exist`,
    advice:
      "Correct migrations.directory. Or run: npx springhouse migrate new <name>. It makes it.",
  };
}

/** An error is an answer here: it becomes a line of the report. */
async function attempt<T>(
  checks: Check[],
  name: string,
  run: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof SpringhouseError) || error.code === "ABORTED") throw error;
    checks.push({ name, status: "fail", found: error.code, advice: error.message });
    return undefined;
  }
}

const COLORS = { ok: "green", warn: "yellow", fail: "red" } as const;

function render(checks: readonly Check[], color: boolean): string {
  const table = formatTable(
    [{ title: "check" }, { title: "" }, { title: "found" }],
    checks.map(({ name, status, found }) => [
      name,
      color ? styleText(COLORS[status], status, { validateStream: false }) : status,
      found,
    ]),
  );
  const advice = checks
    .filter((check) => check.advice !== undefined)
    .map((check) => `${check.status} ${check.name}: ${check.advice}`);
  return [table, ...(advice.length > 0 ? ["", ...advice] : [])].join("\n");
}
