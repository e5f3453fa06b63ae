/** The statements of the SQLite tier. */

import type { CallOptions, SqlValue, Statement } from "../../core/statement.ts";
import { isFenced } from "./fences.ts";
import { AFTER_ALL } from "./key-text.ts";

const META =
  "key, id, category, created_at, expires_at, keep_until, sliding_ms, load_ms, etag, tags, " +
  "epoch, expired";

/** Batches have one of these numbers of keys, so that there are few texts to prepare. */
const SIZES = [1, 8, 64];
/** So many keys are asked for in one statement. */
export const KEYS_MAX = 64;

/** A question for a list of texts by a unique column. */
export interface ListQuestion {
  readonly head: string;
  readonly texts: Map<number, string>;
}

/** Rows in one unit: a few milliseconds of the writer. */
export const SLICE_ROWS = 200;

/** Whether an entry is one of a dropped prefix, and not gone yet; see prefixes.ts. */
const isUnderDropped = (e: string): string =>
  `EXISTS (SELECT 1 FROM cache_prefixes AS gone WHERE gone.dropped > ${e}.epoch
    AND substr(${e}.key, 1, length(gone.name)) = gone.name)`;

/** Entries that are given out, by the time. */
const living = (e: string, nowMs: string): string =>
  `${e}.keep_until > ${nowMs} AND ${e}.created_at <= ${nowMs} AND NOT ${isUnderDropped(e)}
  AND (${e}.tags IS NULL OR NOT EXISTS
  (SELECT 1 FROM cache_entry_tags AS other JOIN cache_tags AS tag ON tag.id = other.tag_id
   WHERE other.entry_id = ${e}.id AND tag.dropped > other.epoch))`;

const THERE = `FROM cache_entries WHERE NOT ${isUnderDropped("cache_entries")} AND key IN `;

const question = (head: string): ListQuestion => ({ head, texts: new Map() });

/** Entries with their values. */
export const ENTRIES: ListQuestion = question(
  `SELECT ${META}, codec, checksum, parts, value ${THERE}`,
);
/** Entries without their values. */
export const HEADS: ListQuestion = question(`SELECT ${META} ${THERE}`);
/** When tags were dropped. */
export const DROPPED: ListQuestion = question(
  "SELECT name, dropped FROM cache_tags WHERE name IN ",
);

/** The statement that asks for at most `KEYS_MAX` texts; the last of them fills it up. */
export function ask({ head, texts }: ListQuestion, values: readonly string[]): Statement {
  const size = SIZES.find((each) => each >= values.length) ?? KEYS_MAX;
  let sql = texts.get(size);
  if (sql === undefined) {
    sql = `${head}(${new Array(size).fill("?").join(", ")})`;
    texts.set(size, sql);
  }
  if (values.length === size) return { sql, parameters: values };
  const fill = new Array<string>(size - values.length).fill(values.at(-1) ?? "");
  return { sql, parameters: [...values, ...fill] };
}

/** The same question in a form that belongs to a thread, whose result may be large. */
export function askThread({ head }: ListQuestion, values: readonly string[]): Statement {
  const sql = `${head}(SELECT value FROM json_each(?))`;
  return { sql, parameters: [JSON.stringify(values)] };
}

