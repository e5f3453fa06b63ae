/** `springhouse health`: how a database is, as far as another process can see it. */

import { styleText } from "node:util";
import type { Config } from "../config/config.ts";
import { abortable } from "../core/abort.ts";
import { isSpringhouseError } from "../core/errors.ts";
import type { HealthCheck, HealthReport, HealthStatus } from "../health/report.ts";
import type { SqliteStore } from "../store/sqlite/store.ts";
import { type CommandDefinition, type Invocation, isGiven, usageError } from "./command.ts";
import { loadSettings, openStore } from "./settings.ts";
import { formatTable } from "./table.ts";

/** What stands in files. Queues, caches and the event loop belong to the program that runs. */
const SEEN_FROM_OUTSIDE = [
  "connection",
  "disk",
  "write-ahead log",
  "backups",
  "integrity",
  "tables",
];
const REST = "Queues, caches and the event loop: ask the program itself, by /readyz and /metrics.";

export const health: CommandDefinition = {
  name: "health",
  summary: "Look at the health of the database; 1 when it is unhealthy",
  options: [
    { flags: "--strict", doc: "1 for warnings, too" },
    {
      flags: "--quick-check",
      doc: "read all pages first, and note in the database that it was done",
    },
  ],
  examples: [
    "springhouse health",
    "springhouse health --strict --json",
    "springhouse health --quick-check",
  ],
  async run(invocation) {
    const config = await loadSettings(invocation);
    const { parseLocation } = await import("../sqlite/location.ts");
    if (parseLocation(config.database.url).kind === "temporary") {
      throw usageError("health: a database in memory is private to its process. Give --url.");
    }
    const report = await examine(config, invocation);
    const ok = isGiven(invocation, "strict")
      ? report.status === "healthy"
      : report.status !== "unhealthy";
    const { status, ready, timestamp, checks } = report;
    const text = render(report, invocation.terminal.color);
    return { ok, data: { status, ready, timestamp, checks }, text };
  },
};

type Seen = Omit<HealthReport, "counters">;

/** A database that cannot be opened is as unhealthy as one can be. */
async function examine(config: Config, invocation: Invocation): Promise<Seen> {
  const { clock, signal } = invocation.terminal;
  const isChecked = isGiven(invocation, "quickCheck");
  try {
    await using store = await openInTime(config, { readOnly: !isChecked }, signal);
    const { createHealth } = await import("../health/health.ts");
    const { enabled, directory } = config.backup;
    const backups = enabled ? directory : undefined;
    const options = { ...config.monitoring, database: store, backups, eventLoop: false };
    await using looking = createHealth(options, { clock });
    if (isChecked) await looking.quickCheck({ signal });
    const { checks, ...report } = await looking.check({ signal });
    return { ...report, checks: checks.filter(({ name }) => SEEN_FROM_OUTSIDE.includes(name)) };
  } catch (error) {
    if (!isSpringhouseError(error) || error.code === "ABORTED") throw error;
    const found = `${error.code}: ${error.message}`;
    return {
      status: "unhealthy",
      ready: false,
      timestamp: new Date(clock.nowMs()).toISOString(),
      checks: [{ name: "connection", status: "unhealthy", found }],
    };
  }
}

/**
 * Opens the database, for no longer than a check may take: what another process holds all the time
 * is as bad as what does not answer.
 */
async function openInTime(
  config: Config,
  access: { readonly readOnly: boolean },
  signal: AbortSignal,
): Promise<SqliteStore> {
  const { parseDurationMs } = await import("../core/duration.ts");
  const { database, monitoring } = config;
  const timeouts = [database.busyTimeout, monitoring.checkTimeout];
  const busyTimeout = Math.min(...timeouts.map((each) => parseDurationMs(each, "health")));
  const opening = openStore({ ...config, database: { ...database, busyTimeout } }, access);
  try {
    return await abortable(opening, signal, "The look");
  } catch (error) {
    // Nobody waits for it any more; it may still open.
    void opening.then((store) => store.close()).catch(() => undefined);
    throw error;
  }
}

const SUMMARY = {
  healthy: "The database is healthy.",
  warning: "The database works, and something needs a look.",
  unhealthy: "The database is unhealthy.",
} as const;
const COLORS = { healthy: "green", warning: "yellow", unhealthy: "red" } as const;

function render({ status, checks }: Seen, color: boolean): string {
  const paint = (text: HealthStatus): string =>
    color ? styleText(COLORS[text], text, { validateStream: false }) : text;
  const table = formatTable(
    [{ title: "check" }, { title: "" }, { title: "found" }],
    checks.map((check) => [check.name, paint(check.status), check.found]),
  );
  const isAdvised = (check: HealthCheck): boolean => check.advice !== undefined;
  const advice = checks
    .filter(isAdvised)
    .map((check) => `${check.status} ${check.name}: ${check.advice}`);
  const lines = [table, "", ...advice, ...(advice.length > 0 ? [""] : [])];
  return [...lines, SUMMARY[status], REST].join("\n");
}
