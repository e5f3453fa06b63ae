/** `springhouse backup prune`: removes the backups that no rule keeps. */

import type { PruneReport } from "../../backup/prune.ts";
import { formatBytes } from "../../core/bytes.ts";
import { type CommandDefinition, countOf, isGiven } from "../command.ts";
import { confirm } from "../migrate/confirm.ts";
import { loadSettings } from "../settings.ts";
import { formatTable } from "../table.ts";
import { isPostgres } from "./postgres.ts";

export const backupPrune: CommandDefinition = {
  name: "backup prune",
  summary: "Remove the backups that no rule keeps",
  options: [
    { flags: "--keep-last <count>", doc: "instead of backup.keepLast", count: true },
    { flags: "--dry-run", doc: "say what would be removed, and why the rest is kept" },
    { flags: "--yes", doc: "agree" },
  ],
  examples: ["springhouse backup prune --dry-run", "springhouse backup prune --keep-last 10 --yes"],
  async run(invocation) {
    const config = await loadSettings(invocation);
    const { backup } = config;
    const { directory, keepDaily, keepWeekly, keepMonthly, keepYearly } = backup;
    const keepLast = countOf(invocation, "keepLast") ?? backup.keepLast;
    const prune = isPostgres(config.database.url)
      ? (await import("../../backup/postgres-retention.ts")).prunePostgresDumps
      : (await import("../../backup/prune.ts")).pruneBackups;
    const { clock, signal } = invocation.terminal;
    const rules = { keepLast, keepDaily, keepWeekly, keepMonthly, keepYearly };
    const options = { directory, ...rules, clock, signal };
    const plan = await prune({ ...options, dryRun: true });
    if (isGiven(invocation, "dryRun") || plan.removed.length === 0) {
      return { ok: true, data: { ...plan }, text: describe(plan) };
    }
    await confirm(invocation, `This removes ${plan.removed.join(", ")}.`);
    const report = await prune(options);
    return { ok: true, data: { ...report }, text: describe(report) };
  },
};

function describe({ dryRun, decisions, removed, freedBytes }: PruneReport): string {
  const rows = decisions.map(({ name, action, reasons }) => [name, action, reasons.join(", ")]);
  const table = formatTable([{ title: "backup" }, { title: "" }, { title: "why" }], rows);
  const verb = dryRun ? "would remove" : "removed";
  const count = removed.length === 1 ? "1 backup" : `${removed.length} backups`;
  return `${table}\n${verb} ${count}, ${formatBytes(freedBytes)}`;
}