/** Stores an entry unless it is fenced or there is a later one; one from the future is none. */
export const UPSERT: string = `INSERT INTO cache_entries (key, category, created_at, expires_at,
    keep_until, sliding_ms, accessed_at, size_bytes, load_ms, etag, tags, epoch, codec, checksum,
    parts, value)
  SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11,
    (SELECT epoch FROM cache_epochs WHERE name = 'tags'), ?12, ?13, ?14, ?15
  WHERE NOT ${isFenced({
    key: "?1",
    createdMs: "?3",
    loadMs: "?9",
    tags: "?11",
    owner: "?16",
    nowMs: "?7",
  })}
  ON CONFLICT (key) DO UPDATE SET category = excluded.category, created_at = excluded.created_at,
    expires_at = excluded.expires_at, keep_until = excluded.keep_until,
    sliding_ms = excluded.sliding_ms, expired = 0, access_count = 0,
    accessed_at = excluded.accessed_at,
    size_bytes = excluded.size_bytes, load_ms = excluded.load_ms, etag = excluded.etag,
    tags = excluded.tags, epoch = excluded.epoch, codec = excluded.codec,
    checksum = excluded.checksum, parts = excluded.parts, value = excluded.value
  WHERE excluded.created_at >= cache_entries.created_at OR cache_entries.created_at > ?7
    OR ${isUnderDropped("cache_entries")}`;

/** A part of a value, when the entry it belongs to was stored. */
export const ADD_PART = `INSERT INTO cache_parts (id, bytes)
  SELECT ?, ? WHERE EXISTS (SELECT 1 FROM cache_entries WHERE key = ? AND parts = ?)`;
export const FIRST_PART = "SELECT bytes FROM cache_parts WHERE id = ?";
export const OTHER_PARTS = "SELECT bytes FROM cache_parts WHERE id > ? AND id < ? ORDER BY id";

/** Removes what an entry that was refused would have replaced. */
export const DROP_OLDER = `DELETE FROM cache_entries
  WHERE key = ? AND (created_at <= ? OR created_at > ?)`;
/** Removes an entry that was found damaged, unless it was replaced meanwhile. */
export const DROP_DAMAGED = `DELETE FROM cache_entries
  WHERE id = ? AND created_at = ? AND checksum = ?`;
export const DROP_KEY = "DELETE FROM cache_entries WHERE key = ?";
export const NEXT_EPOCH = "UPDATE cache_epochs SET epoch = epoch + 1 WHERE name = 'tags'";
export const DROP_TAG = `UPDATE cache_tags
  SET dropped = (SELECT epoch FROM cache_epochs WHERE name = 'tags') WHERE name = ?`;

/**
 * Ends the freshness of what was made until a moment, and tells whether it was living. It slides no
 * more, so that a renewal which some process has not written yet is void: see `SLIDE`. The dead are
 * taken, too, since one may be renewed so; and what was made in the future may live again. It is
 * marked, so that it is not fresh either when the clock is set back to before that moment.
 */
export const EXPIRE: string = `UPDATE cache_entries
  SET expires_at = min(expires_at, ?1), sliding_ms = 0, expired = 1
  WHERE key = ?2 AND (created_at <= ?1 OR created_at > ?3)
  RETURNING ${living("cache_entries", "?3")}`;
export const TOUCH = `UPDATE cache_entries
  SET access_count = access_count + ?, accessed_at = max(accessed_at, ?)
  WHERE id = ? AND created_at = ?`;
/** Writes a renewed life, unless the entry was expired. */
export const SLIDE = `UPDATE cache_entries
  SET access_count = access_count + ?, accessed_at = max(accessed_at, ?),
    expires_at = iif(sliding_ms > 0, max(expires_at, ?), expires_at),
    keep_until = iif(sliding_ms > 0, max(keep_until, ?), keep_until)
  WHERE id = ? AND created_at = ?`;

export const TOTALS = "SELECT category, entries, bytes FROM cache_totals";
export const TOTAL = "SELECT total(entries), total(bytes) FROM cache_totals";

/** Removes those whose time is over. */
export const DROP_EXPIRED = `DELETE FROM cache_entries WHERE id IN
  (SELECT id FROM cache_entries WHERE keep_until <= ? ORDER BY keep_until LIMIT ?)`;
/** Removes those that a clock which was set back has put far into the future. */
export const DROP_FUTURE = `DELETE FROM cache_entries WHERE id IN
  (SELECT id FROM cache_entries WHERE accessed_at > ? LIMIT ?)`;
