/** Rows of issues and changes as they are written, by imports and by the backend alike. */

import { writeJson } from "../exact-json.ts";
import { isObject } from "../json-reader.ts";
import type { ChangelogEntry, IssueFact, JsonObject } from "../model.ts";
import { parseMoment } from "../moments.ts";

/** What a statement takes. */
export type Parameter = string | number | null;

/** What is asked for in SQL about an issue, and the issue itself. */
export interface IssueColumns {
  readonly issueKey: string;
  readonly summary: string | null;
  readonly issueType: string | null;
  readonly status: string | null;
  readonly statusCategory: string | null;
  readonly priority: string | null;
  readonly points: number | null;
  readonly created: string | null;
  readonly updated: string | null;
  readonly resolved: string | null;
  /** All of the issue, as JSON. */
  readonly document: string;
}

/**
 * The columns of an issue. They are for questions in SQL, so what is not as expected is null there;
 * the document has it as it was.
 *
 * @param pointsField the field that has the points of an issue. Default: none has.
 */
export function issueColumns(issue: JsonObject, pointsField?: string): IssueColumns {
  const fields = isObject(issue["fields"]) ? issue["fields"] : {};
  const status = isObject(fields["status"]) ? fields["status"] : {};
  const category = isObject(status["statusCategory"]) ? status["statusCategory"] : {};
  const points = pointsField === undefined ? undefined : fields[pointsField];
  return {
    issueKey: String(issue["key"]),
    summary: textOf(fields["summary"]),
    issueType: nameOf(fields["issuetype"]),
    status: nameOf(status),
    statusCategory: textOf(category["key"]),
    priority: nameOf(fields["priority"]),
    points: typeof points === "number" ? points : null,
    created: momentIn(fields["created"]),
    updated: momentIn(fields["updated"]),
    resolved: momentIn(fields["resolutiondate"]),
    document: writeJson(issue),
  };
}

/** The facts of an issue. */
export function factOf(issue: JsonObject, pointsField?: string): IssueFact {
  const columns = issueColumns(issue, pointsField);
  return {
    key: columns.issueKey,
    type: columns.issueType,
    status: columns.status,
    category: columns.statusCategory,
    points: columns.points,
    created: columns.created,
    updated: columns.updated,
    resolved: columns.resolved,
  };
}

/** Inserts an issue; the parameters come from `issueRow`. */
export const INSERT_ISSUE = `INSERT INTO jira_issues (
  response_id, position, issue_key, summary, issue_type, status, status_category, priority, points,
  created, updated, resolved, document
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

/** The parameters of `INSERT_ISSUE`. */
export function issueRow(responseId: number, position: number, columns: IssueColumns): Parameter[] {
  return [
    responseId,
    position,
    columns.issueKey,
    columns.summary,
    columns.issueType,
    columns.status,
    columns.statusCategory,
    columns.priority,
    columns.points,
    columns.created,
    columns.updated,
    columns.resolved,
    columns.document,
  ];
}

/** Inserts a change of a field; the parameters come from `entryRow`. */
export const INSERT_ENTRY = `INSERT INTO jira_changelog_entries (
  profile_id, query_id, issue_key, position, change_date, field_name, old_value, new_value,
  history, item
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

/** The parameters of `INSERT_ENTRY`. */
export function entryRow(
  issue: readonly [profileId: string, queryId: string, issueKey: string],
  position: number,
  entry: ChangelogEntry,
): Parameter[] {
  const { changeDate, field, oldValue, newValue, history, item } = entry;
  const more = [JSON.stringify(history), JSON.stringify(item)];
  return [...issue, position, changeDate, field, oldValue, newValue, ...more];
}

/** A text as a column can hold it: SQLite ends a text at NUL. */
export function withoutNul(text: string): string {
  return text.replaceAll("\0", "\uFFFD");
}

function textOf(value: unknown): string | null {
  return typeof value === "string" ? withoutNul(value) : null;
}

function nameOf(value: unknown): string | null {
  return isObject(value) ? textOf(value["name"]) : null;
}

function momentIn(value: unknown): string | null {
  return typeof value === "string" ? (parseMoment(value) ?? null) : null;
}
