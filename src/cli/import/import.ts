/** `springhouse import`: files of JSON or CSV into tables of the configured database. */

import { basename, resolve } from "node:path";
import type { Config } from "../../config/config.ts";
import { formatBytes } from "../../core/bytes.ts";
import { formatDuration } from "../../core/duration.ts";
import { printable } from "../../core/shown.ts";
import type { InferredTable } from "../../migrate/import/infer.ts";
import type { ImportProgress, ImportReport, ImportSettings } from "../../migrate/import/options.ts";
import type { ImportFormat } from "../../migrate/import/source.ts";
import {
  type CommandDefinition,
  countOf,
  type Invocation,
  isGiven,
  type Outcome,
  textOf,
  usageError,
} from "../command.ts";
import { ProgressLine } from "../progress.ts";
import { loadSettings } from "../settings.ts";
import { formatTable } from "../table.ts";
import { loadMapping } from "./mapping.ts";

/** Lines of rejects; the file has all. */
const REJECTS_SHOWN = 5;

export const importCommand: CommandDefinition = {
  name: "import",
  summary: "Import JSON or CSV, whole or not at all; 1 when items were rejected",
  arguments: [{ name: "<sources...>", doc: "files, or folders with files" }],
  options: [
    { flags: "--into <table>", doc: "the table; default: the name of the first source" },
    { flags: "--map <file>", doc: "a TypeScript module with a mapping, instead of --into" },
    { flags: "--key <columns>", doc: "columns that tell rows apart, with commas between" },
    {
      flags: "--format <format>",
      doc: "array, map, ndjson, csv or document; default: by the file",
    },
    { flags: "--at <path>", doc: "where the list is inside each file: issues" },
    { flags: "--sample <items>", doc: "items looked at to find the columns (1000)", count: true },
    { flags: "--rejects <file>", doc: "where rejected items are listed" },
    { flags: "--max-rejects <items>", doc: "more of them end the import (1000)", count: true },
    { flags: "--backups <folder>", doc: "where the files are copied to first" },
    { flags: "--no-backup", doc: "copy nothing" },
    { flags: "--again", doc: "import also what was imported before and has not changed" },
    { flags: "--dry-run", doc: "do everything, and take it back: nothing stays" },
  ],
  examples: [
    "springhouse import issues.jsonl.gz --into issues --dry-run",
    "springhouse import people.csv --into people --key email",
    "springhouse import profiles --map ./import-profiles.ts",
  ],
  async run(invocation) {
    const config = await loadSettings(invocation);
    const settings = await settingsOf(invocation, config);
    using line = new ProgressLine(invocation.terminal);
    const options = {
      ...settings,
      onProgress: (state: ImportProgress) => line.show(shownAs(state)),
    };
    const map = textOf(invocation, "map");
    if (map !== undefined) {
      refuseBeside(invocation, "map", ["into", "key", "sample"]);
      const { importFiles } = await import("../../migrate/import/import.ts");
      const mapping = await loadMapping(resolve(invocation.terminal.cwd, map));
      return outcomeOf(await importFiles({ ...options, ...mapping }), undefined);
    }
    const { importTable } = await import("../../migrate/import/import-table.ts");
    const key = textOf(invocation, "key")?.split(",");
    const sampleItems = countOf(invocation, "sample");
    if (sampleItems === 0) throw usageError("--sample 0 finds no columns. Give at least 1.");
    const { inferred, ...report } = await importTable({
      ...options,
      table: textOf(invocation, "into") ?? tableName(invocation.words[0] ?? ""),
      ...(key !== undefined && { key }),
      ...(sampleItems !== undefined && { sampleItems }),
    });
    return outcomeOf(report, inferred);
  },
};

async function settingsOf(invocation: Invocation, config: Config): Promise<ImportSettings> {
  const { parseLocation } = await import("../../sqlite/location.ts");
  const location = parseLocation(config.database.url);
  if (location.kind !== "file") throw usageError("An import needs a database file, see --url.");
  const { cwd, signal, clock } = invocation.terminal;
  const within = (path: string | undefined): string | undefined =>
    path === undefined ? undefined : resolve(cwd, path);
  const format = textOf(invocation, "format") as ImportFormat | undefined;
  const at = textOf(invocation, "at");
  const rejectsFile = within(textOf(invocation, "rejects"));
  const rejectsMax = countOf(invocation, "maxRejects");
  const folder = within(textOf(invocation, "backups")) ?? config.backup.directory;
  return {
    target: location.path,
    sources: invocation.words.map((path) => ({
      path: resolve(cwd, path),
      ...(format !== undefined && { format }),
      ...(at !== undefined && { at }),
    })),
    backupDirectory: invocation.options["backup"] === false ? false : folder,
    busyTimeoutMs: config.database.busyTimeout,
    dryRun: isGiven(invocation, "dryRun"),
    again: isGiven(invocation, "again"),
    signal,
    clock,
    ...(rejectsFile !== undefined && { rejectsFile }),
    ...(rejectsMax !== undefined && { rejectsMax }),
  };
}