/** Removes some at random out of a number of those that were not used for longest. */
export const EVICT = `DELETE FROM cache_entries WHERE id IN (SELECT id FROM
  (SELECT id FROM cache_entries ORDER BY accessed_at LIMIT ?) ORDER BY random() LIMIT ?)`;
export const EVICT_CATEGORY = `DELETE FROM cache_entries WHERE id IN (SELECT id FROM
  (SELECT id FROM cache_entries WHERE category = ? ORDER BY accessed_at LIMIT ?)
  ORDER BY random() LIMIT ?)`;

/** The tag that was dropped and still may have entries of before. */
export const NEXT_DROPPED = "SELECT id, dropped FROM cache_tags WHERE dropped > 0 LIMIT 1";
export const DROP_TAGGED = `DELETE FROM cache_entries WHERE id IN
  (SELECT entry_id FROM cache_entry_tags WHERE tag_id = ? AND epoch < ? LIMIT ?)`;
export const TAG_DONE = "UPDATE cache_tags SET dropped = 0 WHERE id = ? AND dropped = ?";
export const TAGS_UP_TO = `SELECT max(id) FROM
  (SELECT id FROM cache_tags WHERE id > ? ORDER BY id LIMIT ?)`;
export const DROP_UNUSED_TAGS = `DELETE FROM cache_tags WHERE id > ? AND id <= ? AND NOT EXISTS
  (SELECT 1 FROM cache_entry_tags WHERE tag_id = cache_tags.id)`;
export const DROP_EMPTY_TOTALS = "DELETE FROM cache_totals WHERE entries = 0";
export const DROP_OLD_LEASES = `DELETE FROM cache_leases
  WHERE expires_at <= ? OR expires_at > ? + 2 * duration_ms`;

/**
 * The next keys from a text on, of those that begin with another, and whether each is alive: the
 * dead are listed, too, so that no statement goes through more of them than it is asked for.
 */
export const LIST: string = `SELECT e.key, ${living("e", "?3")} FROM cache_entries AS e
  WHERE e.key >= ?1 AND e.key < ?2 ${AFTER_ALL}
  ORDER BY e.key LIMIT ?4`;
/**
 * The next entries of a tag, in the order in which they got it, and whether each is to be listed.
 * The plus keeps SQLite from going through all of an epoch again for each chunk.
 */
export const LIST_TAG: string = `SELECT e.key,
    e.key >= ?4 AND e.key < ?4 ${AFTER_ALL} AND ${living("e", "?5")},
    p.epoch, p.entry_id
  FROM cache_tags AS t
  JOIN cache_entry_tags AS p ON p.tag_id = t.id
  JOIN cache_entries AS e ON e.id = p.entry_id
  WHERE t.name = ?1 AND +p.epoch >= t.dropped AND (p.epoch, p.entry_id) > (?2, ?3)
  ORDER BY p.epoch, p.entry_id LIMIT ?6`;

/** Takes a lease that is free, over, or from before the clock was set back. */
export const LEASE = `INSERT INTO cache_leases (key, token, expires_at, duration_ms)
  VALUES (?, ?, ?, ?)
  ON CONFLICT (key) DO UPDATE SET token = excluded.token, expires_at = excluded.expires_at,
    duration_ms = excluded.duration_ms
  WHERE cache_leases.expires_at <= ? OR cache_leases.expires_at > ? + 2 * cache_leases.duration_ms`;
export const RENEW = `UPDATE cache_leases SET expires_at = ?, duration_ms = ?
  WHERE key = ? AND token = ?`;
export const RELEASE = "DELETE FROM cache_leases WHERE key = ? AND token = ?";

/** A statement with its values. */
export function statement(sql: string, ...parameters: SqlValue[]): Statement {
  return { sql, parameters };
}

/** Options of a call that may have a signal. */
export function until(signal: AbortSignal | undefined): CallOptions {
  return signal === undefined ? {} : { signal };
}
