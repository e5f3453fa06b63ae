/**
 * What is kept of a rollup on SQLite, and how each part of it follows from rows.
 *
 * A group is a row of counters that are added to and taken from, so that they stay exact whatever
 * the order of the writes: the rows, the rows with a value, and a sum of whole numbers as two sums,
 * of the upper and of the lower 32 bits. Neither overflows before there are 2^31 rows, so nothing
 * is lost when a sum does not fit into 64 bits for a while. Different values are counted by how
 * many rows have each of them.
 *
 * The rest is not kept. The least and greatest values are one step away in an index that begins
 * with the group. A sum of REAL depends on the order of its additions, so no running total equals
 * `sum()`; it is read from the rows of the group in that index.
 */

import { hashText } from "../core/hash.ts";
import { lowerAscii } from "../core/lower-ascii.ts";
import { physicalColumn } from "../schema/ddl-columns.ts";
import type {
  Collation,
  ColumnFacts,
  EntityFacts,
  GroupFact,
  MeasureFact,
  RollupFact,
} from "../schema/facts.ts";
import { literal, quoteIdentifier, quoteList } from "../schema/quote.ts";

/** The table with a row for each rollup that is to be made anew, and how far that has come. */
export const ROLLUP_MARKS = "springhouse_rollups";

/** A number of each group. */
export interface Counter {
  /** Column of the counters, quoted. */
  readonly name: string;
  /** What a row adds to it: SQL over `OLD`, `NEW` or a table. */
  readonly of: (row: string) => string;
  /** What all rows of a group come to. */
  readonly total: string;
  /** Absent for the number of rows, to which every row adds the same. */
  readonly column?: ColumnFacts;
}

/** The different values of one column in each group. */
export interface Distinct {
  /** Counter in the row of the group, quoted. */
  readonly name: string;
  readonly column: ColumnFacts;
  readonly collation: Collation;
  /** The table of values, without quotes. */
  readonly table: string;
}

/** A rollup, planned. */
export interface RollupPlan {
  /** The view. */
  readonly facts: EntityFacts;
  readonly rollup: RollupFact;
  readonly source: EntityFacts;
  /** The table of the counters, without quotes. */
  readonly table: string;
  readonly counters: readonly Counter[];
  readonly distincts: readonly Distinct[];
  /** Columns of the source that the condition mentions. */
  readonly conditionColumns: readonly ColumnFacts[];
  /** Whether a part of the key can be NULL, which no unique key holds together. */
  readonly hasNullKeys: boolean;
}

/** The counter of rows, quoted. */
export const ROWS = '".rows"';
/** The value of a row of values, quoted. */
export const VALUE = '".value"';

/** Plans a rollup. */
export function planRollup(facts: EntityFacts, rollup: RollupFact): RollupPlan {
  const { source, groups, measures, where = "" } = rollup;
  const counters = new Map<string, Counter>();
  const distincts = new Map<string, Distinct>();
  const add = (counter: Counter): unknown => counters.set(counter.name, counter);
  add({ name: ROWS, of: () => "1", total: "count(*)" });
  for (const measure of measures) {
    for (const counter of countersOf(measure)) add(counter);
    if (measure.aggregate !== "countDistinct") continue;
    const { column, collation } = measure;
    const name = distinctName(column, collation);
    const table = `${rollupTable(facts.table)}.${measure.name}`;
    if (!distincts.has(name)) distincts.set(name, { name, column, collation, table });
  }
  const text = lowerAscii(where);
  return {
    facts,
    rollup,
    source,
    table: rollupTable(facts.table),
    counters: [...counters.values()],
    distincts: [...distincts.values()],
    // More than it means is fine: a name may be part of another, or stand in a text.
    conditionColumns: source.columns.filter(({ name }) =>
      text.includes(lowerAscii(name).replaceAll('"', '""')),
    ),
    hasNullKeys: groups.some(({ column }) => column?.nullable === true),
  };
}

/** The table of the counters of a rollup, without quotes. */
export function rollupTable(name: string): string {
  return `springhouse_rollup_${name}`;
}

/** Whether a sum is kept; one of REAL is read from the rows. */
export function isCounted({ kind }: ColumnFacts): boolean {
  return kind !== "real";
}

/** The counter of rows with a value in the column, quoted. */
export function valuesName({ name, nullable }: ColumnFacts): string {
  return nullable ? quoteIdentifier(`${name}.count`) : ROWS;
}

/** The two parts of a sum, quoted. */
export function sumNames({ name }: ColumnFacts): { readonly high: string; readonly low: string } {
  return { high: quoteIdentifier(`${name}.high`), low: quoteIdentifier(`${name}.low`) };
}

