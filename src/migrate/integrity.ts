/** Whether a file is sound: its pages, its references, the numbers of its rows. */

import { isSpringhouseError, SpringhouseError } from "../core/errors.ts";
import { quoteIdentifier } from "../schema/quote.ts";
import type { ResultSet, Session } from "../store/store.ts";

/** Messages beyond this say nothing new. */
const MESSAGES_MAX = 20;

/** What SQLite's integrity check complains about; empty when the file is sound. */
export async function integrityProblems(session: Session): Promise<readonly string[]> {
  const sql = "SELECT integrity_check FROM pragma_integrity_check LIMIT ?";
  try {
    const { rows } = await session.read({ sql, parameters: [MESSAGES_MAX] });
    return checkMessages(rows).slice(0, MESSAGES_MAX);
  } catch (error) {
    // Some damage the check does not survive itself.
    if (isSpringhouseError(error, "CORRUPT")) return ["the check cannot be brought to its end"];
    throw error;
  }
}

/** The complaints in the answer of a check, one by one: a row may hold a line for every page. */
export function checkMessages(rows: ResultSet["rows"]): readonly string[] {
  const lines = rows.flatMap((row) => String(row[0]).split("\n"));
  return lines.filter((line) => line !== "" && line !== "ok" && !line.startsWith("*** "));
}

/** Rows that refer to nothing, by the two tables: `tasks → weeks`. */
export type Violations = ReadonlyMap<string, number>;

/** Counts the rows that refer to nothing. */
export async function foreignKeyViolations(session: Session): Promise<Violations> {
  const sql = 'SELECT "table", parent, count(*) FROM pragma_foreign_key_check GROUP BY 1, 2';
  const { rows } = await session.read({ sql, parameters: [] });
  return new Map(rows.map(([table, parent, count]) => [`${table} → ${parent}`, Number(count)]));
}

/** The violations in words. */
export function describeViolations(violations: Violations): readonly string[] {
  return [...violations].map(([tables, count]) => {
    return `${tables}: ${count === 1 ? "1 row refers" : `${count} rows refer`} to nothing`;
  });
}

/** Which of `after` were not there before, or are more now. */
export function newViolations(before: Violations, after: Violations): Violations {
  return new Map([...after].filter(([tables, count]) => count > (before.get(tables) ?? 0)));
}

/** For `verifyCopy`. */
export interface VerifyCopyOptions {
  /** Tables whose number of rows must be equal, by their name in the source and in the copy. */
  readonly tables?: Readonly<Record<string, string>>;
}

/**
 * Checks a database that was filled from another one.
 *
 * @throws `CORRUPT` when its pages are not sound, `CONSTRAINT` when rows refer to nothing or rows
 *   are missing or too many.
 * @example await verifyCopy(legacy, copy, { tables: { tasks: "task", weeks: "week" } });
 */
export async function verifyCopy(
  source: Session,
  copy: Session,
  { tables = {} }: VerifyCopyOptions = {},
): Promise<void> {
  const problems = await integrityProblems(copy);
  if (problems.length > 0) {
    throw new SpringhouseError("CORRUPT", `The copy is damaged: ${problems.join("; ")}.`, {
      fields: { problems },
    });
  }
  const wrong = [...describeViolations(await foreignKeyViolations(copy))];
  for (const [from, to] of Object.entries(tables)) {
    const [before, after] = [await countRows(source, from), await countRows(copy, to)];
    if (before !== after) wrong.push(`${to} has ${after} rows, ${from} has ${before}`);
  }
  if (wrong.length === 0) return;
  const message = `The copy does not hold what the source holds: ${wrong.join("; ")}.`;
  throw new SpringhouseError("CONSTRAINT", message, { fields: { problems: wrong } });
}

/** Rows of a table. */
export async function countRows(session: Session, table: string): Promise<number> {
  const sql = `SELECT count(*) FROM ${quoteIdentifier(table)}`;
  return Number((await session.read({ sql, parameters: [] })).rows[0]?.[0]);
}
