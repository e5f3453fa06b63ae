/**
 * The last step, which changes the target or leaves it as it is: a new file is renamed into place,
 * and rows for one that is there are taken over in one transaction.
 */

import { existsSync, linkSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { isSpringhouseError, SpringhouseError } from "../../core/errors.ts";
import { quoteIdentifier, quoteList } from "../../schema/quote.ts";
import type { Connection } from "../../sqlite/connection.ts";
import { toSpringhouseError } from "../../sqlite/errors.ts";
import { COMPANIONS, syncFile } from "../../sqlite/files.ts";
import { checkMessages } from "../integrity.ts";
import type { LandedTable, Landing, RefusedRow, TableShape, TableSum } from "./plan.ts";
import { newOrphans, type Orphan, orphansOf, refusedByTarget, refusedOrphans } from "./refused.ts";
import { RowSum, sumText } from "./row-hash.ts";
import type { Stage } from "./stage.ts";

/** The table with a row for every import that was finished. */
const LEDGER = "springhouse_imports";
const CREATE_LEDGER = `CREATE TABLE IF NOT EXISTS %${LEDGER} (
  identity TEXT PRIMARY KEY,
  finished_ms INTEGER NOT NULL,
  report TEXT NOT NULL
) STRICT`;
const CHUNK_ROWS = 500;
const PROBLEMS_MAX = 20;

/** What stands in the ledger about an import. */
export interface LedgerEntry {
  readonly identity: string;
  readonly report: string;
  readonly nowMs: number;
}

/**
 * Compares what is stored with what was given, and checks pages and references.
 *
 * @returns rows of a new file that refer to nothing.
 * @throws `CORRUPT` when something differs.
 */
export function verifyStage(stage: Stage): readonly RefusedRow[] {
  const { connection, plan } = stage;
  for (const [index, shape] of plan.shapes.entries()) {
    const given = stage.state.sums[index];
    if (given === undefined || given.rows === 0) continue;
    const stored = sumOf(connection, shape);
    if (stored.rows === given.rows && sumText(stored) === sumText(given)) continue;
    throw new SpringhouseError(
      "CORRUPT",
      `${shape.table} holds other values than were given: ${stored.rows} rows of ${given.rows}, ` +
        "or a column that changes them, such as numbers out of texts. Nothing was imported.",
      { fields: { table: shape.table, stored: sumText(stored), given: sumText(given) } },
    );
  }
  const checked = connection.askAll(`PRAGMA integrity_check(${PROBLEMS_MAX})`);
  const problems = checkMessages(checked);
  if (problems.length > 0) {
    const message = `The new file is damaged: ${problems.join("; ")}. Nothing was imported.`;
    throw new SpringhouseError("CORRUPT", message, { fields: { problems } });
  }
  if (!plan.isNew) return [];
  const orphans = orphansOf(connection, "main");
  const refused = refusedOrphans(connection, "main", plan.shapes, orphans, refusedMax(stage));
  if (refused.length === 0) refuseOrphans(orphans);
  return refused;
}

/**
 * Makes the staging file the target.
 *
 * @throws `UNOPENABLE` when a file of that name has come meanwhile.
 */
export function placeNew(stage: Stage, entry: LedgerEntry): void {
  const { connection, plan } = stage;
  connection.control("ANALYZE");
  connection.control("BEGIN IMMEDIATE");
  note(connection, "", entry);
  stage.dropState();
  connection.control("COMMIT");
  connection.ask("PRAGMA wal_checkpoint(TRUNCATE)");
  stage[Symbol.dispose]();
  moveInto(plan.staging, plan.target);
}

/** Gives the file its name; nothing of that name is replaced. */
export function moveInto(staging: string, target: string): void {
  syncFile(staging);
  try {
    linkSync(staging, target);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") throw cameMeanwhile(target, error);
    // A file system without links: what comes between the look and the renaming is replaced.
    if (existsSync(target)) throw cameMeanwhile(target, error);
    renameSync(staging, target);
  }
  for (const name of [...COMPANIONS, ""]) rmSync(staging + name, { force: true });
  syncFile(dirname(target));
}

/** The report of a finished import with this identity; undefined when there was none. */
export function finishedReport(connection: Connection, identity: string): string | undefined {
  try {
    const sql = `SELECT report FROM ${LEDGER} WHERE identity = ?`;
    const [report] = connection.ask(sql, identity);
    return report === undefined ? undefined : String(report);
  } catch (error) {
    // A database into which nothing was imported yet has no such table.
    if (isSpringhouseError(error, "SQL")) return undefined;
    throw error;
  }
}

/**
 * Takes the rows over into a target that is there, in one transaction.
 *
 * @param entry undefined to take everything back at the end.
 * @returns what was done, or the rows that the target refuses; it is as before then.
 * @throws what the target refuses when that is no row.
 */
export function landInto(stage: Stage, entry: LedgerEntry | undefined): Landing {
  return withTarget(stage, (connection) => {
    try {
      return inTransaction(connection, () => {
        const before = orphansOf(connection, "target", tablesThere(stage));
        const landed = ofShapes(stage, (shape) => landTable(connection, shape));
        const after = orphansOf(connection, "target", tablesThere(stage));
        refuseOrphans(newOrphans(after, before));
        if (entry === undefined) connection.control("ROLLBACK");
        else note(connection, "target.", entry);
        return { landed };
      });
    } catch (error) {
      if (!isSpringhouseError(error, "CONSTRAINT")) throw error;
      const refused = inTransaction(connection, () => findRefused(stage));
      if (refused.length === 0) throw error;
      return { refused };
    }
  });
}

/** Commits, unless the transaction has been ended already. */
function inTransaction<T>(connection: Connection, run: () => T): T {
  connection.control("BEGIN IMMEDIATE");
  try {
    connection.control("PRAGMA defer_foreign_keys = ON");
    const result = run();
    if (connection.inTransaction) connection.control("COMMIT");
    return result;
  } catch (error) {
    if (connection.inTransaction) connection.control("ROLLBACK");
    throw error;
  }
}

/** Lands a few rows at a time, notes those that do not land, and takes everything back. */
function findRefused(stage: Stage): readonly RefusedRow[] {
  const { connection, plan } = stage;
  const rowsMax = refusedMax(stage);
  const before = orphansOf(connection, "target", tablesThere(stage));
  const refused: RefusedRow[] = [];
  for (const [index, shape] of plan.shapes.entries()) {
    if ((stage.state.sums[index]?.rows ?? 0) === 0) continue;
    createMissing(connection, shape);
    const { table, columns } = shape;
    const marks = columns.map(() => "?").join(", ");
    const upsert = `INSERT INTO target.${quoteIdentifier(table)} (${quoteList(columns)})
      VALUES (${marks})${onConflict(shape)}`;
    const left = rowsMax - refused.length;
    refused.push(...refusedByTarget(connection, index, shape, upsert, left));
  }
  const orphans = newOrphans(orphansOf(connection, "target", tablesThere(stage)), before);
  const left = rowsMax - refused.length;
  refused.push(...refusedOrphans(connection, "target", plan.shapes, orphans, Math.max(left, 0)));
  connection.control("ROLLBACK");
  return refused;
}

/** Enough to have too many rejects, if all are of different items. */
function refusedMax({ plan }: Stage): number {
  return plan.rejectsMax + 1;
}

function tablesThere({ connection, plan }: Stage): readonly string[] {
  const tables = [...new Set(plan.shapes.map(({ table }) => table))];
  return tables.filter((table) => hasTable(connection, table));
}

/** What `landInto` would do, without doing it. */
export function rehearse(stage: Stage): Landing {
  const { plan, state } = stage;
  if (!plan.isNew) return landInto(stage, undefined);
  return { landed: state.sums.map(({ rows }) => ({ inserted: rows, updated: 0 })) };
}

/** Shapes without rows change nothing. */
function ofShapes(
  { plan, state }: Stage,
  land: (shape: TableShape) => LandedTable,
): readonly LandedTable[] {
  return plan.shapes.map((shape, index) =>
    (state.sums[index]?.rows ?? 0) > 0 ? land(shape) : { inserted: 0, updated: 0 },
  );
}

function withTarget<T>(stage: Stage, run: (connection: Connection) => T): T {
  const { connection, plan } = stage;
  connection.control(`PRAGMA busy_timeout = ${plan.busyTimeoutMs}`);
  connection.ask("ATTACH ? AS target", plan.target);
  try {
    connection.control("PRAGMA target.synchronous = FULL");
    connection.control("PRAGMA foreign_keys = ON");
    return run(connection);
  } finally {
    connection.control("PRAGMA foreign_keys = OFF");
    connection.control("DETACH target");
  }
}

function landTable(connection: Connection, shape: TableShape): LandedTable {
  const { table, columns } = shape;
  const name = quoteIdentifier(table);
  createMissing(connection, shape);
  const count = (): number => Number(connection.ask(`SELECT count(*) FROM target.${name}`)[0]);
  const before = count();
  const list = quoteList(columns);
  const sql = `INSERT INTO target.${name} (${list}) SELECT ${list} FROM main.${name}
    WHERE true${onConflict(shape)}`;
  const { changes } = connection.run({ sql, parameters: [] });
  const inserted = count() - before;
  refuseOthers(connection, shape, inserted);
  return { inserted, updated: changes - inserted };
}

function createMissing(connection: Connection, { table, create }: TableShape): void {
  if (create === undefined || hasTable(connection, table)) return;
  connection.run({ sql: create.replace(/^CREATE TABLE /, "$&target."), parameters: [] });
}

function onConflict(shape: TableShape): string {
  return shape.key.length === 0 ? "" : ` ON CONFLICT (${quoteList(shape.key)}) ${updateOf(shape)}`;
}

/** Only what differs is written, so that a second import of the same is hardly a write at all. */
function updateOf({ table, columns, key }: TableShape): string {
  const rest = columns.filter((name) => !key.includes(name)).map(quoteIdentifier);
  if (rest.length === 0) return "DO NOTHING";
  const changed = rest.map((name) => `${quoteIdentifier(table)}.${name} IS NOT excluded.${name}`);
  const set = rest.map((name) => `${name} = excluded.${name}`).join(", ");
  return `DO UPDATE SET ${set} WHERE ${changed.join(" OR ")}`;
}

/** Compares count and contents with what was to be written. */
function refuseOthers(connection: Connection, shape: TableShape, inserted: number): void {
  const [staged] = connection.ask(`SELECT count(*) FROM main.${quoteIdentifier(shape.table)}`);
  const stored =
    shape.key.length === 0
      ? inserted
      : connection.ask(`SELECT count(*) ${joined(shape)} AND ${sameValues(shape)}`)[0];
  if (Number(stored) === Number(staged)) return;
  throw new SpringhouseError(
    "CORRUPT",
    `${shape.table}: of ${staged} rows ${stored} stand in the target as they were given. A ` +
      "trigger or a column type there changes them. The target was left as it was.",
    { fields: { table: shape.table, staged: Number(staged), stored: Number(stored) } },
  );
}

function joined({ table, key }: TableShape): string {
  const on = key.map((name) => `s.${quoteIdentifier(name)} = t.${quoteIdentifier(name)}`);
  const name = quoteIdentifier(table);
  return `FROM main.${name} s JOIN target.${name} t ON ${on.join(" AND ")} WHERE true`;
}

function sameValues({ columns }: TableShape): string {
  return columns
    .map(quoteIdentifier)
    .map((name) => `s.${name} IS t.${name}`)
    .join(" AND ");
}

function sumOf(connection: Connection, { table, columns }: TableShape): TableSum {
  const sum = new RowSum();
  const sql = `SELECT ${quoteList(columns)} FROM ${quoteIdentifier(table)}`;
  using cursor = connection.openCursor({ sql, parameters: [] });
  for (let isDone = false; !isDone; ) {
    const { rows, done } = cursor.next(CHUNK_ROWS);
    for (const row of rows) sum.add(row);
    isDone = done;
  }
  return sum.total;
}

function hasTable(connection: Connection, table: string): boolean {
  const sql = "SELECT 1 FROM target.sqlite_schema WHERE type = 'table' AND name = ? COLLATE NOCASE";
  return connection.ask(sql, table).length > 0;
}

function refuseOrphans(orphans: readonly Orphan[]): void {
  if (orphans.length === 0) return;
  const pairs = Map.groupBy(orphans, ({ table, parent }) => `${table} → ${parent}`);
  const problems = [...pairs].map(([pair, rows]) => `${pair}: ${rows.length} rows`);
  throw new SpringhouseError(
    "CONSTRAINT",
    `Rows refer to nothing: ${problems.join("; ")}. Nothing was imported.`,
    { fields: { problems } },
  );
}

function note(connection: Connection, schema: string, entry: LedgerEntry): void {
  connection.run({ sql: CREATE_LEDGER.replace("%", schema), parameters: [] });
  const sql = `INSERT INTO ${schema}${LEDGER} VALUES (?, ?, ?) ON CONFLICT (identity)
    DO UPDATE SET finished_ms = excluded.finished_ms, report = excluded.report`;
  connection.run({ sql, parameters: [entry.identity, entry.nowMs, entry.report] });
}

function cameMeanwhile(path: string, cause: unknown): SpringhouseError {
  const message = `${path} was made by somebody else meanwhile, and was left as it is.`;
  return toSpringhouseError(
    new SpringhouseError("UNOPENABLE", message, { cause, fields: { path } }),
  );
}