function refuseBeside(invocation: Invocation, option: string, others: readonly string[]): void {
  const other = others.find((name) => invocation.options[name] !== undefined);
  if (other === undefined) return;
  throw usageError(`--${option} and --${other} exclude each other: the mapping says all that.`);
}

/** "data/Open issues.jsonl.gz" becomes "Open_issues". */
function tableName(path: string): string {
  const [name = ""] = basename(path).split(".");
  return name.replaceAll(/[^\p{L}\p{N}_]+/gu, "_") || "imported";
}

function shownAs(progress: ImportProgress): Parameters<ProgressLine["show"]>[0] {
  const { phase, bytesDone, bytesTotal } = progress;
  const labels = { copy: "copying", read: "importing", verify: "comparing", land: "landing" };
  const megabyte = 1_048_576;
  return {
    label: labels[phase],
    done: Math.round(bytesDone / megabyte),
    total: Math.round(bytesTotal / megabyte),
    unit: "MB",
  };
}

function outcomeOf(report: ImportReport, inferred: InferredTable | undefined): Outcome {
  const data = { ...report, ...(inferred !== undefined && { inferred }) };
  const parts = [
    ...(inferred === undefined ? [] : [describeColumns(inferred, report.files), ""]),
    ...(report.tables.length === 0 ? [] : [describeTables(report), ""]),
    ...report.rejects.slice(0, REJECTS_SHOWN).map(describeReject),
    ...(report.rejectsFile === undefined ? [] : [`All rejects: ${report.rejectsFile}`]),
    describeEnd(report),
  ];
  return { ok: report.rejected === 0, data, text: parts.join("\n") };
}

function describeColumns({ columns, key, sampled }: InferredTable, files: number): string {
  const rows = columns.map(({ name, type, nulls, example }) => [
    printable(key.includes(name) ? `${name} (key)` : name),
    type,
    nulls === 0 ? "" : count(nulls),
    printable(example),
  ]);
  const titles = [{ title: "column" }, { title: "type" }, NULLS, { title: "example" }];
  const of = files === 1 ? "" : `, the first ones of each of ${count(files)} files`;
  return `${formatTable(titles, rows)}\nFrom a sample of ${count(sampled)} items${of}.`;
}

const NULLS = { title: "nulls", align: "right" } as const;

function describeTables({ tables }: ImportReport): string {
  const right = ["rows", "inserted", "updated", "unchanged"] as const;
  return formatTable(
    [
      { title: "table" },
      ...right.map((title) => ({ title, align: "right" as const })),
      { title: "hash" },
    ],
    tables.map((table) => [table.table, ...right.map((name) => count(table[name])), table.hash]),
  );
}

function describeReject({ file, line, reason }: ImportReport["rejects"][number]): string {
  return printable(`rejected ${file}:${line} ${reason}`);
}

function describeEnd(report: ImportReport): string {
  const { status, target, items, rejected, resumedItems, files, bytes, backup, ms } = report;
  if (status === "unchanged") {
    return "Nothing to do: the same was imported before. With --again it is imported again.";
  }
  const resumed = resumedItems > 0 ? `, ${count(resumedItems)} of them by an earlier run` : "";
  const sources = `${count(files)} ${files === 1 ? "file" : "files"} (${formatBytes(bytes)})`;
  const done = status === "rehearsed" ? "Rehearsed" : "Imported";
  const left = status === "rehearsed" ? " The database was not changed." : "";
  const copies = backup === undefined ? "" : `\nCopies: ${backup}`;
  return (
    `${done} ${count(items - rejected)} of ${count(items)} items${resumed} from ${sources} into ` +
    `${target} in ${formatDuration(Math.round(ms))}.${left}${copies}`
  );
}

function count(value: number): string {
  return value.toLocaleString("en");
}
