/**
 * Compares what is kept of rollups with a recount, in one snapshot, the types of values included.
 * What is not kept (least and greatest values, sums of REAL) cannot be wrong.
 */

import {
  type FilledTable,
  filledTables,
  keyColumns,
  type RollupPlan,
} from "../capture/rollup-plan.ts";
import { lowerAscii } from "../core/lower-ascii.ts";
import type { Catalog } from "../schema/catalog.ts";
import { quoteIdentifier } from "../schema/quote.ts";
import type { CallOptions, Session, SqlValue, Statement } from "../store/store.ts";
import { findRollup, rollupStates } from "./state.ts";

/** The values of one group. */
export type GroupValues = Readonly<Record<string, SqlValue>>;

/** A group that is not as it should be. */
export interface WrongGroup {
  /** The table that is wrong: the counters, or the values that are counted once. */
  readonly table: string;
  /** By SQL name. */
  readonly key: GroupValues;
  /** What is kept; undefined when the group is missing. */
  readonly kept: GroupValues | undefined;
  /** What a recount gives; undefined when there is no such group. */
  readonly actual: GroupValues | undefined;
}

/** What `verify` found about one rollup. */
export interface RollupReport {
  readonly name: string;
  readonly ok: boolean;
  /** What is missing or altered, as `state` tells it. */
  readonly problems: readonly string[];
  /** The first hundred groups of each table that are wrong. */
  readonly wrong: readonly WrongGroup[];
  /** Whether there may be more of them. */
  readonly isCut: boolean;
}

/** Nobody reads more, and `rebuild` does not need them. */
const WRONG_MAX = 100;

/**
 * Compares rollups with a recount.
 *
 * @param names of the rollups. Default: all of them.
 * @throws `INVALID_ARGUMENT` for an unknown name.
 */
export async function verifyRollups(
  session: Session,
  catalog: Catalog,
  names: readonly string[] = catalog.rollups.map(({ table }) => table),
  options: CallOptions = {},
): Promise<readonly RollupReport[]> {
  const plans = names.map((name) => findRollup(catalog, name));
  const states = await rollupStates(session, catalog);
  const reports: RollupReport[] = [];
  for (const plan of plans) {
    const name = plan.facts.table;
    const { problems = [] } = states.find((state) => state.name === name) ?? {};
    const missing = problems.some((problem) => problem.startsWith("table "));
    const wrong = missing ? [] : await wrongGroups(session, plan, options);
    const cut = wrong.filter((_, index) => index < WRONG_MAX);
    reports.push({
      name,
      ok: problems.length === 0 && wrong.length === 0,
      problems,
      wrong: cut,
      isCut: wrong.length > cut.length,
    });
  }
  return reports;
}

async function wrongGroups(
  session: Session,
  plan: RollupPlan,
  options: CallOptions,
): Promise<readonly WrongGroup[]> {
  const wrong: WrongGroup[] = [];
  for (const table of filledTables(plan)) {
    const { rows } = await session.read(comparison(table), options);
    const keyLength = keyColumns(plan).length;
    wrong.push(...pair(table, keyLength, rows));
  }
  return wrong;
}

/** Rows of one side that the other does not have; types are compared as columns of their own. */
function comparison({ name, columns, compared, rows }: FilledTable): Statement {
  const list = columns.join(", ");
  const types = columns.map((column) => `typeof(${column})`);
  const values = compared.map((column, index) => `${column} AS ${columns[index]}`);
  const typed = [...values, ...types].join(", ");
  const kept = `SELECT ${typed} FROM ${quoteIdentifier(name)}`;
  const actual = `SELECT ${typed} FROM "springhouse_actual"`;
  const without = (left: string, right: string, side: string): string =>
    `SELECT ${side}, ${list} FROM (${left} EXCEPT ${right} LIMIT ${WRONG_MAX + 1})`;
  return {
    sql:
      `WITH "springhouse_actual" (${list}) AS MATERIALIZED (${rows()}) ` +
      `${without(kept, actual, "'kept'")} UNION ALL ${without(actual, kept, "'actual'")}`,
    parameters: [],
  };
}

/** Both sides of one group together. */
function pair(
  { name, columns, compared }: FilledTable,
  keyLength: number,
  rows: readonly (readonly SqlValue[])[],
): readonly WrongGroup[] {
  const names = columns.map((column) => column.slice(1, -1).replaceAll('""', '"'));
  const groups = new Map<string, WrongGroup>();
  for (const [side, ...values] of rows) {
    const key = recordOf(names.slice(0, keyLength), values);
    const content = recordOf(names.slice(keyLength), values.slice(keyLength));
    const isValue = names[keyLength] === ".value";
    const id = values
      .slice(0, keyLength + (isValue ? 1 : 0))
      .map((value, index) => idOf(value, compared[index]?.endsWith("NOCASE") ?? false))
      .join();
    const known = groups.get(id) ?? { table: name, key, kept: undefined, actual: undefined };
    groups.set(id, side === "kept" ? { ...known, kept: content } : { ...known, actual: content });
  }
  return [...groups.values()];
}

function recordOf(names: readonly string[], values: readonly SqlValue[]): GroupValues {
  return Object.fromEntries(names.map((name, index) => [name, values[index] ?? null]));
}

function idOf(value: SqlValue, isFolded: boolean): string {
  const text = value instanceof Uint8Array ? Buffer.from(value).toString("hex") : String(value);
  return `${typeof value} ${isFolded ? lowerAscii(text) : text}`;
}
