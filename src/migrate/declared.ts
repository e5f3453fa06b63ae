/**
 * Which declared schemas this database has had, as hashes, so that code of yesterday can be told
 * that the file is newer instead of a list of differences.
 *
 * The fingerprint note names the last declaration that was compared or migrated to. A migration
 * under another declaration moves it to the list of former ones; a comparison that finds the file
 * as declared takes it off again, for then nothing about it is former.
 */

import type { Session, Statement } from "../store/store.ts";
import { FINGERPRINT_KEY, fingerprint, readMeta, setMeta } from "./meta.ts";

const FORMER_KEY = "schema_former";
/** Nobody goes back further; each takes 35 bytes. */
const FORMER_MAX = 100;
/** No file has this count of schema changes, so a note with it is never taken for a comparison. */
const NOT_COMPARED = -1;

/** Whether the database was migrated away from this declaration. */
export async function isFormer(session: Session, declared: string): Promise<boolean> {
  return (await readFormer(session)).includes(declared);
}

/** The statements that note a migration under `declared`, in its own transaction. */
export async function noteMigration(
  session: Session,
  declared: string | undefined,
): Promise<readonly Statement[]> {
  const note = await readMeta(session, FINGERPRINT_KEY);
  const last = note?.split(":", 1)[0];
  const statements: Statement[] = [];
  if (last !== undefined && last !== declared) {
    const former = (await readFormer(session)).filter((hash) => hash !== last);
    statements.push(setMeta(FORMER_KEY, JSON.stringify([...former, last].slice(-FORMER_MAX))));
  }
  const next = declared ?? last;
  if (next !== undefined) {
    statements.push(setMeta(FINGERPRINT_KEY, fingerprint(next, NOT_COMPARED)));
  }
  return statements;
}

/** The statements that note that the file is as `declared`, at this count of schema changes. */
export async function noteComparison(
  session: Session,
  declared: string,
  schemaVersion: number,
  known: string | undefined,
): Promise<readonly Statement[]> {
  const former = await readFormer(session);
  const others = former.filter((hash) => hash !== declared);
  const statements = [setMeta(FINGERPRINT_KEY, fingerprint(declared, schemaVersion, known))];
  if (others.length < former.length) statements.push(setMeta(FORMER_KEY, JSON.stringify(others)));
  return statements;
}

async function readFormer(session: Session): Promise<readonly string[]> {
  return JSON.parse((await readMeta(session, FORMER_KEY)) ?? "[]") as readonly string[];
}
