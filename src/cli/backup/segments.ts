/** `springhouse backup segments`: which moments can be restored. */

import type { GenerationReport } from "../../backup/segments/check.ts";
import { formatBytes } from "../../core/bytes.ts";
import { type CommandDefinition, isGiven } from "../command.ts";
import { loadSettings } from "../settings.ts";
import { formatTable } from "../table.ts";
import { backupKeyOf, END_UNKNOWN, segmentsPlaceOf } from "./settings.ts";

export const backupSegments: CommandDefinition = {
  name: "backup segments",
  summary: "List the moments that can be restored; 1 when a segment is missing or damaged",
  options: [{ flags: "--read", doc: "read and prove every segment, not only the names" }],
  examples: ["springhouse backup segments", "springhouse backup segments --read --json"],
  async run(invocation) {
    const config = await loadSettings(invocation);
    const { checkSegments } = await import("../../backup/segments/check.ts");
    const from = segmentsPlaceOf(config);
    const generations = await checkSegments({
      from,
      read: isGiven(invocation, "read"),
      key: await backupKeyOf(config),
      signal: invocation.terminal.signal,
    });
    const ok = generations.every(({ problem }) => problem === undefined);
    const text = generations.length === 0 ? `No segments in ${from}.` : table(generations);
    return { ok, data: { place: from, generations }, text };
  },
};

function table(generations: readonly GenerationReport[]): string {
  const columns = [
    { title: "from" },
    { title: "to" },
    { title: "transactions", align: "right" },
    { title: "files", align: "right" },
    { title: "size", align: "right" },
    { title: "" },
  ] as const;
  const rows = generations.map(({ fromMs, toMs, transactions, files, bytes, problem }) => [
    timeText(fromMs),
    timeText(toMs),
    transactions.toLocaleString("en"),
    files.toLocaleString("en"),
    formatBytes(bytes),
    problem === undefined ? "" : "DAMAGED",
  ]);
  const problems = generations.flatMap(({ problem }) => (problem === undefined ? [] : [problem]));
  const known = generations.at(-1)?.isEndKnown === true ? [] : [END_UNKNOWN];
  return [formatTable(columns, rows), ...problems, ...known].join("\n");
}

function timeText(ms: number | undefined): string {
  return ms === undefined ? "nothing" : new Date(ms).toISOString();
}
