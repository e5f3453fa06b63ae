/**
 * What a statement of raw SQL reads, table by table. Two witnesses, because neither is enough: the
 * authorizer keeps silent about tables joined by USING and NATURAL, and the plan shows root pages,
 * not names. A table that either has seen counts; what cannot be named cannot be kept.
 */

import type { Reading } from "../change/footprint.ts";
import { refusalOfFunction, TABLE_FUNCTIONS } from "./functions.ts";

/** A row of `EXPLAIN`. */
export interface PlanStep {
  readonly opcode: string;
  readonly p1: number;
  readonly p2: number;
  readonly p3: number;
  readonly p4: unknown;
}

/** What the authorizer was asked while a statement was prepared. */
export interface Authorized {
  /** Tables, views and virtual tables, in lower case. */
  readonly reads: ReadonlySet<string>;
  /** Functions, in lower case. */
  readonly functions: ReadonlySet<string>;
  readonly writes: boolean;
}

/** The connection, as far as it is asked here. All answers must be of one schema version. */
export interface StatementProbe {
  explain(sql: string): readonly PlanStep[];
  /**
   * The ordinary tables of the main schema, in lower case, by the root pages of the table and of
   * its indexes. Neither `sqlite_schema` nor the tables that a virtual table keeps its data in.
   */
  schemaRoots(): ReadonlyMap<number, string>;
  authorized(sql: string): Authorized;
}

/** Opcodes that open a b-tree of a database: P2 is its root page, P3 the database. */
const OPENING: ReadonlySet<string> = new Set(["OpenRead", "OpenWrite", "ReopenIdx"]);

/** The database `main` in P3. */
const MAIN = 0;

/** The first word of the statements that only read. */
const QUERY = /^(?:\s+|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/|\()*(?:select|with|values)\b/i;
const PRAGMA = /^(?:\s+|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)*pragma\b/i;
const IS_PRAGMA =
  "The statement is no query: a PRAGMA tells of the file or of a connection, and not of rows.";

/** Reads one statement of raw SQL: whole tables, whatever the rows. */
export function readingOfSql(sql: string, probe: StatementProbe): Reading {
  const authorized = probe.authorized(sql);
  if (PRAGMA.test(sql)) return refused(IS_PRAGMA);
  if (authorized.writes) return refused("The statement writes.");
  if (!QUERY.test(sql)) return refused("The statement is no query.");
  for (const name of authorized.functions) {
    const refusal = refusalOfFunction(name);
    if (refusal !== undefined) return refused(refusal);
  }
  return readingOfPlan(probe.explain(sql), probe.schemaRoots(), authorized.reads);
}

function readingOfPlan(
  plan: readonly PlanStep[],
  roots: ReadonlyMap<number, string>,
  reads: ReadonlySet<string>,
): Reading {
  const known = new Set(roots.values());
  const tables = new Set([...reads].filter((name) => known.has(name)));
  for (const { opcode, p2, p3 } of plan) {
    if (!OPENING.has(opcode)) continue;
    if (p3 !== MAIN) return refused("The statement reads a temporary or attached database.");
    const table = roots.get(p2);
    if (table === undefined) return refused("The statement reads a table that is not followed.");
    tables.add(table);
  }
  const others = [...reads].filter((name) => !known.has(name));
  const refusal = refusalOfVirtual(plan, others);
  return refusal === undefined ? readingOfTables(tables) : refused(refusal);
}

/**
 * A virtual table has no root page and no log. Each that the plan opens must be one of the table
 * functions that the authorizer has named; views among the names make that impossible to tell.
 */
function refusalOfVirtual(
  plan: readonly PlanStep[],
  others: readonly string[],
): string | undefined {
  const opened = new Set(plan.filter((step) => step.opcode === "VOpen").map((step) => step.p4));
  if (opened.size === 0) return undefined;
  const strange = others.find((name) => !TABLE_FUNCTIONS.has(name));
  if (strange === undefined && others.length === opened.size) return undefined;
  return `The statement reads a virtual table${strange === undefined ? "" : `: ${strange}`}.`;
}

function readingOfTables(tables: ReadonlySet<string>): Reading {
  const atoms = [...tables].map((table) => ({
    table,
    columns: "all" as const,
    predicate: { kind: "always" as const },
  }));
  return { cacheable: true, footprint: { atoms } };
}

function refused(reason: string): Reading {
  return { cacheable: false, reason };
}
