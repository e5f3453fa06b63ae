/** Our own notes in the database: the table `springhouse_meta`, a text for each key. */

import type { Session, Statement } from "../store/store.ts";

/** Makes the table; part of the same transaction as whatever needs it first. */
export const CREATE_META: Statement = {
  sql: `CREATE TABLE IF NOT EXISTS springhouse_meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
  ) STRICT`,
  parameters: [],
};

/** The note on the last comparison with the declared schema. */
export const FINGERPRINT_KEY = "schema_fingerprint";

/**
 * What that note says: a hash of what was declared, SQLite's count of schema changes, and a hash of
 * the migrations that the code knew; empty when it was not told of any.
 */
export function fingerprint(declared: string, schemaVersion: number, known = ""): string {
  return `${declared}:${schemaVersion}:${known}`;
}

/** The note under `key`; undefined when there is none. The table must exist. */
export async function readMeta(session: Session, key: string): Promise<string | undefined> {
  const sql = "SELECT value FROM springhouse_meta WHERE key = ?";
  const value = (await session.read({ sql, parameters: [key] })).rows[0]?.[0];
  return value === undefined ? undefined : String(value);
}

/** The statement that writes a note. */
export function setMeta(key: string, value: string): Statement {
  return {
    sql: `INSERT INTO springhouse_meta (key, value) VALUES (?, ?)
      ON CONFLICT (key) DO UPDATE SET value = excluded.value`,
    parameters: [key, value],
  };
}
