/**
 * What a burndown application knows, whichever backend keeps it.
 *
 * Moments are texts of one form (`moments.ts`), so that their order as texts is their order in
 * time. Secrets have no place here: they stay with `secrets.ts`.
 */

/** What JSON calls an object. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** The connection to JIRA and the settings of a team. */
export interface Profile {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly createdAt: string;
  readonly lastUsed: string;
  /** Base URL, points field and so on; never the token. */
  readonly jiraConfig: JsonObject;
  readonly fieldMappings: JsonObject;
  readonly forecastSettings: JsonObject;
  readonly projectClassification: JsonObject;
  readonly flowTypeMappings: JsonObject;
  readonly showMilestone: boolean;
  readonly showPoints: boolean;
  /** Keys of the old file that have no place of their own. */
  readonly extras: JsonObject;
}

/** A search in JIRA, of one profile. Two profiles may have a query of the same id. */
export interface Query {
  readonly profileId: string;
  readonly id: string;
  readonly name: string;
  readonly jql: string;
  readonly description: string;
  readonly createdAt: string;
  readonly lastUsed: string;
  readonly extras: JsonObject;
}

/** An answer of JIRA that may be used until it expires. */
export interface CachedResponse {
  /** Of the search and its fields, by `cacheKeyOf`. */
  readonly cacheKey: string;
  /** The whole answer; its `issues` are a list of issues as JIRA gives them. */
  readonly response: JsonObject;
  readonly createdAt: string;
  readonly expiresAt: string;
}

/** What figures need of an issue. */
export interface IssueFact {
  readonly key: string;
  readonly type: string | null;
  readonly status: string | null;
  /** "new", "indeterminate" or "done". */
  readonly category: string | null;
  readonly points: number | null;
  readonly created: string | null;
  readonly updated: string | null;
  readonly resolved: string | null;
}

/** One field of an issue, changed. */
export interface ChangelogEntry {
  readonly changeDate: string;
  readonly field: string;
  readonly oldValue: string | null;
  readonly newValue: string | null;
  /** What else was said of the history that it belongs to: id, author. */
  readonly history: JsonObject;
  /** What else was said of the change: the ids of both values. */
  readonly item: JsonObject;
}

/** All changes of one issue, oldest first as JIRA gave them. */
export interface Changelog {
  readonly issueKey: string;
  /** The fields of the issue that stood beside its changes. */
  readonly fields: JsonObject;
  readonly entries: readonly ChangelogEntry[];
  readonly createdAt: string;
  readonly expiresAt: string;
}

/** A week of a project: what was done and what came in. */
export interface Statistic {
  /** A day, "2025-06-12". */
  readonly date: string;
  readonly completedItems: number;
  readonly completedPoints: number;
  readonly createdItems: number;
  readonly createdPoints: number;
  readonly velocityItems: number;
  readonly velocityPoints: number;
  readonly extras: JsonObject;
}

/** How much there is, and how much of it remains. */
export interface Scope {
  readonly totalItems: number;
  readonly totalPoints: number;
  readonly estimatedItems: number;
  readonly estimatedPoints: number;
  readonly remainingItems: number;
  readonly remainingPoints: number;
  readonly extras: JsonObject;
}

/** The figures of a project over time. */
export interface ProjectData {
  readonly scope: Scope;
  /** By day, the earliest first; one for each day. */
  readonly statistics: readonly Statistic[];
  readonly metadata: JsonObject;
  readonly updatedAt: string;
}

/** The two kinds of metrics. */
export const METRIC_TYPES = ["dora", "flow"] as const;
export type MetricType = (typeof METRIC_TYPES)[number];

/** One metric of one week. */
export interface MetricPoint {
  /** An ISO week, "2025-W04". */
  readonly week: string;
  readonly type: MetricType;
  readonly name: string;
  readonly value: unknown;
  readonly createdAt: string;
}

/** What a task can be. */
export const TASK_STATUSES = ["running", "completed", "failed"] as const;
export type TaskStatus = (typeof TASK_STATUSES)[number];

/** How far a long task is. */
export interface Task {
  readonly name: string;
  /** 0 to 100. */
  readonly percent: number;
  readonly status: TaskStatus;
  readonly message: string | null;
  readonly updatedAt: string;
  readonly extras: JsonObject;
}

/** A computed result that was kept; good for one configuration only. */
export interface Calculation {
  readonly cacheKey: string;
  readonly configHash: string;
  readonly data: unknown;
  readonly createdAt: string;
}

/** The profile and the query in use. */
export interface Selection {
  readonly profileId: string | null;
  readonly queryId: string | null;
}

/** The origin's bounds. */
export const PROFILES_MAX = 50;
export const QUERIES_PER_PROFILE_MAX = 100;
/** How long an answer of JIRA is good, by the origin. */
export const CACHE_LIFE_HOURS = 24;
/** A task that says nothing for so long has died. */
export const TASK_TIMEOUT_MINUTES = 30;
