/**
 * The tables of a burndown application.
 *
 * `profiles`, `queries`, `app_state` and `task_progress` are the plan's own. Its other four tables
 * kept whole files as one text, where changing one issue rewrites all of them; here an issue is a
 * row, and so is a change of a field, a week and a metric. `views.ts` puts them together again
 * under the plan's names.
 *
 * Moments are texts of one form (`moments.ts`), as the plan has them; a CHECK holds every writer to
 * it, so that comparing texts is comparing moments. Queries are named by profile and id: two
 * profiles may both have a query "main".
 */

import { entity, t } from "springhouse";
import { METRIC_TYPES, TASK_STATUSES } from "./model.ts";

const id = t.text({ minLength: 1, maxLength: 200 });
const amount = t.real().default(0);
const object = t.json<Readonly<Record<string, unknown>>>();

/** The active profile and query, the version, and whether the old files were taken over. */
export const AppState = entity("app_state", {
  key: t.text({ minLength: 1 }).primaryKey(),
  value: t.text(),
});

export const ProfileTable = entity(
  "profiles",
  {
    id: id.primaryKey(),
    name: t.text({ minLength: 1 }).unique(),
    description: t.text().nullable(),
    createdAt: t.text(),
    lastUsed: t.text(),
    jiraConfig: object.default({}),
    fieldMappings: object.default({}),
    forecastSettings: object.default({}),
    projectClassification: object.default({}),
    flowTypeMappings: object.default({}),
    showMilestone: t.boolean().default(false),
    showPoints: t.boolean().default(false),
    extras: object.default({}),
  },
  {
    indexes: [{ on: [{ lastUsed: "desc" }], name: "idx_profiles_last_used" }],
    checks: [isMoment("created_at"), isMoment("last_used")],
  },
);

export const QueryTable = entity(
  "queries",
  {
    id,
    profileId: t.text().references("profiles.id", { onDelete: "cascade" }),
    name: t.text({ minLength: 1 }),
    jql: t.text(),
    description: t.text().nullable(),
    createdAt: t.text(),
    lastUsed: t.text(),
    extras: object.default({}),
  },
  {
    primaryKey: ["profileId", "id"],
    uniques: [{ on: ["profileId", "name"] }],
    indexes: [{ on: ["profileId", { lastUsed: "desc" }], name: "idx_queries_profile" }],
    checks: [isMoment("created_at"), isMoment("last_used")],
  },
);

const ofQuery = { profileId: t.text(), queryId: t.text() };
const queryKey = {
  on: ["profileId", "queryId"],
  references: { table: "queries", columns: ["profile_id", "id"] },
  onDelete: "cascade",
} as const;

/** An answer of JIRA without its issues. */
export const JiraResponse = entity(
  "jira_responses",
  {
    id: t.int().primaryKey(),
    ...ofQuery,
    cacheKey: t.text({ minLength: 1 }),
    envelope: object,
    expiresAt: t.text(),
    createdAt: t.text(),
  },
  {
    foreignKeys: [queryKey],
    indexes: [
      { on: ["expiresAt"], name: "idx_jira_cache_expiry" },
      // The plan had this index and a UNIQUE constraint that begins with the same columns.
      { on: ["profileId", "queryId", "cacheKey"], unique: true, name: "idx_jira_cache_query" },
    ],
    checks: [isMoment("expires_at"), isMoment("created_at")],
  },
);

/** An issue of an answer: what is asked for by SQL in columns, all of it as `document`. */
export const JiraIssue = entity(
  "jira_issues",
  {
    responseId: t.int().references("jira_responses.id", { onDelete: "cascade" }),
    /** Its place in the answer. */
    position: t.int({ min: 0 }),
    issueKey: t.text({ minLength: 1 }),
    summary: t.text().nullable(),
    issueType: t.text().nullable(),
    status: t.text().nullable(),
    /** "new", "indeterminate" or "done", whatever a status is called. */
    statusCategory: t.text().nullable(),
    priority: t.text().nullable(),
    points: t.real().nullable(),
    created: t.text().nullable(),
    updated: t.text().nullable(),
    resolved: t.text().nullable(),
    /** JSON as a text: real issues have NUL in their comments, which t.json() refuses. */
    document: t.text(),
  },
  {
    primaryKey: ["responseId", "position"],
    indexes: [{ on: ["issueKey"] }],
    checks: [
      isMoment("created"),
      isMoment("updated"),
      isMoment("resolved"),
      { name: "document_is_json", expression: "json_valid(document)" },
    ],
  },
);

