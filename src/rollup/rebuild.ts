/**
 * Makes a rollup anew while the program goes on.
 *
 * What is missing or altered is made again first, in one transaction with a mark. From then on
 * every write is counted, and while the mark stands the view reads the source. Then the groups are
 * recounted a range of keys at a time, each in a transaction of its own that also moves the mark
 * on: a group is right from its recount on, because the triggers keep it so. Killed at any moment,
 * the next call goes on where the mark stands; two at once share the work.
 *
 * The mark holds the key up to which groups have been recounted as the literals that SQLite's
 * `quote` gives, so that no value is read otherwise than it is stored.
 */

import { setTimeout as sleep } from "node:timers/promises";
import { sourcesOf } from "../capture/rollup.ts";
import {
  collate,
  type FilledTable,
  filledTables,
  fillSql,
  keyColumns,
  keyValues,
  nameLiteral,
  ROLLUP_MARKS,
  type RollupPlan,
} from "../capture/rollup-plan.ts";
import { throwIfAborted } from "../core/abort.ts";
import { assert } from "../core/assert.ts";
import { SpringhouseError } from "../core/errors.ts";
import { refuseUnknownKeys } from "../core/options.ts";
import type { Catalog } from "../schema/catalog.ts";
import type { PhysicalObject } from "../schema/physical.ts";
import { quoteIdentifier } from "../schema/quote.ts";
import type { Session, Statement, Store, StoreTransaction } from "../store/store.ts";
import { findRollup, newerTriggers, readTexts, wrongObjects } from "./state.ts";

/** How to rebuild. */
export interface RebuildOptions {
  /**
   * Rows of the source in one transaction, about; a group is never divided, so one with more rows
   * takes one that is longer. Default: 5,000.
   */
  readonly batchRows?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: RebuildProgress) => void;
}

/** How far a rebuild has come. */
export interface RebuildProgress {
  readonly name: string;
  /** Rows of the source that have been recounted in this run. */
  readonly rows: number;
  /** Rows that the source had when it began. */
  readonly rowsTotal: number;
}

/** What a rebuild did. */
export interface RebuildResult {
  readonly name: string;
  readonly rows: number;
  readonly batches: number;
  /** Whether it went on where another had stopped. */
  readonly resumed: boolean;
  /** Tables, triggers and views that were made again. */
  readonly repaired: readonly string[];
}

const OPTIONS = ["batchRows", "signal", "onProgress"];
/** About ten milliseconds of the write lock. */
const BATCH_ROWS = 5_000;
/** Other processes try for the lock once in a millisecond. */
const PAUSE_MS = 1;
/** Marks: groups with NULL in the key are next; then the others, from their beginning. */
const AT_NULLS = "nulls";
const AT_BEGINNING = "";

/**
 * Makes one rollup anew.
 *
 * @throws `INVALID_ARGUMENT` for an unknown name; `ABORTED`, and the next call goes on from there.
 */
export async function rebuildRollup(
  store: Store,
  catalog: Catalog,
  name: string,
  options: RebuildOptions = {},
): Promise<RebuildResult> {
  refuseUnknownKeys(options, OPTIONS, "rebuild");
  const { batchRows = BATCH_ROWS, signal, onProgress } = options;
  if (!Number.isSafeInteger(batchRows) || batchRows < 1) {
    const message = `rebuild: batchRows is a whole number from 1, not ${String(batchRows)}.`;
    throw new SpringhouseError("INVALID_ARGUMENT", message, { fields: { batchRows } });
  }
  const plan = findRollup(catalog, name);
  throwIfAborted(signal, "The rebuild");
  const { repaired, resumed } = await inTransaction(store, (tx) => begin(tx, catalog, plan));
  const rowsTotal = await countRows(store, plan);
  let rows = 0;
  for (let batches = 1; ; batches++) {
    const batch = await inTransaction(store, (tx) => recount(tx, plan, batchRows));
    rows += batch?.rows ?? 0;
    onProgress?.({ name, rows: Math.min(rows, rowsTotal), rowsTotal });
    if (batch === undefined || batch.isLast) return { name, rows, batches, resumed, repaired };
    await sleep(PAUSE_MS);
    throwIfAborted(signal, "The rebuild");
  }
}

/** A large group may take longer than transactions usually may. */
function inTransaction<T>(
  store: Store,
  run: (transaction: StoreTransaction) => Promise<T>,
): Promise<T> {
  return store.transaction(run, { deadlineFor: "pauses" });
}

async function countRows(session: Session, { source }: RollupPlan): Promise<number> {
  const sql = `SELECT count(*) FROM ${quoteIdentifier(source.table)}`;
  return Number((await session.read({ sql, parameters: [] })).rows[0]?.[0]);
}

/**
 * Makes everything of the source's rollups again that is not as it was made, and marks those that
 * it was of, for writes have passed them by. The one that is asked for is marked in any case.
 */
async function begin(
  tx: StoreTransaction,
  catalog: Catalog,
  wanted: RollupPlan,
): Promise<{ readonly repaired: readonly string[]; readonly resumed: boolean }> {
  const parts = sourcesOf(catalog).find(({ source }) => source === wanted.source);
  assert(parts !== undefined, "a rollup has a source");
  const { shared, rollups } = parts;
  const before = await readTexts(tx);
  const isOutdated = newerTriggers(before, parts).length > 0;
  const isSharedWrong = isOutdated || wrongObjects(before, shared).length > 0;
  const broken = rollups.filter(
    ({ objects }) => isSharedWrong || wrongObjects(before, objects).length > 0,
  );
  const all = [...shared, ...rollups.flatMap(({ objects }) => objects)];
  const outdated = shared.filter(({ kind }) => isOutdated && kind === "trigger");
  const repaired = await repair(tx, [...wrongObjects(before, all), ...outdated], all);
  const marks = [
    ...broken.map(({ plan }) => mark(plan, 'UPDATE SET "cursor" = excluded."cursor"')),
    mark(wanted, "NOTHING"),
  ];
  const results = await tx.write(marks);
  return { repaired, resumed: results.at(-1)?.changes === 0 && broken.length === 0 };
}

