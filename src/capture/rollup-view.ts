/**
 * The view by which a rollup is read on SQLite. It gives what `SELECT … GROUP BY` over the source
 * would: counters as they are, sums put together from their two parts, the rest from an index.
 *
 * A sum that does not fit into 64 bits is left to `sum()`, which raises. While the rollup is
 * marked, because its triggers were missing for a while, the view reads the source instead of the
 * counters, so that what it gives is right then, too, though not fast.
 */

import type { ColumnFacts, MeasureFact } from "../schema/facts.ts";
import type { PhysicalObject } from "../schema/physical.ts";
import { quoteIdentifier } from "../schema/quote.ts";
import {
  allOf,
  collate,
  distinctName,
  isCounted,
  isInGroup,
  keyColumns,
  keyValues,
  nameLiteral,
  ROLLUP_MARKS,
  ROWS,
  type RollupPlan,
  sourceCondition,
  sumNames,
  valuesName,
} from "./rollup-plan.ts";

/** A name that no table of the user has. */
const GROUP = '"springhouse_group"';

/**
 * The view. Neither part of it is an aggregate itself, for then SQLite would work out columns that
 * nobody has asked for, and one that overflows would fail them all.
 */
export function rollupView(plan: RollupPlan): PhysicalObject {
  const { facts, table } = plan;
  const { measures } = plan.rollup;
  const marks = `SELECT 1 FROM ${ROLLUP_MARKS} WHERE "name" = ${nameLiteral(plan)}`;
  const select = (measureOf: (measure: MeasureFact) => string): string => {
    const keys = keyColumns(plan).map((name) => `${GROUP}.${name}`);
    const columns = [...keys, ...measures.map(measureOf)];
    const names = facts.columns.map(({ name }) => quoteIdentifier(name));
    return `SELECT ${columns.map((column, at) => `${column} AS ${names[at]}`).join(",\n  ")}`;
  };
  const sql =
    `CREATE VIEW ${quoteIdentifier(facts.table)} AS\n` +
    `${select((measure) => keptMeasure(plan, measure))}\n` +
    `FROM ${quoteIdentifier(table)} AS ${GROUP}\nWHERE NOT EXISTS (${marks})\nUNION ALL\n` +
    `${select((measure) => readMeasure(plan, measure))}\n` +
    `FROM (${groupsOf(plan, `EXISTS (${marks})`)}) AS ${GROUP}`;
  return { kind: "view", name: facts.table, table: plan.source.table, sql };
}

/** The keys that rows of the source have. */
function groupsOf(plan: RollupPlan, condition: string): string {
  const source = quoteIdentifier(plan.source.table);
  const names = keyColumns(plan);
  const columns = keyValues(plan, `${source}.`).map((value, at) => `${value} AS ${names[at]}`);
  const keys = plan.rollup.groups.flatMap((group) =>
    group.column === undefined
      ? []
      : [`${source}.${quoteIdentifier(group.column.name)}${collate(group)}`],
  );
  const end = keys.length === 0 ? "LIMIT 1" : `GROUP BY ${keys.join(", ")}`;
  const where = allOf(sourceCondition(plan), condition);
  return `SELECT ${columns.join(", ")} FROM ${source} WHERE ${where} ${end}`;
}

/** A measure from the row of the group, as far as it is there. */
function keptMeasure(plan: RollupPlan, measure: MeasureFact): string {
  const { aggregate } = measure;
  if (aggregate === "count") {
    return `${GROUP}.${measure.column === undefined ? ROWS : valuesName(measure.column)}`;
  }
  if (aggregate === "countDistinct") {
    return `${GROUP}.${distinctName(measure.column, measure.collation)}`;
  }
  const isSum = aggregate === "sum" || aggregate === "avg";
  if (isSum && isCounted(measure.column)) return keptSum(plan, measure);
  return readMeasure(plan, measure);
}

/** The upper part takes over what the lower one has too much; what fits is put together. */
function keptSum(
  plan: RollupPlan,
  measure: MeasureFact & { readonly column: ColumnFacts },
): string {
  const { aggregate, column } = measure;
  const names = sumNames(column);
  const [high, low] = [`${GROUP}.${names.high}`, `${GROUP}.${names.low}`];
  const values = `${GROUP}.${valuesName(column)}`;
  const carried = `(${high} + (${low} >> 32))`;
  const sum = `((${carried} << 32) | (${low} & 4294967295))`;
  const result = aggregate === "sum" ? sum : `CAST(${sum} AS REAL) / ${values}`;
  const none = column.nullable ? `WHEN ${values} = 0 THEN NULL ` : "";
  return (
    `CASE ${none}WHEN ${carried} BETWEEN -2147483648 AND 2147483647 THEN ${result} ` +
    `ELSE ${readMeasure(plan, measure)} END`
  );
}

/** A measure from the rows of the group, by an index that begins with its key. */
function readMeasure(plan: RollupPlan, measure: MeasureFact): string {
  const { aggregate, column } = measure;
  const source = quoteIdentifier(plan.source.table);
  const where = allOf(isInGroup(plan, `${source}.`, `${GROUP}.`), sourceCondition(plan));
  if (aggregate === "topK") return top(plan, measure, where);
  const value = column === undefined ? "*" : quoteIdentifier(column.name);
  const call =
    aggregate === "countDistinct"
      ? `count(DISTINCT ${value}${collate(measure)})`
      : `${aggregate}(${value})`;
  return `(SELECT ${call} FROM ${source} WHERE ${where})`;
}

function top(
  { source }: RollupPlan,
  { column, of, count, order }: Extract<MeasureFact, { readonly aggregate: "topK" }>,
  where: string,
): string {
  const by = quoteIdentifier(column.name);
  const key = source.primaryKey.map(({ name }) => quoteIdentifier(name)).join(", ");
  const told =
    of.kind === "boolean"
      ? `json(CASE "told" WHEN 0 THEN 'false' WHEN 1 THEN 'true' END)`
      : '"told"';
  const given = column.nullable ? ` AND ${by} IS NOT NULL` : "";
  return (
    `(SELECT json_group_array(${told}) FROM (SELECT ${quoteIdentifier(of.name)} AS "told" ` +
    `FROM ${quoteIdentifier(source.table)} WHERE ${where}${given} ` +
    `ORDER BY ${by} ${order.toUpperCase()}, ${key} LIMIT ${count}))`
  );
}
