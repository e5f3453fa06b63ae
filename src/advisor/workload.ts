/**
 * What a database is asked: statements, how often and how long. It comes from a file that an
 * application has recorded, or from a script of statements.
 */

import { readFile } from "node:fs/promises";
import { messageOf, SpringhouseError } from "../core/errors.ts";
import { fingerprintOf, maskLiterals } from "../core/sql-fingerprint.ts";
import { splitStatements } from "../migrate/sql-script.ts";

/** One statement of a workload. */
export interface WorkloadStatement {
  readonly sql: string;
  /** How often it ran. */
  readonly count: number;
  /** Milliseconds of all runs; 0 when they are not known. */
  readonly totalMs: number;
  /** Rows that all runs gave or changed; 0 when they are not known. */
  readonly rows: number;
}

/** A workload. */
export interface Workload {
  readonly statements: readonly WorkloadStatement[];
  /** How long was recorded, milliseconds; 0 for a script. */
  readonly recordedMs: number;
}

/** What a recorded file says that it is. */
export const WORKLOAD_FORMAT = "springhouse-workload-1";
/** A program has some hundreds of statements; more are built as strings and tell nothing. */
export const WORKLOAD_STATEMENTS_MAX = 500;
/** 16 MB: a workload is a list of statements, not a log. */
const FILE_BYTES_MAX = 16 * 1_024 * 1_024;

/**
 * Reads a workload from a recorded file or a script of statements, each ended by a semicolon.
 *
 * @throws `INVALID_ARGUMENT` naming the file, and the line where there is one.
 */
export async function readWorkload(path: string): Promise<Workload> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw invalid(path, messageOf(error));
  });
  if (bytes.length > FILE_BYTES_MAX)
    throw invalid(path, `it has more than ${FILE_BYTES_MAX} bytes`);
  return parseWorkload(bytes.toString("utf8"), path);
}

/** The workload in a text. @param source names it in messages. */
export function parseWorkload(text: string, source: string): Workload {
  if (text.trimStart().startsWith("{")) return parseRecorded(text, source);
  const statements = new Map<string, WorkloadStatement>();
  for (const { sql, line } of scriptOf(text, source)) {
    const count = (statements.get(sql)?.count ?? 0) + 1;
    statements.set(sql, { sql, count, totalMs: 0, rows: 0 });
    if (statements.size > WORKLOAD_STATEMENTS_MAX) {
      const distinct = `more than ${WORKLOAD_STATEMENTS_MAX} different statements`;
      throw invalid(`${source}:${line}`, `${distinct}; give each one once, with ? for its values`);
    }
  }
  return { statements: [...statements.values()], recordedMs: 0 };
}

/** The text of a recorded file. */
export function renderRecorded({ recordedMs, statements }: Workload): string {
  return `${JSON.stringify({ format: WORKLOAD_FORMAT, recordedMs, statements }, undefined, 1)}\n`;
}

/**
 * Two workloads as one. Where texts of one fingerprint differ, the literals do: they are values and
 * no part of the program, and are left out. The statements that took most time stay.
 */
export function mergeWorkloads(one: Workload, other: Workload): Workload {
  const merged = new Map<string, WorkloadStatement>();
  for (const statement of [...one.statements, ...other.statements]) {
    const key = fingerprintOf(statement.sql);
    const known = merged.get(key);
    merged.set(key, known === undefined ? statement : sumOf(known, statement));
  }
  const statements = [...merged.values()].toSorted((a, b) => b.totalMs - a.totalMs);
  return {
    statements: statements.slice(0, WORKLOAD_STATEMENTS_MAX),
    recordedMs: one.recordedMs + other.recordedMs,
  };
}

function sumOf(one: WorkloadStatement, other: WorkloadStatement): WorkloadStatement {
  return {
    sql: one.sql === other.sql ? one.sql : maskLiterals(one.sql),
    count: one.count + other.count,
    totalMs: one.totalMs + other.totalMs,
    rows: one.rows + other.rows,
  };
}

function parseRecorded(text: string, source: string): Workload {
  let parsed: { format?: unknown; recordedMs?: unknown; statements?: unknown };
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw invalid(source, messageOf(error));
  }
  const { format, recordedMs, statements } = parsed;
  const isWhole =
    format === WORKLOAD_FORMAT &&
    isAmount(recordedMs) &&
    Array.isArray(statements) &&
    statements.length <= WORKLOAD_STATEMENTS_MAX &&
    statements.every(isStatement);
  if (!isWhole) throw invalid(source, `it is no recorded workload (${WORKLOAD_FORMAT})`);
  return { statements, recordedMs };
}

function scriptOf(text: string, source: string): ReturnType<typeof splitStatements> {
  try {
    return splitStatements(text, source);
  } catch (error) {
    throw invalid(source, messageOf(error));
  }
}

function isStatement(value: unknown): value is WorkloadStatement {
  if (typeof value !== "object" || value === null) return false;
  const { sql, count, totalMs, rows } = value as Partial<WorkloadStatement>;
  return typeof sql === "string" && [count, totalMs, rows].every(isAmount);
}

function isAmount(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}

function invalid(source: string, problem: string): SpringhouseError {
  const message = `The workload ${source} cannot be used: ${problem}.`;
  return new SpringhouseError("INVALID_ARGUMENT", message, { fields: { source } });
}