function mark(plan: RollupPlan, onConflict: string): Statement {
  const start = plan.hasNullKeys ? AT_NULLS : AT_BEGINNING;
  return {
    sql:
      `INSERT INTO ${ROLLUP_MARKS} ("name", "cursor") VALUES (${nameLiteral(plan)}, '${start}') ` +
      `ON CONFLICT ("name") DO ${onConflict}`,
    parameters: [],
  };
}

/** A table that goes takes its triggers along, so what is missing is looked up again. */
async function repair(
  tx: StoreTransaction,
  wrong: readonly PhysicalObject[],
  objects: readonly PhysicalObject[],
): Promise<readonly string[]> {
  if (wrong.length === 0) return [];
  const rank = ({ kind }: PhysicalObject): number => (kind === "table" ? 1 : 0);
  const drops = wrong
    .toSorted((a, b) => rank(a) - rank(b))
    .map(({ kind, name }) => `DROP ${kind.toUpperCase()} IF EXISTS ${quoteIdentifier(name)}`);
  await tx.write(drops.map((sql) => ({ sql, parameters: [] })));
  const missing = wrongObjects(await readTexts(tx), objects).toSorted((a, b) => rank(b) - rank(a));
  await tx.write(missing.map(({ sql }) => ({ sql, parameters: [] })));
  return missing.map(({ kind, name }) => `${kind} ${name}`);
}

/** Recounts the next groups; undefined when another has come to the end meanwhile. */
async function recount(
  tx: StoreTransaction,
  plan: RollupPlan,
  batchRows: number,
): Promise<{ readonly rows: number; readonly isLast: boolean } | undefined> {
  const isOurs = `"name" = ${nameLiteral(plan)}`;
  const at = await one(tx, `SELECT "cursor" FROM ${ROLLUP_MARKS} WHERE ${isOurs}`);
  if (at === undefined) return undefined;
  const end = at === AT_NULLS ? undefined : await endOf(tx, plan, at, batchRows);
  const next = at === AT_NULLS ? AT_BEGINNING : end;
  const rangeOf = (columns: readonly string[]): string => rangeCondition(plan, columns, at, end);
  const statements = filledTables(plan).flatMap((table) => refill(plan, table, rangeOf));
  const move =
    next === undefined
      ? `DELETE FROM ${ROLLUP_MARKS} WHERE ${isOurs}`
      : `UPDATE ${ROLLUP_MARKS} SET "cursor" = ? WHERE ${isOurs}`;
  await tx.write([
    ...statements.map((sql) => ({ sql, parameters: [] })),
    { sql: move, parameters: next === undefined ? [] : [next] },
  ]);
  const source = quoteIdentifier(plan.source.table);
  const counted = `SELECT count(*) FROM ${source} WHERE ${rangeOf(keyValues(plan, ""))}`;
  return { rows: Number(await one(tx, counted)), isLast: next === undefined };
}

function refill(
  plan: RollupPlan,
  table: FilledTable,
  rangeOf: (columns: readonly string[]) => string,
): readonly string[] {
  return [
    `DELETE FROM ${quoteIdentifier(table.name)} WHERE ${rangeOf(keyColumns(plan))}`,
    fillSql(table, rangeOf(keyValues(plan, ""))),
  ];
}

/** The key of the group in which the batch ends, as literals; undefined for the end of all. */
function endOf(
  tx: StoreTransaction,
  plan: RollupPlan,
  at: string,
  batchRows: number,
): Promise<string | undefined> {
  const keys = keyValues(plan, "");
  const order = collated(plan, keys).join(", ");
  const quoted = keys.map((key) => `quote(${key})`).join(" || ', ' || ");
  const where = rangeCondition(plan, keys, at, undefined);
  return one(
    tx,
    `SELECT ${quoted} FROM ${quoteIdentifier(plan.source.table)} WHERE ${where} ` +
      `ORDER BY ${order} LIMIT 1 OFFSET ${batchRows - 1}`,
  );
}

/** Keys after `at`, up to `end`. */
function rangeCondition(
  plan: RollupPlan,
  columns: readonly string[],
  at: string,
  end: string | undefined,
): string {
  if (at === AT_NULLS) return `(${columns.map((column) => `${column} IS NULL`).join(" OR ")})`;
  const key = `(${collated(plan, columns).join(", ")})`;
  const conditions = [
    ...(plan.hasNullKeys ? columns.map((column) => `${column} IS NOT NULL`) : []),
    ...(at === AT_BEGINNING ? [] : [`${key} > (${at})`]),
    ...(end === undefined ? [] : [`${key} <= (${end})`]),
  ];
  return conditions.join(" AND ") || "TRUE";
}

function collated({ rollup }: RollupPlan, columns: readonly string[]): readonly string[] {
  return rollup.groups.map((group, index) => `${columns[index]}${collate(group)}`);
}

/** The one value that a query gives, as text; undefined when it gives no row. */
async function one(session: Session, sql: string): Promise<string | undefined> {
  const value = (await session.read({ sql, parameters: [] })).rows[0]?.[0];
  return value === undefined ? undefined : String(value);
}