/** The counter of different values, quoted. */
export function distinctName({ name }: ColumnFacts, collation: Collation): string {
  return quoteIdentifier(`${name}.distinct.${collation}`);
}

function countersOf(measure: MeasureFact): readonly Counter[] {
  const { aggregate, column } = measure;
  if (column === undefined) return [];
  if (aggregate === "count") return valuesOf(column);
  if ((aggregate !== "sum" && aggregate !== "avg") || !isCounted(column)) return [];
  const { high, low } = sumNames(column);
  const part = (row: string, operation: string): string => {
    const value = `${row}${quoteIdentifier(column.name)} ${operation}`;
    return column.nullable ? `ifnull(${value}, 0)` : `(${value})`;
  };
  const sum = (name: string, operation: string): Counter => ({
    name,
    of: (row) => part(row, operation),
    total: `sum(${part("", operation)})`,
    column,
  });
  return [...valuesOf(column), sum(high, ">> 32"), sum(low, "& 4294967295")];
}

function valuesOf(column: ColumnFacts): readonly Counter[] {
  if (!column.nullable) return [];
  const value = quoteIdentifier(column.name);
  const of = (row: string): string => `(${row}${value} IS NOT NULL)`;
  return [{ name: valuesName(column), of, total: `count(${value})`, column }];
}

/** The key of a row of the source. */
export function keyValues({ rollup }: RollupPlan, row: string): readonly string[] {
  return rollup.groups.map(({ column }) =>
    column === undefined ? "1" : `${row}${quoteIdentifier(column.name)}`,
  );
}

/** The columns of the key, quoted. */
export function keyColumns({ rollup }: RollupPlan): readonly string[] {
  return rollup.groups.map(({ name }) => quoteIdentifier(name));
}

/** Whether two keys are one, given part by part. */
export function sameKey(
  { rollup, hasNullKeys }: RollupPlan,
  left: readonly string[],
  right: readonly string[],
): string {
  const equals = hasNullKeys ? "IS" : "=";
  return rollup.groups
    .map((group, index) => `${left[index]}${collate(group)} ${equals} ${right[index]}`)
    .join(" AND ");
}

/** Whether a row of the source is in the group whose key stands in columns of `group`. */
export function isInGroup(plan: RollupPlan, row: string, group: string): string {
  const own = keyColumns(plan).map((name) => `${group}${name}`);
  if (plan.rollup.groups.every(({ column }) => column === undefined)) return "TRUE";
  return sameKey(plan, keyValues(plan, row), own);
}

/** The collation of a comparison, said where it is text, so that the source need not have it. */
export function collate({ column, collation }: Pick<GroupFact, "column" | "collation">): string {
  const isText = column !== undefined && columnType(column) === "TEXT";
  return isText ? ` COLLATE ${collation.toUpperCase()}` : "";
}

function columnType(column: ColumnFacts): string {
  return physicalColumn("", column, "sqlite").type;
}

/** The condition on rows of the source, for where they have their own name. */
export function sourceCondition({ rollup }: RollupPlan): string | undefined {
  return rollup.where === undefined ? undefined : `(${rollup.where}\n)`;
}

/** The condition on one row; its columns get their own names back, so that the text stays as is. */
export function rowCondition(plan: RollupPlan, row: string): string | undefined {
  const condition = sourceCondition(plan);
  if (condition === undefined) return undefined;
  const columns = plan.conditionColumns.map(({ name }) => {
    const column = quoteIdentifier(name);
    return `${row}${column} AS ${column}`;
  });
  const values = columns.length === 0 ? "1" : columns.join(", ");
  return `(SELECT ${condition} FROM (SELECT ${values}) AS ${quoteIdentifier(plan.source.table)})`;
}

/** Joins the conditions that there are; `TRUE` when there is none. */
export function allOf(...conditions: readonly (string | undefined)[]): string {
  return conditions.filter((condition) => condition !== undefined).join(" AND ") || "TRUE";
}

/** A table that is filled from the source. */
export interface FilledTable {
  readonly name: string;
  readonly sql: string;
  /** All columns, quoted: the key first. */
  readonly columns: readonly string[];
  /** The same with the collations by which they are compared. */
  readonly compared: readonly string[];
  /** SELECT of what it has to hold, for rows of the source that meet the condition. */
  readonly rows: (condition?: string) => string;
}

/** The tables of a rollup: counters, then values. */
export function filledTables(plan: RollupPlan): readonly FilledTable[] {
  return [countersTable(plan), ...plan.distincts.map((distinct) => valuesTable(plan, distinct))];
}

