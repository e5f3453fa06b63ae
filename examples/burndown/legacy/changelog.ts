/**
 * `jira_changelog_cache.json`: the changes of issues. Version 2.4 has an object by issue key; older
 * files have a list of issues in an envelope, whose changes stand inside each issue.
 */

import { isDeepStrictEqual } from "node:util";
import { withoutNul } from "../backend/rows.ts";
import { storable } from "../exact-json.ts";
import { type Complain, isObject, JsonReader, type Path } from "../json-reader.ts";
import type { Changelog, ChangelogEntry, JsonObject } from "../model.ts";
import { expiryOf } from "../moments.ts";

/** The keys of the older form, none of which can be the key of an issue. */
const ENVELOPE = [
  "cache_version",
  "timestamp",
  "jql_query",
  "fields_requested",
  "issues",
  "total_issues",
  "last_updated",
];

/** When the older list was given, which its issues do not say by themselves. */
export const LISTED_AT: readonly string[] = ["timestamp", "cached_at", "last_updated"];

/** Whether a key of the file is one of an issue, such as "ALOY-17". */
export function isIssueKey(key: string): boolean {
  return !ENVELOPE.includes(key);
}

/** Reads the changes of one issue, of either form. */
export function readChangelog(
  key: string | undefined,
  value: unknown,
  madeAt: string,
  complain: Complain,
  path: Path,
): Changelog {
  const reader = new JsonReader(storable(value, path, complain), path, complain);
  const createdAt = reader.moment("last_updated", madeAt);
  const issueKey = reader.text("key", key ?? "");
  if (issueKey === "") complain(path, 'is the changelog of an issue without a "key"');
  const fields = reader.object("fields");
  const changes = new JsonReader(reader.object("changelog"), [...path, "changelog"], complain);
  const entries = changes
    .list("histories")
    .flatMap((history, index) =>
      readHistory(history, complain, [...path, "changelog", "histories", index]),
    );
  const expiresAt = reader.moment("expires_at", expiryOf(createdAt));
  return { issueKey, fields, entries, createdAt, expiresAt };
}

/** The changes of one history; one without changes says nothing, and gives none. */
function readHistory(value: unknown, complain: Complain, path: Path): ChangelogEntry[] {
  const reader = new JsonReader(value, path, complain);
  const changeDate = reader.moment("created", "");
  const items = reader.list("items");
  const history = reader.extras();
  if (changeDate === "" && isObject(value)) complain([...path, "created"], "is missing");
  return items.map((item, index) => {
    const part = new JsonReader(item, [...path, "items", index], complain);
    return {
      changeDate,
      field: part.text("field", ""),
      oldValue: nullable(part.any("fromString")),
      newValue: nullable(part.any("toString")),
      history,
      item: part.extras(),
    };
  });
}

function nullable(value: unknown): string | null {
  return value == null ? null : withoutNul(String(value));
}

/** The changes of an issue as the file has them. */
export function writeChangelog(log: Changelog): JsonObject {
  const histories = groupsOf(log.entries).map(([first, ...more]) => ({
    ...first.history,
    created: first.changeDate,
    items: [first, ...more].map(itemOf),
  }));
  const changelog = { histories, total: histories.length };
  const { issueKey: key, fields, createdAt, expiresAt } = log;
  const end = expiresAt === expiryOf(createdAt) ? {} : { expires_at: expiresAt };
  return { key, fields, changelog, last_updated: createdAt, ...end };
}

/** Changes one behind the other of which the same is said were one history. */
function groupsOf(entries: readonly ChangelogEntry[]): [ChangelogEntry, ...ChangelogEntry[]][] {
  const groups: [ChangelogEntry, ...ChangelogEntry[]][] = [];
  for (const entry of entries) {
    const last = groups.at(-1);
    if (last !== undefined && isSameHistory(last[0], entry)) last.push(entry);
    else groups.push([entry]);
  }
  return groups;
}

function isSameHistory(a: ChangelogEntry, b: ChangelogEntry): boolean {
  return a.changeDate === b.changeDate && isDeepStrictEqual(a.history, b.history);
}

function itemOf({ field, oldValue, newValue, item }: ChangelogEntry): JsonObject {
  return { ...item, field, fromString: oldValue, toString: newValue };
}
