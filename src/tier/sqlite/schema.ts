/**
 * The tables of a cache file.
 *
 * `cache_entries` has the columns that people know from hand-written caches and what an entry
 * needs beyond them. Values up to 16 KB stand in their row, last, so that nothing reads over them;
 * larger ones stand in `cache_parts`, so that a change of the access count never rewrites one.
 *
 * What must not drift is kept by triggers, in the transaction of the change itself: the totals of
 * each category, the pairs of entries and tags, and the parts of values.
 *
 * A tag that is dropped gets the next epoch. An entry is dead when one of its tags was dropped at
 * an epoch later than the one it was written at. So dropping writes one row, and reading asks for
 * the tags of an entry only when it has some. A prefix that is dropped from very many entries gets
 * an epoch, too, until their rows are gone: see prefixes.ts.
 */

import type { Statement } from "../../core/statement.ts";

/** "SpCa": a file of ours. Written to the header of the file. */
export const APPLICATION_ID = 0x53704361;
/** Changed whenever a program of before could not read, or would misread, the file. */
export const FORMAT = 3;
/** Rows of `cache_parts` that one value can have; the first number of its rows is a multiple. */
export const PARTS_MAX = 4_096;

const TABLES: readonly string[] = [
  `CREATE TABLE IF NOT EXISTS cache_entries (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    category TEXT NOT NULL,
    created_at REAL NOT NULL,
    expires_at REAL NOT NULL,
    keep_until REAL NOT NULL,
    sliding_ms REAL NOT NULL,
    expired INTEGER NOT NULL DEFAULT 0,
    access_count INTEGER NOT NULL DEFAULT 0,
    accessed_at REAL NOT NULL,
    size_bytes INTEGER NOT NULL,
    load_ms REAL NOT NULL,
    etag TEXT,
    tags TEXT,
    epoch INTEGER NOT NULL,
    codec TEXT NOT NULL,
    checksum INTEGER NOT NULL,
    parts INTEGER,
    value BLOB
  ) STRICT`,
  "CREATE INDEX IF NOT EXISTS idx_expires ON cache_entries (keep_until)",
  "CREATE INDEX IF NOT EXISTS idx_category ON cache_entries (category, accessed_at)",
  "CREATE INDEX IF NOT EXISTS idx_access ON cache_entries (accessed_at)",
  `CREATE TABLE IF NOT EXISTS cache_parts (
    id INTEGER PRIMARY KEY,
    bytes BLOB NOT NULL
  ) STRICT`,
  `CREATE TABLE IF NOT EXISTS cache_totals (
    category TEXT PRIMARY KEY,
    entries INTEGER NOT NULL,
    bytes INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE IF NOT EXISTS cache_tags (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    dropped INTEGER NOT NULL DEFAULT 0
  ) STRICT`,
  "CREATE INDEX IF NOT EXISTS idx_dropped ON cache_tags (dropped) WHERE dropped > 0",
  `CREATE TABLE IF NOT EXISTS cache_entry_tags (
    tag_id INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    entry_id INTEGER NOT NULL,
    PRIMARY KEY (tag_id, epoch, entry_id)
  ) STRICT, WITHOUT ROWID`,
  "CREATE INDEX IF NOT EXISTS idx_entry ON cache_entry_tags (entry_id)",
  `CREATE TABLE IF NOT EXISTS cache_epochs (
    name TEXT PRIMARY KEY,
    epoch INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE IF NOT EXISTS cache_prefixes (
    name TEXT PRIMARY KEY,
    dropped INTEGER NOT NULL,
    reclaimed_to TEXT NOT NULL
  ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE IF NOT EXISTS cache_leases (
    key TEXT PRIMARY KEY,
    token TEXT NOT NULL,
    expires_at REAL NOT NULL,
    duration_ms REAL NOT NULL
  ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE IF NOT EXISTS cache_drops (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    dropped_at REAL NOT NULL,
    owner TEXT NOT NULL,
    PRIMARY KEY (kind, name)
  ) STRICT, WITHOUT ROWID`,
  "CREATE INDEX IF NOT EXISTS idx_drops ON cache_drops (dropped_at)",
];

const ADD_TO_TOTALS = `INSERT INTO cache_totals (category, entries, bytes)
    VALUES (NEW.category, 1, NEW.size_bytes)
    ON CONFLICT (category) DO UPDATE SET entries = entries + 1, bytes = bytes + excluded.bytes;`;
