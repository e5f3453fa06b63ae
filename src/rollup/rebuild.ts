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
import { AT_BEGINNING, AT_NULLS, beginningOf, markRollup } from "../capture/rollup-marks.ts";
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
import {
  earlierTriggers,
  newerTriggers,
  sourceTriggers,
  wrongObjects,
} from "../capture/rollup-problems.ts";
import { throwIfAborted } from "../core/abort.ts";
import { assert } from "../core/assert.ts";
import { SpringhouseError } from "../core/errors.ts";
import { refuseUnknownKeys } from "../core/options.ts";
import type { Catalog } from "../schema/catalog.ts";
import type { PhysicalObject } from "../schema/physical.ts";
import { quoteIdentifier } from "../schema/quote.ts";
import type { Session, Statement, Store } from "../store/store.ts";
import { findRollup, readTexts } from "./state.ts";

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
  const { repaired, resumed, isHopeless } = await begin(store, catalog, plan);
  const rowsTotal = await countRows(store, plan);
  let rows = 0;
  for (let batches = 1; ; batches++) {
    const batch = await recount(store, plan, batchRows, isHopeless);
    rows += batch?.rows ?? 0;
    onProgress?.({ name, rows: Math.min(rows, rowsTotal), rowsTotal });
    if (batch === undefined || batch.isLast) return { name, rows, batches, resumed, repaired };
    await sleep(PAUSE_MS);
    throwIfAborted(signal, "The rebuild");
  }
}

async function countRows(session: Session, { source }: RollupPlan): Promise<number> {
  const sql = `SELECT count(*) FROM ${quoteIdentifier(source.table)}`;
  return Number((await session.read({ sql, parameters: [] })).rows[0]?.[0]);
}

/** How a rebuild begins. */
interface Beginning {
  readonly repaired: readonly string[];
  readonly resumed: boolean;
  /** A trigger that nothing helps against stands in the way: the mark stays behind the recount. */
  readonly isHopeless: boolean;
}

/**
 * Makes everything of the source's rollups again that is not as it was made, and marks those that
 * it was of, for writes have passed them by. The one that is asked for is marked in any case. It is
 * one unit: whoever makes the same at the same time only does it once more.
 */
async function begin(store: Store, catalog: Catalog, wanted: RollupPlan): Promise<Beginning> {
  const parts = sourcesOf(catalog).find(({ source }) => source === wanted.source);
  assert(parts !== undefined, "a rollup has a source");
  const { shared, rollups } = parts;
  const texts = await readTexts(store);
  const outdated = newerTriggers(texts, parts).length > 0 ? sourceTriggers(parts) : [];
  const isSharedWrong = outdated.length > 0 || wrongObjects(texts, shared).length > 0;
  const broken = rollups.filter(
    ({ objects }) => isSharedWrong || wrongObjects(texts, objects).length > 0,
  );
  const all = [...shared, ...rollups.flatMap(({ objects }) => objects)];
  const { statements, made } = repair([...wrongObjects(texts, all), ...outdated], all);
  const results = await store.write([
    ...statements.map((sql) => ({ sql, parameters: [] })),
    ...broken.map(({ plan }) => markRollup(plan, "begins again")),
    markRollup(wanted, "goes on"),
  ]);
  return {
    repaired: made.map(({ kind, name }) => `${kind} ${name}`),
    resumed: results.at(-1)?.changes === 0 && broken.length === 0,
    isHopeless: earlierTriggers(texts, parts).length > 0,
  };
}

/** Drops what is wrong and makes it again. A table that goes takes its triggers along. */
function repair(
  wrong: readonly PhysicalObject[],
  all: readonly PhysicalObject[],
): { readonly statements: readonly string[]; readonly made: readonly PhysicalObject[] } {
  const tables = new Set(wrong.filter(({ kind }) => kind === "table").map(({ name }) => name));
  const made = all
    .filter((object) => {
      return (
        wrong.includes(object) || (object.kind === "trigger" && tables.has(object.table ?? ""))
      );
    })
    .toSorted((a, b) => rank(b) - rank(a));
  const drops = made
    .toReversed()
    .map(({ kind, name }) => `DROP ${kind.toUpperCase()} IF EXISTS ${quoteIdentifier(name)}`);
  return { statements: [...drops, ...made.map(({ sql }) => sql)], made };
}

/** Tables come first and go last. */
function rank({ kind }: PhysicalObject): number {
  return kind === "table" ? 1 : 0;
}

/**
 * Recounts the next groups; undefined when another has come to the end meanwhile. What the groups
 * are is asked before the transaction, so that nobody waits for this thread: another recount of the
 * same groups gives the same, and the mark moves only from where it was.
 */
async function recount(
  store: Store,
  plan: RollupPlan,
  batchRows: number,
  isHopeless: boolean,
): Promise<{ readonly rows: number; readonly isLast: boolean } | undefined> {
  const isOurs = `"name" = ${nameLiteral(plan)}`;
  const at = await one(store, `SELECT "cursor" FROM ${ROLLUP_MARKS} WHERE ${isOurs}`);
  if (at === undefined) return undefined;
  const end = at === AT_NULLS ? undefined : await endOf(store, plan, at, batchRows);
  const next = at === AT_NULLS ? AT_BEGINNING : end;
  const rangeOf = (columns: readonly string[]): string => rangeCondition(plan, columns, at, end);
  const statements = filledTables(plan).flatMap((table) => refill(plan, table, rangeOf));
  const source = quoteIdentifier(plan.source.table);
  const counted = `SELECT count(*) FROM ${source} WHERE ${rangeOf(keyValues(plan, ""))}`;
  const results = await store.write([
    ...[...statements, counted].map((sql) => ({ sql, parameters: [] })),
    moveMark(plan, at, next ?? (isHopeless ? beginningOf(plan) : undefined)),
  ]);
  const [[rows] = []] = results.at(-2)?.rows ?? [];
  return { rows: Number(rows), isLast: next === undefined };
}

/** Moves the mark, or takes it away; not when it is elsewhere by now. */
function moveMark(plan: RollupPlan, from: string, to: string | undefined): Statement {
  const isThere = `WHERE "name" = ${nameLiteral(plan)} AND "cursor" = ?`;
  return to === undefined
    ? { sql: `DELETE FROM ${ROLLUP_MARKS} ${isThere}`, parameters: [from] }
    : { sql: `UPDATE ${ROLLUP_MARKS} SET "cursor" = ? ${isThere}`, parameters: [to, from] };
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
  session: Session,
  plan: RollupPlan,
  at: string,
  batchRows: number,
): Promise<string | undefined> {
  const keys = keyValues(plan, "");
  const order = collated(plan, keys).join(", ");
  const quoted = keys.map((key) => `quote(${key})`).join(" || ', ' || ");
  const where = rangeCondition(plan, keys, at, undefined);
  return one(
    session,
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
