/**
 * Builds a folder as version 2.4 of the old application left it, out of issues.
 *
 * No archive has what the application computed or asked for beside the issues, so that is derived:
 * changelogs from the dates of creation and resolution and the status, weekly statistics and
 * metrics from the same dates. Nothing of it depends on the time at which it is made.
 */

import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { factOf } from "../backend/rows.ts";
import { projectOfIssues, weeksOfIssues } from "../figures.ts";
import { isObject } from "../json-reader.ts";
import { writeProjectData } from "../legacy/project-data.ts";
import type { IssueFact, JsonObject } from "../model.ts";
import { momentOf, msOf } from "../moments.ts";

/** The archive ends in October 2021. */
const WRITTEN_AT = "2021-10-28T06:00:00.000Z";
/** As many as the plan reckons with. */
const SNAPSHOT_WEEKS = 100;
const POINTS_FIELD = "customfield_10002";
const FIELDS = "key,summary,status,issuetype,created,updated,resolutiondate,priority,fixVersions";

/** One project of a folder: a profile with a query for all of it. */
export interface GeneratedProject {
  readonly id: string;
  readonly name: string;
  readonly jql: string;
  readonly issues: AsyncIterable<JsonObject> | Iterable<JsonObject>;
  /** Goes into `profile.json`, as the old application had it. Default: none. */
  readonly token?: string;
}

/** Writes the folder; how many issues it has. */
export async function generateFolder(
  root: string,
  projects: readonly GeneratedProject[],
): Promise<number> {
  let issues = 0;
  for (const project of projects) issues += await writeProject(root, project);
  const [first] = projects;
  await writeJson(root, "profiles/profiles.json", {
    version: "3.0",
    active_profile_id: first?.id ?? null,
    active_query_id: "main",
    profiles: Object.fromEntries(projects.map((project) => [project.id, profileOf(project)])),
  });
  await writeJson(root, "task_progress.json", {
    task_id: "update_data",
    task_name: "Update Data",
    status: "complete",
    start_time: "2021-10-28T05:59:00.123456",
    percent: 100,
    message: "Task completed",
    cancelled: false,
  });
  return issues;
}

async function writeProject(root: string, project: GeneratedProject): Promise<number> {
  const { id, name, jql } = project;
  const folder = `profiles/${id}/queries/main`;
  const profile = profileOf(project);
  const connection = { ...(profile["jira_config"] as JsonObject), token: project.token ?? "" };
  await writeJson(root, `profiles/${id}/profile.json`, { ...profile, jira_config: connection });
  const created_at = WRITTEN_AT;
  await writeJson(root, `${folder}/query.json`, {
    name: `All of ${name}`,
    jql,
    description: "",
    created_at,
  });

  const facts: IssueFact[] = [];
  const changelogs: [string, JsonObject][] = [];
  await writeLines(root, `${folder}/jira_cache.json`, async function* () {
    const head = JSON.stringify({
      cache_version: "2.0",
      timestamp: WRITTEN_AT,
      jql_query: jql,
      fields_requested: FIELDS,
    });
    yield `${head.slice(0, -1)},\n"issues": [`;
    for await (const issue of project.issues) {
      yield `${facts.length === 0 ? "" : ","}\n${JSON.stringify(issue)}`;
      facts.push(factOf(issue, POINTS_FIELD));
      changelogs.push([String(issue["key"]), changelogOf(issue)]);
    }
    const hash = createHash("sha256").update(jql).digest("hex").slice(0, 16);
    const tail = { total_issues: facts.length, last_updated: WRITTEN_AT, jql_hash: hash };
    yield `\n],\n${JSON.stringify({ ...tail, changed_keys: [] }).slice(1)}\n`;
  });
  await writeLines(root, `${folder}/jira_changelog_cache.json`, function* () {
    yield "{";
    for (const [index, [key, log]] of changelogs.entries()) {
      yield `${index === 0 ? "" : ","}\n${JSON.stringify(key)}: ${JSON.stringify(log)}`;
    }
    yield "\n}\n";
  });
  const data = writeProjectData(projectOfIssues(facts, WRITTEN_AT));
  await writeJson(root, `${folder}/project_data.json`, data);
  await writeJson(root, `${folder}/metrics_snapshots.json`, snapshotsOf(facts));
  return facts.length;
}

/** A profile as the registry has it, without the token. */
function profileOf({ id, name }: GeneratedProject): JsonObject {
  return {
    id,
    name,
    description: "",
    created_at: "2021-10-01T08:00:00+00:00",
    last_used: WRITTEN_AT,
    jira_config: {
      base_url: "https://jira.example.com",
      api_version: "v2",
      points_field: POINTS_FIELD,
      cache_size_mb: 100,
      max_results_per_call: 100,
      configured: true,
    },
    field_mappings: { dora: {}, flow: { completed_date: "resolutiondate" } },
    forecast_settings: { pert_factor: 1.2, deadline: null, data_points_count: 12 },
    project_classification: {},
    flow_type_mappings: { Feature: ["Story", "New Feature"], Defect: ["Bug"] },
    queries: ["main"],
    // What a checkbox of Dash leaves behind.
    show_milestone: [],
    show_points: ["show"],
  };
}

/** The changes that an issue must have seen: begun, and done when it is done. */
function changelogOf(issue: JsonObject): JsonObject {
  const { created, updated, resolved, status } = factOf(issue, POINTS_FIELD);
  const fields = isObject(issue["fields"]) ? issue["fields"] : {};
  const kept = ["project", "fixVersions", "status", "issuetype", "created", "resolutiondate"];
  const histories: JsonObject[] = [];
  const add = (moment: string, items: readonly JsonObject[]): void => {
    histories.push({ id: String(histories.length + 1), created: moment, items });
  };
  if (created !== null && resolved !== null) {
    const begunMs = msOf(created) + (msOf(resolved) - msOf(created)) / 3;
    add(momentOf(Math.floor(begunMs)), [change("status", "Open", "In Progress")]);
    const resolution = isObject(fields["resolution"]) ? fields["resolution"]["name"] : "Done";
    add(resolved, [
      change("status", "In Progress", status),
      change("resolution", null, String(resolution)),
    ]);
  } else if (updated !== null && status !== null && status !== "Open") {
    add(updated, [change("status", "Open", status)]);
  }
  return {
    key: issue["key"],
    fields: Object.fromEntries(kept.map((name) => [name, fields[name] ?? null])),
    changelog: { histories, total: histories.length },
    last_updated: WRITTEN_AT,
  };
}

function change(field: string, from: string | null, to: string | null): JsonObject {
  return { field, fieldtype: "jira", fromString: from, toString: to };
}

function snapshotsOf(facts: readonly IssueFact[]): JsonObject {
  const timestamp = WRITTEN_AT;
  const weeks = weeksOfIssues(facts).slice(-SNAPSHOT_WEEKS);
  return Object.fromEntries(
    weeks.map(({ week, completedItems, remainingItems }) => [
      // The files of version 2.4 write weeks without the W.
      week.replace("W", ""),
      {
        flow_velocity: { completed_count: completedItems, timestamp },
        flow_load: { wip_count: remainingItems, timestamp },
      },
    ]),
  );
}

async function writeJson(root: string, file: string, value: unknown): Promise<void> {
  const path = join(root, file);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `${JSON.stringify(value, null, 2)}\n`);
}

async function writeLines(
  root: string,
  file: string,
  lines: () => AsyncIterable<string> | Iterable<string>,
): Promise<void> {
  const path = join(root, file);
  await mkdir(dirname(path), { recursive: true });
  await pipeline(lines, createWriteStream(path));
}
