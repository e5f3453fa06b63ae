/**
 * Whether the conditions of an entity (CHECK constraints, `where` of partial indexes) can work, and
 * whether its defaults meet its checks. SQL is judged by SQLite, in databases in memory that are
 * thrown away; an entity without conditions does not load it. For another it takes a fifth of a
 * millisecond, and a wrong condition never reaches a file.
 *
 * Conditions are in words that both databases know, so what SQLite does not know is refused.
 */

import { messageOf } from "../core/errors.ts";
import { nodeSqlite } from "../core/node-sqlite.ts";
import { nearest } from "../core/options.ts";
import { physicalColumn } from "./ddl-columns.ts";
import type { ColumnFacts, EntityFacts } from "./facts.ts";
import { quoteIdentifier } from "./quote.ts";

/** SQLite's code for a row that breaks a CHECK. */
const CONSTRAINT_CHECK = 275;
/** SQLite notices a moment that passes, as in `date('now')`, only when there is a row. */
const CHANGES = /^non-deterministic use/;
/** Where SQLite met it: for a check that is the index that it was tried in. */
const PLACE = / in (?:partial index WHERE clauses|an index|CHECK constraints|a CHECK constraint)$/;
const UNKNOWN_COLUMN = /^no such column: "?(?:[^".]+\.)?([^". ]+)/;

type Judged = Pick<EntityFacts, "table" | "columns" | "checks" | "indexes">;

/** Conditions as they are tried: in the table, and as those of indexes. */
interface Trial {
  readonly checks: readonly string[];
  /** A check is tried here too, because an index takes only what is always the same. */
  readonly wheres: readonly string[];
}

/** Why a condition of the entity cannot work, or undefined when all of them can. */
export function conditionProblem(facts: Judged): string | undefined {
  const checks = facts.checks.map(({ expression }) => expression);
  const partial = facts.indexes.filter(({ where }) => where !== undefined);
  const wheres = [...checks, ...partial.map(({ where = "" }) => where)];
  if (wheres.length === 0) return undefined;
  // Nearly always all is well, which one database tells; otherwise each is tried by itself.
  if (errorOf(tableSql(facts, { checks, wheres }), rowSql(facts)) === undefined) return undefined;
  for (const { name, expression } of facts.checks) {
    const what = `the check "${name}" (${expression})`;
    const refusal = refusalOf(facts, { checks: [expression], wheres: [expression] });
    if (refusal !== undefined) return `${what} cannot work: ${refusal}`;
    if (!isBrokenByDefaults(facts, expression)) continue;
    return `a row of defaults breaks ${what}; change one of the defaults or the check`;
  }
  for (const { name, where = "" } of partial) {
    const refusal = refusalOf(facts, { checks: [], wheres: [where] });
    if (refusal !== undefined)
      return `where of the index "${name}" (${where}) cannot work: ${refusal}`;
  }
  return undefined;
}

/** What SQLite has against a condition, whatever the values of the row, and what to do. */
function refusalOf(facts: Judged, trial: Trial): string | undefined {
  const definition = tableSql(facts, trial);
  const ofRow = errorOf(definition, rowSql(facts));
  const error = ofRow !== undefined && CHANGES.test(ofRow.message) ? ofRow : errorOf(definition);
  if (error === undefined) return undefined;
  return `${error.message.replace(PLACE, "")}; ${adviceOn(facts, error.message)}`;
}

/** A check that names a column without a literal default cannot be judged before there is a row. */
function isBrokenByDefaults(facts: Judged, check: string): boolean {
  const columns = facts.columns.filter((column) => column.default?.from === "value");
  if (columns.length === 0) return false;
  const given = { ...facts, columns };
  const definition = tableSql(given, { checks: [check], wheres: [] });
  return errorOf(definition, rowSql(given))?.code === CONSTRAINT_CHECK;
}

function tableSql(facts: Judged, { checks, wheres }: Trial): string {
  const table = quoteIdentifier(facts.table);
  const parts = [...columnsSql(facts), ...checks.map((check) => `CHECK (${check})`)];
  const column = quoteIdentifier(facts.columns[0]?.name ?? "");
  const indexes = wheres.map(
    (where, index) => `CREATE INDEX "judged_${index}" ON ${table} (${column}) WHERE (${where}\n);`,
  );
  return `CREATE TABLE ${table} (${parts.join(", ")});${indexes.join("")}`;
}

function columnsSql({ table, columns }: Judged): readonly string[] {
  return columns.map((column) => {
    const { name, type, default: value } = physicalColumn(table, column, "sqlite");
    return `${quoteIdentifier(name)} ${type}${value === undefined ? "" : ` DEFAULT (${value})`}`;
  });
}

function rowSql({ table }: Judged): string {
  return `INSERT INTO ${quoteIdentifier(table)} DEFAULT VALUES;`;
}

interface SqliteError {
  readonly message: string;
  readonly code: unknown;
}

function errorOf(...statements: readonly string[]): SqliteError | undefined {
  const { DatabaseSync } = nodeSqlite();
  const database = new DatabaseSync(":memory:");
  try {
    database.exec(statements.join(""));
    return undefined;
  } catch (error) {
    return { message: messageOf(error), code: (error as { readonly errcode?: unknown }).errcode };
  } finally {
    database.close();
  }
}

function adviceOn({ columns }: Judged, message: string): string {
  const unknown = UNKNOWN_COLUMN.exec(message)?.[1];
  if (unknown === undefined) {
    return (
      "write one expression over the columns of the table, in words that both databases know, " +
      "whose answer is always the same, without subqueries and comments"
    );
  }
  return meantBy(unknown, columns);
}

/** Most often somebody has written the property. */
function meantBy(unknown: string, columns: readonly ColumnFacts[]): string {
  const names = columns.map(({ name }) => name);
  const own = columns.find(({ property }) => property === unknown)?.name;
  if (own !== undefined) return `write "${own}": columns have their SQL names in conditions`;
  const near = nearest(unknown, names);
  if (near !== undefined) return `is "${near}" meant`;
  return `write columns by their SQL names (${names.join(", ")}) and texts in single quotes`;
}