/** What stands beside the changes of an issue. */
export const JiraChangelog = entity(
  "jira_changelogs",
  {
    ...ofQuery,
    issueKey: t.text({ minLength: 1 }),
    fields: object,
    expiresAt: t.text(),
    createdAt: t.text(),
  },
  {
    primaryKey: ["profileId", "queryId", "issueKey"],
    foreignKeys: [queryKey],
    indexes: [{ on: ["expiresAt"], name: "idx_changelog_expiry" }],
    checks: [isMoment("expires_at"), isMoment("created_at")],
  },
);

/** One field of an issue, changed. */
export const JiraChangelogEntry = entity(
  "jira_changelog_entries",
  {
    ...ofQuery,
    issueKey: t.text(),
    /** Its place in the changelog. */
    position: t.int({ min: 0 }),
    changeDate: t.text(),
    fieldName: t.text(),
    oldValue: t.text().nullable(),
    newValue: t.text().nullable(),
    history: object,
    item: object,
  },
  {
    primaryKey: ["profileId", "queryId", "issueKey", "position"],
    foreignKeys: [
      {
        on: ["profileId", "queryId", "issueKey"],
        references: {
          table: "jira_changelogs",
          columns: ["profile_id", "query_id", "issue_key"],
        },
        onDelete: "cascade",
      },
    ],
    indexes: [{ on: ["profileId", "queryId", "changeDate"], name: "idx_changelog_query" }],
    checks: [isMoment("change_date")],
  },
);

/** A project's scope; one for each query. */
export const ProjectScope = entity(
  "project_scope",
  {
    ...ofQuery,
    totalItems: amount,
    totalPoints: amount,
    estimatedItems: amount,
    estimatedPoints: amount,
    remainingItems: amount,
    remainingPoints: amount,
    extras: object.default({}),
    metadata: object.default({}),
    updatedAt: t.text(),
  },
  {
    primaryKey: ["profileId", "queryId"],
    foreignKeys: [queryKey],
    checks: [isMoment("updated_at")],
  },
);

/** A week of a project. */
export const ProjectStatistic = entity(
  "project_statistics",
  {
    ...ofQuery,
    statDate: t.date(),
    completedItems: amount,
    completedPoints: amount,
    createdItems: amount,
    createdPoints: amount,
    velocityItems: amount,
    velocityPoints: amount,
    extras: object.default({}),
  },
  { primaryKey: ["profileId", "queryId", "statDate"], foreignKeys: [queryKey] },
);

/** One metric of one ISO week. */
export const MetricsDataPoint = entity(
  "metrics_data_points",
  {
    ...ofQuery,
    snapshotDate: t.text({ pattern: /^\d{4}-W\d{2}$/ }),
    metricCategory: t.enum(METRIC_TYPES),
    metricName: t.text({ minLength: 1 }),
    metricValue: t.json(),
    createdAt: t.text(),
  },
  {
    primaryKey: ["profileId", "queryId", "snapshotDate", "metricCategory", "metricName"],
    foreignKeys: [queryKey],
    indexes: [
      {
        on: ["profileId", "queryId", { snapshotDate: "desc" }],
        name: "idx_snapshots_query_date",
      },
    ],
    checks: [
      isMoment("created_at"),
      {
        name: "snapshot_date_is_week",
        expression: "snapshot_date GLOB '[0-9][0-9][0-9][0-9]-W[0-5][0-9]'",
      },
    ],
  },
);

/** How far a long task is. */
export const TaskProgress = entity(
  "task_progress",
  {
    taskName: t.text({ minLength: 1 }).primaryKey(),
    progressPercent: t.real({ min: 0, max: 100 }),
    status: t.enum(TASK_STATUSES),
    message: t.text().nullable(),
    updatedAt: t.text(),
    extras: object.default({}),
  },
  { checks: [isMoment("updated_at")] },
);

/** A computed result; good for one configuration only. */
export const CalculationTable = entity(
  "calculations",
  {
    cacheKey: t.text({ minLength: 1 }),
    configHash: t.text(),
    data: t.json(),
    createdAt: t.text(),
  },
  { primaryKey: ["cacheKey", "configHash"], checks: [isMoment("created_at")] },
);

/** All of them, a table before those that refer to it. */
export const ENTITIES = [
  AppState,
  ProfileTable,
  QueryTable,
  JiraResponse,
  JiraIssue,
  JiraChangelog,
  JiraChangelogEntry,
  ProjectScope,
  ProjectStatistic,
  MetricsDataPoint,
  TaskProgress,
  CalculationTable,
] as const;

/** SQL: the column is NULL or a moment in the one form, of a day that exists. */
function isMoment(column: string): { readonly name: string; readonly expression: string } {
  const expression = `strftime('%Y-%m-%dT%H:%M:%fZ', ${column}) IS ${column}`;
  return { name: `${column}_is_moment`, expression };
}