const TAKE_FROM_TOTALS = `UPDATE cache_totals
    SET entries = entries - 1, bytes = bytes - OLD.size_bytes WHERE category = OLD.category;`;
const ADD_TAGS = `INSERT INTO cache_tags (name)
    SELECT value FROM json_each(NEW.tags) WHERE true ON CONFLICT (name) DO NOTHING;
    INSERT INTO cache_entry_tags (tag_id, epoch, entry_id)
    SELECT DISTINCT t.id, NEW.epoch, NEW.id
    FROM json_each(NEW.tags) AS j JOIN cache_tags AS t ON t.name = j.value;`;
const TAKE_TAGS = "DELETE FROM cache_entry_tags WHERE entry_id = OLD.id;";
const TAKE_PARTS = `DELETE FROM cache_parts
    WHERE id BETWEEN OLD.parts * ${PARTS_MAX} AND OLD.parts * ${PARTS_MAX} + ${PARTS_MAX - 1};`;

/** By name; each has a body of whole statements. */
const TRIGGERS: Readonly<Record<string, { readonly when: string; readonly body: string }>> = {
  entry_added: { when: "AFTER INSERT ON cache_entries", body: ADD_TO_TOTALS },
  entry_added_tags: {
    when: "AFTER INSERT ON cache_entries WHEN NEW.tags IS NOT NULL",
    body: ADD_TAGS,
  },
  entry_changed: {
    when: "AFTER UPDATE OF size_bytes, category ON cache_entries",
    body: `${TAKE_FROM_TOTALS} ${ADD_TO_TOTALS}`,
  },
  // Nobody promises an order of triggers: exactly one of these two runs.
  entry_lost_tags: {
    when: `AFTER UPDATE OF tags, epoch ON cache_entries
      WHEN OLD.tags IS NOT NULL AND NEW.tags IS NULL`,
    body: TAKE_TAGS,
  },
  entry_changed_tags: {
    when: "AFTER UPDATE OF tags, epoch ON cache_entries WHEN NEW.tags IS NOT NULL",
    body: `${TAKE_TAGS} ${ADD_TAGS}`,
  },
  entry_changed_parts: {
    when: "AFTER UPDATE OF parts ON cache_entries WHEN OLD.parts IS NOT NULL",
    body: TAKE_PARTS,
  },
};

/** Those of deletion, which stand aside while everything is cleared. */
const DELETE_TRIGGERS: typeof TRIGGERS = {
  entry_removed: { when: "AFTER DELETE ON cache_entries", body: TAKE_FROM_TOTALS },
  entry_removed_tags: {
    when: "AFTER DELETE ON cache_entries WHEN OLD.tags IS NOT NULL",
    body: TAKE_TAGS,
  },
  entry_removed_parts: {
    when: "AFTER DELETE ON cache_entries WHEN OLD.parts IS NOT NULL",
    body: TAKE_PARTS,
  },
};

function statement(sql: string): Statement {
  return { sql, parameters: [] };
}

function createTriggers(triggers: typeof TRIGGERS): Statement[] {
  return Object.entries(triggers).map(([name, { when, body }]) =>
    statement(`CREATE TRIGGER IF NOT EXISTS ${name} ${when} BEGIN ${body} END`),
  );
}

/** Makes the tables in an empty file, in one unit; does nothing when another process has. */
export const CREATE: readonly Statement[] = [
  ...TABLES.map(statement),
  ...createTriggers(TRIGGERS),
  ...createTriggers(DELETE_TRIGGERS),
  statement("INSERT INTO cache_epochs VALUES ('tags', 0) ON CONFLICT DO NOTHING"),
  statement(`PRAGMA application_id = ${APPLICATION_ID}`),
  statement(`PRAGMA user_version = ${FORMAT}`),
];

/**
 * Empties all tables, in one unit. Without a trigger SQLite gives back whole pages without looking
 * at their rows. Leases are kept, since whoever holds one still computes, and notes of drops.
 */
export const CLEAR: readonly Statement[] = [
  ...Object.keys(DELETE_TRIGGERS).map((name) => statement(`DROP TRIGGER ${name}`)),
  ...["entries", "parts", "entry_tags", "tags", "prefixes", "totals"].map((table) =>
    statement(`DELETE FROM cache_${table}`),
  ),
  ...createTriggers(DELETE_TRIGGERS),
];
