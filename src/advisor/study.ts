/**
 * The look at a database that writes nothing: what each statement does now, which indexes the
 * planner would take, and which of those that stand are of no use. Runs in the child process, on a
 * read-only connection.
 */

import type { DatabaseSync } from "node:sqlite";
import { messageOf } from "../core/errors.ts";
import { lowerAscii } from "../core/lower-ascii.ts";
import type { SqlValue } from "../core/statement.ts";
import { aliasesIn } from "./aliases.ts";
import { EmptyCopy } from "./empty-copy.ts";
import { type DatabaseFacts, type TableFacts, tableNamed } from "./facts.ts";
import { inspect } from "./inspect.ts";
import { type Bindable, bindable, type ParameterSource } from "./parameters.ts";
import { indexesOf, planText } from "./plan.ts";
import { type Proposal, proposalsFor, type Searching } from "./proposals.ts";
import { type Redundancy, redundantIndexes } from "./redundant.ts";
import { Sampler } from "./sample.ts";

/** What is studied. */
export interface StudyRequest {
  readonly kind: "study";
  readonly path: string;
  readonly statements: readonly { readonly sql: string; readonly count: number }[];
  readonly smallRows: number;
}

/** What is known of one statement. */
export interface StudiedStatement {
  /** With `?` for every placeholder. */
  readonly sql: string;
  /** Why nothing can be said about it: the message of SQLite. */
  readonly problem: string | undefined;
  readonly plan: readonly string[];
  /** Indexes that its plan uses as the database stands. */
  readonly indexes: readonly string[];
  /** Values for its placeholders, several times; undefined where they cannot be found. */
  readonly parameters: readonly (readonly SqlValue[])[] | undefined;
  /** Tables that it writes, and which columns; null for all. */
  readonly written: ReadonlyMap<string, ReadonlySet<string> | null>;
}

/** What a study gives. */
export interface Study {
  readonly facts: DatabaseFacts;
  readonly statements: readonly StudiedStatement[];
  readonly proposals: readonly Proposal[];
  readonly redundant: readonly Redundancy[];
}

/** Times that a statement is measured with other values: one may be the exception. */
const PARAMETER_SETS = 2;
/** Rows of a page, when LIMIT is a placeholder. */
const LIMIT = 20;
/** Values in the list of a placeholder. */
const LIST_VALUES = 5;

/** Studies the statements on a database that is open for reading. */
export function study(database: DatabaseSync, request: StudyRequest): Study {
  const sampler = new Sampler(database);
  const facts = inspect(database, (table, rowid) => sampler.rows(table, rowid));
  using copy = new EmptyCopy(facts, sampler);
  const looked = request.statements.map(({ sql, count }) => lookAt(copy, sql, count));
  const searching = looked.flatMap(({ statement }, index) =>
    statement === undefined ? [] : [{ ...statement, index }],
  );
  const proposals = proposalsFor(copy, facts, searching, request.smallRows);
  const statements = looked.map(({ form, statement, problem }) => ({
    sql: form.sql,
    problem,
    plan: statement === undefined ? [] : planText(statement.now.plan),
    indexes: statement === undefined ? [] : indexesOf(statement.now.plan),
    parameters: statement && parametersOf(form, statement, facts, sampler),
    written: statement?.columns.written ?? new Map(),
  }));
  return {
    facts,
    statements,
    proposals: proposals.map((proposal) => ({
      ...proposal,
      statements: proposal.statements.flatMap((position) => searching[position]?.index ?? []),
    })),
    redundant: redundantIndexes(facts, request.smallRows),
  };
}

interface Looked {
  readonly form: Bindable;
  readonly statement: Searching | undefined;
  readonly problem: string | undefined;
}

function lookAt(copy: EmptyCopy, sql: string, count: number): Looked {
  const form = bindable(sql);
  try {
    const columns = copy.columnsOf(form.sql);
    const now = copy.explain(form.sql);
    return { form, statement: { sql: form.sql, count, columns, now }, problem: undefined };
  } catch (error) {
    return { form, statement: undefined, problem: messageOf(error) };
  }
}

/** Values from rows of the tables; all those of one table are of one row, so that they fit. */
function parametersOf(
  { sql, sources }: Bindable,
  { columns }: Searching,
  facts: DatabaseFacts,
  sampler: Sampler,
): readonly (readonly SqlValue[])[] | undefined {
  const aliases = aliasesIn(sql, facts);
  const tables = [...columns.searched.keys()].flatMap((name) => tableNamed(facts, name) ?? []);
  const rows = new Map<TableFacts, readonly (readonly SqlValue[])[]>();
  const valuesOf = (table: TableFacts, column: string): readonly SqlValue[] => {
    const found = rows.get(table) ?? sampler.wholeRows(table, PARAMETER_SETS * LIST_VALUES);
    rows.set(table, found);
    const position = positionOf(table, column);
    return found.map((row) => row[position] ?? null);
  };
  const sets: SqlValue[][] = Array.from(
    { length: sources.length > 0 ? PARAMETER_SETS : 1 },
    () => [],
  );
  for (const source of sources) {
    const table = source && tableOf(source, tables, aliases);
    for (const [index, set] of sets.entries()) {
      if (source?.kind === "limit") set.push(LIMIT);
      else if (source?.kind === "offset") set.push(0);
      else if (table === undefined || source === undefined) return undefined;
      else set.push(pickValue(source.kind, valuesOf(table, source.column), index));
    }
  }
  return sets;
}

function pickValue(kind: "column" | "list", values: readonly SqlValue[], index: number): SqlValue {
  if (kind === "column") return values[index] ?? null;
  const list = values.slice(index * LIST_VALUES, (index + 1) * LIST_VALUES);
  return JSON.stringify(list, (_, value: unknown) =>
    typeof value === "bigint" ? Number(value) : value,
  );
}

function tableOf(
  source: ParameterSource,
  tables: readonly TableFacts[],
  aliases: ReadonlyMap<string, TableFacts>,
): TableFacts | undefined {
  if (source.kind === "limit" || source.kind === "offset") return undefined;
  const { column, qualifier } = source;
  const alias = lowerAscii(qualifier ?? "");
  const named = tables.find(({ name }) => lowerAscii(name) === alias);
  const table = named ?? aliases.get(alias);
  if (table !== undefined) return positionOf(table, column) >= 0 ? table : undefined;
  return tables.find((candidate) => positionOf(candidate, column) >= 0);
}

function positionOf({ columns, primaryKey }: TableFacts, column: string): number {
  const named = (wanted: string): number =>
    columns.findIndex((candidate) => lowerAscii(candidate) === lowerAscii(wanted));
  const position = named(column);
  const [key] = primaryKey;
  const isRowid = lowerAscii(column) === "rowid" && primaryKey.length === 1;
  return position < 0 && isRowid && key !== undefined ? named(key) : position;
}
