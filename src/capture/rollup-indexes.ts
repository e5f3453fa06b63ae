/**
 * Indexes of a source that its rollups read: each begins with the key of the groups, so that a
 * group is found without reading the others, and goes on with a column whose least or greatest
 * value, or whose sum of REAL, is asked for. What the source has already is not made again.
 */

import type { ColumnFacts, EntityFacts } from "../schema/facts.ts";
import type { PhysicalIndex, PhysicalObject } from "../schema/physical.ts";
import { quoteIdentifier } from "../schema/quote.ts";
import { collate, isCounted, type RollupPlan, sourceCondition } from "./rollup-plan.ts";

/** Indexes as data, and those with a collation as text. */
export interface RollupIndexes {
  readonly indexes: readonly PhysicalIndex[];
  readonly objects: readonly PhysicalObject[];
}

interface Wanted {
  readonly plan: RollupPlan;
  readonly columns: readonly ColumnFacts[];
  readonly where: string | undefined;
}

/** What the rollups need and the sources lack. */
export function rollupIndexes(plans: readonly RollupPlan[]): RollupIndexes {
  const wanted = plans.flatMap(wantedBy).filter(({ columns }) => columns.length > 0);
  // The longest first: it serves those who want its beginning.
  const longest = wanted.toSorted((a, b) => b.columns.length - a.columns.length);
  const made: Wanted[] = [];
  for (const entry of longest) {
    if (!isThere(entry) && !made.some((other) => serves(other, entry))) made.push(entry);
  }
  const isPlain = ({ plan }: Wanted): boolean =>
    plan.rollup.groups.every(({ collation }) => collation === "binary");
  return {
    indexes: made.filter(isPlain).map(toIndex),
    objects: made.filter((entry) => !isPlain(entry)).map(toObject),
  };
}

function wantedBy(plan: RollupPlan): readonly Wanted[] {
  const keys = plan.rollup.groups.flatMap(({ column }) => column ?? []);
  const sought = plan.rollup.measures.flatMap((measure) => {
    const { aggregate, column } = measure;
    if (aggregate === "min" || aggregate === "max" || aggregate === "topK") return [measure.column];
    const isRead = (aggregate === "sum" || aggregate === "avg") && !isCounted(measure.column);
    return isRead && column !== undefined ? [column] : [];
  });
  const where = sourceCondition(plan);
  return [
    { plan, columns: keys, where: undefined },
    ...sought
      .filter((column) => !keys.includes(column))
      .map((column) => ({ plan, columns: [...keys, column], where })),
  ];
}

/** Whether the source has an index, or a key, that begins with these columns. */
function isThere({ plan, columns, where }: Wanted): boolean {
  if (plan.rollup.groups.some(({ collation }) => collation !== "binary")) return false;
  const names = columns.map(({ name }) => name);
  const begins = (given: readonly string[]): boolean =>
    names.every((name, index) => given[index] === name);
  return where === undefined ? hasIndex(plan.source, begins) : false;
}

function hasIndex(
  { primaryKey, uniques, indexes }: EntityFacts,
  begins: (names: readonly string[]) => boolean,
): boolean {
  return (
    begins(primaryKey.map(({ name }) => name)) ||
    uniques.some((unique) => begins(unique.columns)) ||
    indexes.some(
      ({ columns, where }) => where === undefined && begins(columns.map(({ name }) => name)),
    )
  );
}

function serves(made: Wanted, wanted: Wanted): boolean {
  return (
    made.plan.source === wanted.plan.source &&
    made.where === wanted.where &&
    wanted.columns.every((column, index) => made.columns[index] === column) &&
    collations(made).startsWith(collations(wanted))
  );
}

function collations({ plan }: Wanted): string {
  return plan.rollup.groups.map((group) => `${group.collation},`).join("");
}

function nameOf({ plan, columns }: Wanted): string {
  return `${plan.table}.by.${columns.map(({ name }) => name).join(".")}`;
}

function toIndex(wanted: Wanted): PhysicalIndex {
  const { plan, columns, where } = wanted;
  return {
    name: nameOf(wanted),
    table: plan.source.table,
    columns: columns.map(({ name }) => ({ name, descending: false })),
    unique: false,
    ...(where === undefined ? {} : { where }),
  };
}

function toObject(wanted: Wanted): PhysicalObject {
  const { plan, columns, where } = wanted;
  const name = nameOf(wanted);
  const parts = columns.map((column, index) => {
    const group = plan.rollup.groups[index];
    return `${quoteIdentifier(column.name)}${group === undefined ? "" : collate(group)}`;
  });
  const condition = where === undefined ? "" : ` WHERE ${where}`;
  const table = quoteIdentifier(plan.source.table);
  const sql = `CREATE INDEX ${quoteIdentifier(name)} ON ${table} (${parts.join(", ")})${condition}`;
  return { kind: "index", name, table: plan.source.table, sql };
}
