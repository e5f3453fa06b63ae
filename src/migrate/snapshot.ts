/**
 * What the schema was after the last migration, as one short hash for each object, so that a change
 * made outside of migrations can be named. Kept as a note in the database itself.
 */

import { createHash } from "node:crypto";
import { canonicalSql } from "../core/sql-tokens.ts";
import type { Session, Statement } from "../store/store.ts";
import { isBookkeeping } from "./internal.ts";
import { readMeta, setMeta } from "./meta.ts";

const KEY = "schema_objects";
/** Sixteen hexadecimal digits: enough to tell two texts of one object apart. */
const HASH_LENGTH = 16;
const OBJECTS = `SELECT s.type, s.name, s.tbl_name, s.sql FROM sqlite_schema s
  LEFT JOIN pragma_table_list l ON l.schema = 'main' AND l.name = s.name
  WHERE s.sql IS NOT NULL AND l.type IS NOT 'shadow' ORDER BY s.rowid`;

/** One object of the schema: "table tasks" and the text that made it. */
export interface SchemaText {
  readonly name: string;
  readonly sql: string;
}

/** Hashes by object: `{ "table tasks": "1f0c…" }`. */
export type SchemaSnapshot = Readonly<Record<string, string>>;

/** The CREATE texts of the whole schema, in the order in which they were run. */
export async function schemaTexts(session: Session): Promise<readonly SchemaText[]> {
  const { rows } = await session.read({ sql: OBJECTS, parameters: [] });
  return rows
    .map((row) => row.map(String))
    .filter(([, name = "", table = ""]) => !isBookkeeping(name) && !isBookkeeping(table))
    .map(([type, name, , sql = ""]) => ({ name: `${type} ${name}`, sql }));
}

/** The schema as it is now. */
export async function takeSnapshot(session: Session): Promise<SchemaSnapshot> {
  const texts = await schemaTexts(session);
  return Object.fromEntries(texts.map(({ name, sql }) => [name, hash(canonicalSql(sql))]));
}

/** The statement that keeps a snapshot for later. */
export function keepSnapshot(snapshot: SchemaSnapshot): Statement {
  return setMeta(KEY, JSON.stringify(snapshot));
}

/** The snapshot that was kept last; undefined when there is none. The notes must exist. */
export async function readSnapshot(session: Session): Promise<SchemaSnapshot | undefined> {
  const text = await readMeta(session, KEY);
  return text === undefined ? undefined : (JSON.parse(text) as SchemaSnapshot);
}

/** What differs, in words. */
export function compareSnapshots(before: SchemaSnapshot, after: SchemaSnapshot): readonly string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].sort().flatMap((name) => {
    if (!(name in after)) return [`${name} was dropped`];
    if (!(name in before)) return [`${name} was added`];
    return before[name] === after[name] ? [] : [`${name} was altered`];
  });
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, HASH_LENGTH);
}
