/** The commands that keep, move and show data; `cli.ts` turns words into calls of these. */

import { existsSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { SpringhouseError } from "springhouse";
import { count, Progress, sizeText, timeText } from "../common/progress.ts";
import { type Cell, list, table } from "../common/table.ts";
import { currentBackend, deleteExpired, switchTo, tasksAt } from "./application.ts";
import { type Context, type Outcome, withBackend } from "./command.ts";
import { exportFolder } from "./export.ts";
import { type GeneratedProject, generateFolder } from "./generate/folder.ts";
import { archivedIssues, hasArchive, madeIssues, PROJECTS } from "./generate/issues.ts";
import { LegacyFolder, type LegacyProblem } from "./legacy/folder.ts";
import { type MigrationReport, migrateFolder } from "./migrate/migrate.ts";
import { momentOf } from "./moments.ts";
import { databasePath } from "./places.ts";

/** Of what was left out; `--json` has all. */
const PROBLEMS_SHOWN = 20;

/** Takes the old files over into the database. */
export async function runMigrate(
  context: Context,
  flags: { readonly dryRun?: true; readonly skipBad?: true },
): Promise<Outcome> {
  const { root, signal } = context;
  const folder = new LegacyFolder(root, () => undefined);
  if (!folder.isThere && !existsSync(databasePath(root))) {
    const message = `There are no profiles in ${resolve(root)}. Name the application with --root.`;
    throw new SpringhouseError("NOT_FOUND", message, { fields: { path: root } });
  }
  const report = await new Progress(context.stderr).during(`Migrating ${root}`, (onProgress) =>
    migrateFolder(root, { ...flags, signal, onProgress }),
  );
  return { ok: report.refused.length === 0, data: report, text: migrationText(report) };
}

/** All profiles with their queries, and which are in use. */
export async function runProfiles(context: Context): Promise<Outcome> {
  return await withBackend(context, async () => {
    const { profiles, queries, state } = currentBackend();
    const selection = await state.selection();
    const found = [];
    const rows: Cell[][] = [];
    for (const profile of await profiles.list()) {
      const all = await queries.list(profile.id);
      const isActive = profile.id === selection.profileId;
      found.push({ id: profile.id, name: profile.name, lastUsed: profile.lastUsed, isActive });
      for (const query of all.length === 0 ? [undefined] : all) {
        const inUse = isActive && query?.id === (selection.queryId ?? undefined);
        const mark = inUse ? "in use" : "";
        rows.push([
          profile.id,
          profile.name,
          query?.id ?? "",
          query?.name ?? "",
          query?.jql ?? "",
          mark,
        ]);
      }
    }
    const tasks = await tasksAt(momentOf(context.nowMs()));
    const heads = ["profile", "name", "query", "name", "search", ""];
    const text = table("Profiles", heads, rows) + tasksText(tasks);
    return { ok: true, data: { selection, profiles: found, tasks }, text };
  });
}

/** Uses another profile and query. */
export async function runSwitch(
  context: Context,
  profileId: string,
  queryId: string | undefined,
): Promise<Outcome> {
  return await withBackend(context, async () => {
    await switchTo(profileId, queryId, momentOf(context.nowMs()));
    const selection = await currentBackend().state.selection();
    const text = `In use: profile ${selection.profileId}, query ${selection.queryId ?? "(none)"}\n`;
    return { ok: true, data: selection, text };
  });
}

/** Writes everything as the old application had it, without tokens. */
export async function runExport(context: Context, folder: string): Promise<Outcome> {
  return await withBackend(context, async () => {
    const report = await exportFolder(currentBackend(), folder);
    const { profiles, queries, issues } = report;
    const what = `${profiles} profiles, ${queries} queries and ${count(issues)} issues`;
    const text = `${what} to ${folder}\n`;
    return { ok: true, data: report, text };
  });
}

/** Removes answers of JIRA that have expired. */
export async function runCleanUp(context: Context): Promise<Outcome> {
  return await withBackend(context, async () => {
    const removed = await deleteExpired(momentOf(context.nowMs()));
    const { caches, changelogs } = removed;
    const text = `Removed: ${count(caches)} answers and ${count(changelogs)} changelogs\n`;
    return { ok: true, data: removed, text };
  });
}

/** Builds a folder as the old application had it, out of real or made issues. */
export async function runGenerate(
  { root, stderr }: Context,
  flags: { readonly data: string; readonly projects?: readonly string[] },
): Promise<Outcome> {
  if (new LegacyFolder(root, () => undefined).isThere) {
    throw new SpringhouseError(
      "USAGE",
      `There are profiles in ${root} already. Give another --root.`,
    );
  }
  const isReal = hasArchive(flags.data);
  const wanted = flags.projects ?? ["ALOY"];
  const unknown = wanted.find((name) => !PROJECTS.includes(name));
  if (unknown !== undefined) {
    throw new SpringhouseError("USAGE", `There is no project ${unknown}: ${PROJECTS.join(", ")}.`);
  }
  const projects = wanted.map((name): GeneratedProject => {
    const issues = isReal ? archivedIssues(flags.data, name) : madeIssues(name);
    // A token that opens nothing, to see that it goes nowhere.
    const token = `token-of-${name.toLowerCase()}`;
    return { id: name.toLowerCase(), name, jql: `project = ${name}`, issues, token };
  });
  const issues = await new Progress(stderr).during(`Building ${root}`, () =>
    generateFolder(root, projects),
  );
  const source = isReal ? "of the archive" : "made, since the archive is not there";
  const text = `${count(issues)} issues (${source}) in ${root}\n`;
  return { ok: true, data: { root, issues, isReal }, text };
}

function tasksText(tasks: Awaited<ReturnType<typeof tasksAt>>): string {
  if (tasks.length === 0) return "";
  const rows = tasks.map(({ name, status, percent, message }): Cell[] => [
    name,
    status,
    percent,
    message,
  ]);
  return `\n${table("Tasks", ["task", "status", "%", "message"], rows)}`;
}

function migrationText(report: MigrationReport): string {
  const { status, database, tables, refused, notes, tokens, backup } = report;
  if (status === "already") return `${database} is complete: nothing to do.\n`;
  const rows = Object.entries(tables).map(([name, n]): Cell[] => [name, n]);
  const done = status === "rehearsed" ? "Would be migrated into" : "Migrated into";
  const facts: (readonly [string, Cell])[] = [
    ["files read", `${report.files}, ${sizeText(report.bytesRead)}`],
    ["time", timeText(report.ms)],
  ];
  if (report.resumedItems > 0)
    facts.push(["done by an earlier run", `${count(report.resumedItems)} items`]);
  if (backup !== null) facts.push(["copies of the files", backup]);
  if (status === "migrated") facts.push(["size", sizeText(statSync(database).size)]);
  if (tokens.length > 0) facts.push(["tokens, now in secrets.json", tokens.join(", ")]);
  return [
    table(`${done} ${database}`, ["table", "rows"], rows),
    list("", facts).trimStart(),
    ...notes.map((note) => `Note: ${note}\n`),
    refusedText(refused),
  ].join("");
}

function refusedText(refused: readonly LegacyProblem[]): string {
  if (refused.length === 0) return "";
  const rows = refused
    .slice(0, PROBLEMS_SHOWN)
    .map(({ file, line, reason }): Cell[] => [file, line, reason]);
  return table(`Left out (${count(refused.length)})`, ["file", "line", "reason"], rows);
}