function countersTable(plan: RollupPlan): FilledTable {
  const { table, counters, distincts } = plan;
  const names = [...counters, ...distincts].map(({ name }) => name);
  const totals = [
    ...counters.map(({ total }) => total),
    ...distincts.map(
      (distinct) => `count(DISTINCT ${quoteIdentifier(distinct.column.name)}${collate(distinct)})`,
    ),
  ];
  const groups = plan.rollup.groups.flatMap((group) =>
    group.column === undefined ? [] : [`${quoteIdentifier(group.column.name)}${collate(group)}`],
  );
  const end = groups.length === 0 ? "HAVING count(*) > 0" : `GROUP BY ${groups.join(", ")}`;
  return filledTable(plan, table, {
    columns: names.map((name) => `${name} INTEGER`),
    names,
    key: keyColumns(plan),
    compared: names,
    rows: (condition) =>
      `SELECT ${[...keyValues(plan, ""), ...totals].join(", ")} ` +
      `FROM ${quoteIdentifier(plan.source.table)} ` +
      `WHERE ${allOf(sourceCondition(plan), condition)} ${end}`,
  });
}

function valuesTable(plan: RollupPlan, distinct: Distinct): FilledTable {
  const { column } = distinct;
  const value = quoteIdentifier(column.name);
  const groups = plan.rollup.groups.flatMap((group) =>
    group.column === undefined ? [] : [`${quoteIdentifier(group.column.name)}${collate(group)}`],
  );
  return filledTable(plan, distinct.table, {
    columns: [`${VALUE} ${columnType(column)} NOT NULL${collate(distinct)}`, `${ROWS} INTEGER`],
    names: [VALUE, ROWS],
    key: [...keyColumns(plan), VALUE],
    compared: [`${VALUE}${collate(distinct)}`, ROWS],
    rows: (condition) =>
      `SELECT ${[...keyValues(plan, ""), value, "count(*)"].join(", ")} ` +
      `FROM ${quoteIdentifier(plan.source.table)} ` +
      `WHERE ${allOf(`${value} IS NOT NULL`, sourceCondition(plan), condition)} ` +
      `GROUP BY ${[...groups, `${value}${collate(distinct)}`].join(", ")}`,
  });
}

interface TableParts {
  readonly columns: readonly string[];
  readonly names: readonly string[];
  readonly key: readonly string[];
  readonly compared: readonly string[];
  readonly rows: (condition?: string) => string;
}

/**
 * The name of the key says what the table is of and, by a hash, what it holds: another definition
 * makes another text, and so another table. No column is STRICT, for nothing may fail in a write.
 */
function filledTable(plan: RollupPlan, name: string, parts: TableParts): FilledTable {
  const { hasNullKeys, rollup, source } = plan;
  const keys = rollup.groups.map((group) => {
    const type = group.column === undefined ? "INTEGER" : columnType(group.column);
    const rule = hasNullKeys ? "" : " NOT NULL";
    return `${quoteIdentifier(group.name)} ${type}${rule}${collate(group)}`;
  });
  const isRowid =
    keys.length === 1 && parts.key.length === 1 && /^"[^"]*" INTEGER/.test(keys[0] ?? "");
  const hash = hashText(parts.rows()).slice(0, HASH_LENGTH);
  const of = quoteIdentifier(`of ${source.table} ${hash}`);
  const lines = [
    ...keys,
    ...parts.columns,
    `CONSTRAINT ${of} ${hasNullKeys ? "UNIQUE" : "PRIMARY KEY"} (${parts.key.join(", ")})`,
  ];
  const end = hasNullKeys || isRowid ? "" : " WITHOUT ROWID";
  return {
    name,
    sql: `CREATE TABLE ${quoteIdentifier(name)} (\n  ${lines.join(",\n  ")}\n)${end}`,
    columns: [...keyColumns(plan), ...parts.names],
    compared: [
      ...rollup.groups.map((group) => `${quoteIdentifier(group.name)}${collate(group)}`),
      ...parts.compared,
    ],
    rows: parts.rows,
  };
}

/** Eight hexadecimal digits, as in the names that are derived from long ones. */
const HASH_LENGTH = 8;

/** INSERT of what a table has to hold. */
export function fillSql({ name, columns, rows }: FilledTable, condition?: string): string {
  return `INSERT INTO ${quoteIdentifier(name)} (${columns.join(", ")}) ${rows(condition)}`;
}

/** The name of a rollup as a text of SQL. */
export function nameLiteral({ facts }: RollupPlan): string {
  return literal(facts.table, "sqlite");
}

/** Names of columns, quoted. */
export function namesOf(columns: readonly ColumnFacts[]): string {
  return quoteList(columns.map(({ name }) => name));
}
