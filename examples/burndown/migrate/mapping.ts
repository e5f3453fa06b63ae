/** From an item of an old file to the rows that it becomes. */

import type { ImportItem, ImportRows } from "springhouse/import";
import { issueColumns } from "../backend/rows.ts";
import { type Complain, isObject } from "../json-reader.ts";
import { isIssueKey, readChangelog } from "../legacy/changelog.ts";
import { issueProblem, readCacheHead } from "../legacy/jira-cache.ts";
import { readProjectData } from "../legacy/project-data.ts";
import { readSnapshots } from "../legacy/snapshots.ts";
import type { Changelog } from "../model.ts";
import {
  AppState,
  CalculationTable,
  JiraChangelog,
  JiraChangelogEntry,
  JiraIssue,
  JiraResponse,
  MetricsDataPoint,
  ProfileTable,
  ProjectScope,
  ProjectStatistic,
  QueryTable,
  TaskProgress,
} from "../schema.ts";
import type { DataFile, LegacyPlan } from "./plan.ts";

/** Tables by the names that the mapping uses. */
export const TABLES = {
  state: AppState,
  profiles: ProfileTable,
  queries: QueryTable,
  responses: JiraResponse,
  issues: JiraIssue,
  changelogs: JiraChangelog,
  entries: JiraChangelogEntry,
  scopes: ProjectScope,
  statistics: ProjectStatistic,
  points: MetricsDataPoint,
  tasks: TaskProgress,
  calculations: CalculationTable,
} as const;

type Rows = ImportRows<typeof TABLES>;

/** The version of the tables, for programs that look at `app_state`. */
export const SCHEMA_VERSION = "1.0";

/** What a mapping goes by beside the item. */
export interface MappingContext {
  /** When the file was written, for what has no moment of its own. */
  readonly writtenAt: string;
  /** Goes on with a default where only the moment of an answer is wrong. */
  readonly skipBad: boolean;
  /** Told of what was changed on the way. */
  readonly note: (text: string) => void;
}

/** The rows of an item of a data file. */
export function rowsOf(
  item: ImportItem,
  { kind, profileId, queryId, responseId, pointsField, listedAt, file }: DataFile,
  { writtenAt, skipBad, note }: MappingContext,
): Rows | undefined {
  const reasons: string[] = [];
  const complain: Complain = (path, reason) =>
    reasons.push([path.join("."), reason].filter((part) => part !== "").join(" "));
  const ofQuery = { profileId, queryId };
  const rows = ((): Rows | undefined => {
    switch (kind) {
      case "response": {
        const { jql: _, ...head } = readCacheHead(item.value, writtenAt, complain);
        return { responses: { id: responseId, ...ofQuery, ...head } };
      }
      case "issues": {
        const problem = issueProblem(item.value);
        if (problem !== undefined || !isObject(item.value)) return item.reject(problem ?? "");
        const columns = issueColumns(item.value, pointsField);
        return { issues: { responseId, position: Number(item.key), ...columns } };
      }
      case "changelogs":
        if (!isIssueKey(String(item.key))) return undefined;
        return changelogRows(
          ofQuery,
          readChangelog(String(item.key), item.value, writtenAt, complain, []),
        );
      case "listed-changelogs":
        return changelogRows(
          ofQuery,
          readChangelog(undefined, item.value, listedAt ?? writtenAt, complain, []),
        );
      case "project":
        return projectRows(ofQuery, item.value, writtenAt, complain, (text) =>
          note(`${file}: ${text}`),
        );
      case "snapshots":
        return {
          points: readSnapshots(item.value, writtenAt, complain).map((point) => ({
            ...ofQuery,
            snapshotDate: point.week,
            metricCategory: point.type,
            metricName: point.name,
            metricValue: point.value,
            createdAt: point.createdAt,
          })),
        };
    }
  })();
  if (reasons.length === 0) return rows;
  // The issues of an answer cannot be without it.
  if (kind !== "response" || !skipBad) return item.reject(reasons.join("; "));
  note(`${file}: ${reasons.join("; ")}`);
  return rows;
}

interface OfQuery {
  readonly profileId: string;
  readonly queryId: string;
}

function changelogRows(ofQuery: OfQuery, log: Changelog): Rows {
  const { issueKey, fields, entries, createdAt, expiresAt } = log;
  const ofIssue = { ...ofQuery, issueKey };
  return {
    changelogs: { ...ofIssue, fields, createdAt, expiresAt },
    entries: entries.map(({ field, ...entry }, position) => ({
      ...ofIssue,
      position,
      fieldName: field,
      ...entry,
    })),
  };
}

function projectRows(
  ofQuery: OfQuery,
  value: unknown,
  writtenAt: string,
  complain: Complain,
  note: (text: string) => void,
): Rows {
  const { scope, statistics, metadata, updatedAt } = readProjectData(value, writtenAt, complain);
  const given = isObject(value) && Array.isArray(value["statistics"]) ? value["statistics"] : [];
  const twice = given.length - statistics.length;
  if (twice > 0) note(`${twice} weeks were there twice, and the last of each counts`);
  return {
    scopes: { ...ofQuery, ...scope, metadata, updatedAt },
    statistics: statistics.map(({ date, ...statistic }) => ({
      ...ofQuery,
      statDate: date,
      ...statistic,
    })),
  };
}

/** The rows of the small files, and the marks of a migration that is done. */
export function rowsOfPlan(plan: LegacyPlan): Rows {
  const { profileId, queryId } = plan.selection;
  const facts = new Map(plan.facts);
  if (profileId !== null) facts.set("active_profile_id", profileId);
  if (queryId !== null) facts.set("active_query_id", queryId);
  facts.set("schema_version", SCHEMA_VERSION);
  facts.set("migration_complete", "true");
  return {
    state: [...facts].map(([key, value]) => ({ key, value })),
    profiles: [...plan.profiles],
    queries: [...plan.queries],
    tasks: plan.tasks.map(({ name, percent, ...task }) => ({
      taskName: name,
      progressPercent: percent,
      ...task,
    })),
    calculations: [...plan.calculations],
  };
}
