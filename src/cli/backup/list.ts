/** `springhouse backup list`: what is in the folder of backups. */

import type { BackupEntry } from "../../backup/list.ts";
import { formatBytes } from "../../core/bytes.ts";
import { isOfFuture } from "../../core/clock.ts";
import type { CommandDefinition } from "../command.ts";
import { loadSettings } from "../settings.ts";
import { formatTable } from "../table.ts";
import { isPostgres, listDumps } from "./postgres.ts";

export const backupList: CommandDefinition = {
  name: "backup list",
  summary: "List the backups, the newest first; 1 when one is damaged",
  examples: ["springhouse backup list", "springhouse backup list --json"],
  async run(invocation) {
    const config = await loadSettings(invocation);
    if (isPostgres(config.database.url)) return await listDumps(config);
    const { directory } = config.backup;
    const { listBackups } = await import("../../backup/list.ts");
    const entries = await listBackups({ directory });
    const ok = entries.every(({ problem, verification }) => {
      return problem === undefined && verification?.ok !== false;
    });
    const data = { directory, backups: entries.map(withoutContent) };
    return {
      ok,
      data,
      text:
        entries.length === 0
          ? `No backups in ${directory}.`
          : table(entries, invocation.terminal.clock.nowMs()),
    };
  },
};

/** The digests of every table are of no use to a reader of a list. */
function withoutContent({ manifest, ...entry }: BackupEntry): object {
  const { kind, database } = manifest ?? {};
  return { ...entry, kind, database, encrypted: manifest?.data.encryption !== undefined };
}

function table(entries: readonly BackupEntry[], nowMs: number): string {
  const problems = entries.flatMap(({ name, problem, verification }) => {
    const text = problem ?? (verification?.ok === false ? verification.problem : undefined);
    return text === undefined ? [] : [`${name}: ${text}`];
  });
  const columns = [
    { title: "backup" },
    { title: "size", align: "right" },
    { title: "kind" },
    { title: "rows", align: "right" },
    { title: "verified" },
    { title: "" },
  ] as const;
  return [
    formatTable(
      columns,
      entries.map((entry) => cells(entry, nowMs)),
    ),
    ...problems,
  ].join("\n");
}

function cells(entry: BackupEntry, nowMs: number): readonly string[] {
  const { name, sizeBytes, createdAt, manifest, verification, pinned, problem } = entry;
  const rows = manifest?.content.tables.reduce((sum, each) => sum + each.rows, 0);
  const isEncrypted = manifest?.data.encryption !== undefined;
  const isBad = problem !== undefined || verification?.ok === false;
  const isFuture = createdAt !== undefined && isOfFuture(createdAt.getTime(), nowMs);
  const notes = [
    pinned ? "pinned" : "",
    isEncrypted ? "encrypted" : "",
    isFuture ? "of the future" : "",
  ];
  return [
    name,
    formatBytes(sizeBytes),
    manifest?.kind ?? "",
    rows?.toLocaleString("en") ?? "",
    isBad ? "DAMAGED" : (verification?.verifiedAt.slice(0, 16).replace("T", " ") ?? "never"),
    notes.filter(Boolean).join(" "),
  ];
}
