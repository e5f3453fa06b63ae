/** Measurements on a copy: statements, indexes, writes. Runs in the child process. */

import type { DatabaseSync } from "node:sqlite";
import type { SqlValue } from "../core/statement.ts";
import { quoteIdentifier, quoteList } from "../schema/quote.ts";
import { bytesOf, stepsOver } from "./copy-file.ts";
import type { TableFacts } from "./facts.ts";
import { all, rowidSpan } from "./inspect.ts";
import { type PlanLine, parsePlan, planText } from "./plan.ts";

/** Asks for the plan and the time of one statement. */
export interface MeasureRequest {
  readonly kind: "measure";
  readonly copy: string;
  readonly sql: string;
  readonly parameters: readonly (readonly SqlValue[])[];
}

/** What it answers. */
export interface Measured {
  readonly plan: readonly string[];
  /** Indexes that the plan uses. */
  readonly indexes: readonly string[];
  /** Of one run, the shortest for each set of parameters, and their mean. */
  readonly ms: number;
}

/** Asks to make or drop an index. */
export interface ChangeRequest {
  readonly kind: "change";
  readonly copy: string;
  readonly sql: string;
  /** The index whose size is wanted, before it is dropped or after it was made. */
  readonly index: string;
  readonly table: TableFacts;
}

/** What an index costs. */
export interface Changed {
  readonly ms: number;
  readonly bytes: number;
  /** What a row that is deleted and inserted again costs without and with the change. */
  readonly usPerRowBefore: number;
  readonly usPerRowAfter: number;
}

/** Runs of one set of parameters: the first one warms the pages. */
const RUNS = 3;
/** A statement that takes longer is run once: it is not its noise that counts. */
const SLOW_MS = 50;
/** Rows that a program takes from one result; more would measure how they become objects. */
const ROWS_MAX = 10_000;
/** Temporary tables. They would hide tables of the database that are called so. */
const KEYS = "springhouse_advisor_keys";
const WRITTEN = "springhouse_advisor_written";
/** Rows that are written to learn what a write costs. */
const WRITTEN_ROWS = 500;
/** The shortest of so many counts. */
const WRITE_RUNS = 9;

/** Explains and times a statement. */
export function measure(copy: DatabaseSync, { sql, parameters }: MeasureRequest): Measured {
  const lines = copy.prepare(`EXPLAIN QUERY PLAN ${sql}`).all() as unknown as PlanLine[];
  const plan = parsePlan(lines);
  const statement = copy.prepare(sql);
  statement.setReturnArrays(true);
  statement.setReadBigInts(true);
  let total = 0;
  for (const values of parameters) {
    let shortest = Number.POSITIVE_INFINITY;
    for (let run = 0; run < RUNS; run++) {
      const startMs = performance.now();
      let rows = 0;
      for (const _ of statement.iterate(...values)) if (++rows >= ROWS_MAX) break;
      shortest = Math.min(shortest, performance.now() - startMs);
      if (shortest > SLOW_MS) break;
    }
    total += shortest;
  }
  const indexes = plan.steps.flatMap(({ by, index }) => (by === "index" ? (index ?? []) : []));
  return { plan: planText(plan), indexes, ms: total / parameters.length };
}

/** Makes or drops an index, and measures a write of the table before and after. */
export function change(copy: DatabaseSync, { sql, index, table }: ChangeRequest): Changed {
  gatherRows(copy, table);
  const bytesBefore = bytesOf(copy, index);
  const usPerRowBefore = writeUs(copy, table);
  const startMs = performance.now();
  copy.exec(sql);
  const ms = performance.now() - startMs;
  const bytes = Math.max(bytesBefore, bytesOf(copy, index));
  return { ms, bytes, usPerRowBefore, usPerRowAfter: writeUs(copy, table) };
}

/** Rows from all over the table, and their keys, in temporary tables. */
function gatherRows(copy: DatabaseSync, table: TableFacts): void {
  const name = `main.${quoteIdentifier(table.name)}`;
  const key = keyOf(table);
  copy.exec(`DROP TABLE IF EXISTS temp.${KEYS}; DROP TABLE IF EXISTS temp.${WRITTEN};
    CREATE TEMP TABLE ${KEYS} AS ${keysOf(copy, table, key)} LIMIT ${WRITTEN_ROWS};
    CREATE TEMP TABLE ${WRITTEN} AS SELECT ${quoteList(table.columns)} FROM ${name}
      WHERE (${key}) IN (SELECT * FROM temp.${KEYS})`);
}

/** Asks for the keys of rows; of a table with rowids, those at even distances. */
function keysOf(copy: DatabaseSync, { name: table, rowid }: TableFacts, key: string): string {
  const name = `main.${quoteIdentifier(table)}`;
  if (rowid === undefined) return `SELECT ${key} FROM ${name}`;
  const [low, high] = rowidSpan(copy, name, rowid) ?? [0, 0];
  const stride = Math.max(1, Math.floor((high - low + 1) / WRITTEN_ROWS));
  return `WITH RECURSIVE ${stepsOver(name, rowid, stride)}
    SELECT step.at FROM step WHERE step.at IS NOT NULL`;
}

/**
 * Microseconds to delete a row and to insert it again, which is also what an UPDATE of an indexed
 * column does to the index. The rows are put back.
 */
function writeUs(copy: DatabaseSync, table: TableFacts): number {
  const name = `main.${quoteIdentifier(table.name)}`;
  const columns = quoteList(table.columns);
  const rows = Number(all(copy, `SELECT count(*) FROM temp.${KEYS}`)[0]?.[0]);
  if (rows === 0) return 0;
  let shortest = Number.POSITIVE_INFINITY;
  for (let run = 0; run < WRITE_RUNS; run++) {
    copy.exec("SAVEPOINT written");
    const startMs = performance.now();
    copy.exec(`DELETE FROM ${name} WHERE (${keyOf(table)}) IN (SELECT * FROM temp.${KEYS});
      INSERT INTO ${name} (${columns}) SELECT * FROM temp.${WRITTEN}`);
    shortest = Math.min(shortest, performance.now() - startMs);
    copy.exec("ROLLBACK TO written; RELEASE written");
  }
  return (shortest * 1_000) / rows;
}

/** What tells its rows apart; where columns have all names of rowids NULL, which nothing equals. */
function keyOf({ rowid, primaryKey }: TableFacts): string {
  return rowid ?? (primaryKey.length > 0 ? quoteList(primaryKey) : "NULL");
}
