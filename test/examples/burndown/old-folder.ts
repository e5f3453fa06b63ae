/** A folder of the old application that has one of everything, and what a backend keeps of it. */

import type { PersistenceBackend } from "../../../examples/burndown/backend/backend.ts";
import { openSqliteBackend } from "../../../examples/burndown/backend/sqlite-backend.ts";
import { databasePath } from "../../../examples/burndown/places.ts";
import { NOW, temporaryFolder, writeFiles } from "./support.ts";

export const ISSUE = {
  id: "1",
  key: "ALOY-1",
  fields: { summary: "a", created: NOW, resolutiondate: null },
};
export const HISTORY = {
  id: "10",
  created: "2025-12-01T00:00:00.000+0000",
  items: [{ field: "status", fromString: "Open", toString: "Closed", to: "6" }],
};
export const MAIN = "profiles/p_1/queries/main";

/** One profile with a query that has everything, as version 2.4 left it. */
export const FILES: Readonly<Record<string, unknown>> = {
  "profiles/profiles.json": {
    version: "3.0",
    active_profile_id: "p_1",
    active_query_id: "main",
    profiles: { p_1: { name: "Team" } },
    last_report: "weekly.html",
  },
  "profiles/p_1/profile.json": {
    name: "Team",
    created_at: NOW,
    jira_config: { base_url: "https://j", token: "s3cret-token", points_field: "cf_1" },
    show_points: ["show"],
  },
  [`${MAIN}/query.json`]: { name: "All", jql: "project = ALOY", created_at: NOW },
  [`${MAIN}/jira_cache.json`]: {
    cache_version: "2.0",
    timestamp: NOW,
    jql_query: "project = ALOY",
    fields_requested: "key,summary",
    issues: [ISSUE, { ...ISSUE, id: "2", key: "ALOY-2", fields: { ...ISSUE.fields, cf_1: 3 } }],
    total_issues: 2,
    changed_keys: ["ALOY-2"],
  },
  [`${MAIN}/jira_changelog_cache.json`]: {
    "ALOY-1": { key: "ALOY-1", fields: { created: NOW }, changelog: { histories: [HISTORY] } },
    "ALOY-2": { key: "ALOY-2", fields: {}, changelog: { histories: [], total: 0 } },
  },
  [`${MAIN}/project_data.json`]: {
    project_scope: { total_items: 2, remaining_items: 1 },
    statistics: [{ date: "2025-12-01", completed_items: 1 }],
    metadata: { version: "2.0", last_updated: NOW },
  },
  [`${MAIN}/metrics_snapshots.json`]: { "2025-44": { flow_load: { wip: 1, timestamp: NOW } } },
  "task_progress.json": { task_name: "Update", status: "complete", percent: 100, start_time: NOW },
  "cache/0123.json": { metadata: { timestamp: NOW, cache_key: "k", config_hash: "c" }, data: [1] },
};

/** A folder with these files, some of them others. */
export function folderOf(
  changed: Readonly<Record<string, unknown>> = {},
): Disposable & { path: string } {
  const folder = temporaryFolder();
  writeFiles(folder.path, { ...FILES, ...changed });
  return folder;
}

/** Everything that a backend keeps of the query. */
export async function everythingOf(backend: PersistenceBackend): Promise<unknown> {
  return {
    profiles: await backend.profiles.list(),
    queries: await backend.queries.list("p_1"),
    selection: await backend.state.selection(),
    report: await backend.state.get("last_report"),
    caches: await backend.caches.list("p_1", "main"),
    issues: await backend.caches.issues("p_1", "main"),
    changelogs: await backend.changelogs.list("p_1", "main"),
    project: await backend.projects.get("p_1", "main"),
    points: await backend.snapshots.list("p_1", "main"),
    tasks: await backend.tasks.list(),
    calculations: await backend.calculations.list(),
  };
}

/** What a migrated folder keeps. */
export async function migratedOf(root: string): Promise<unknown> {
  const backend = await openSqliteBackend(databasePath(root));
  try {
    return await everythingOf(backend);
  } finally {
    await backend.close();
  }
}
