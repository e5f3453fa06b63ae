/**
 * Fences against values that were read before another process dropped them.
 *
 * Whoever drops a key, a tag or a prefix leaves a note with the time. An entry is as old as the
 * beginning of its load, so one that is older than such a note may hold what the drop was for, and
 * is not stored. Notes of the tier's own process do not count: there the cache knows better which
 * loads were under way. Of two moments within one millisecond the drop counts as the later one.
 *
 * Notes are kept for as long as a load may take. What took longer is not stored at all.
 */

import type { Statement } from "../../core/statement.ts";
import { toStored } from "./key-text.ts";

/** Loads that take longer have long missed their hard timeout. */
const KEPT_MS = 600_000;
/** Beyond this the older notes become one that fences everything: 100,000 are some 10 MB. */
const NOTES_MAX = 100_000;

/** What can be dropped. A prefix of no length is everything. */
export type DropKind = "key" | "tag" | "prefix";

const NOTE = `INSERT INTO cache_drops (kind, name, dropped_at, owner) VALUES (?, ?, ?, ?)
  ON CONFLICT (kind, name) DO UPDATE SET dropped_at = excluded.dropped_at, owner = excluded.owner`;

/** A note that something is dropped now. */
export function noteDrop(kind: DropKind, name: string, owner: string, nowMs: number): Statement {
  return { sql: NOTE, parameters: [kind, toStored(name), nowMs, owner] };
}

/** Parameters of `isFenced`, as SQL. */
interface FencedParameters {
  readonly key: string;
  readonly createdMs: string;
  readonly loadMs: string;
  readonly tags: string;
  readonly owner: string;
  readonly nowMs: string;
}

/** The condition that an entry must not be stored. A clock that was set back makes no fences. */
export function isFenced(given: FencedParameters): string {
  const { key, createdMs, loadMs, tags, owner, nowMs } = given;
  const later = `d.owner <> ${owner} AND d.dropped_at <= ${nowMs} AND (d.dropped_at > ${createdMs}
    OR (d.dropped_at = ${createdMs} AND ${loadMs} > 0))`;
  const note = (kind: DropKind, named: string): string =>
    `EXISTS (SELECT 1 FROM cache_drops AS d WHERE d.kind = '${kind}' AND ${named} AND ${later})`;
  return `(${loadMs} > ${KEPT_MS}
    OR ${note("key", `d.name = ${key}`)}
    OR ${note("prefix", `substr(${key}, 1, length(d.name)) = d.name`)}
    OR (${tags} IS NOT NULL
      AND ${note("tag", `d.name IN (SELECT value FROM json_each(${tags}))`)}))`;
}

/** When the last of those that are too many was made. */
const TOO_MANY = `SELECT dropped_at FROM cache_drops
  ORDER BY dropped_at DESC LIMIT 1 OFFSET ${NOTES_MAX}`;
const FORGET = "DELETE FROM cache_drops WHERE dropped_at < ? OR dropped_at > ?";
const FENCE_ALL = `INSERT INTO cache_drops (kind, name, dropped_at, owner)
  SELECT 'prefix', '', dropped_at, '' FROM (${TOO_MANY}) WHERE true
  ON CONFLICT (kind, name) DO UPDATE
  SET dropped_at = max(dropped_at, excluded.dropped_at), owner = ''`;
const FORGET_FENCED = `DELETE FROM cache_drops
  WHERE dropped_at <= (${TOO_MANY}) AND NOT (kind = 'prefix' AND name = '')`;

/** Removes notes that are too old to matter, or too many, or of a clock that was set back. */
export function forgetDrops(nowMs: number): readonly Statement[] {
  return [
    { sql: FORGET, parameters: [nowMs - KEPT_MS, nowMs] },
    { sql: FENCE_ALL, parameters: [] },
    { sql: FORGET_FENCED, parameters: [] },
  ];
}
