/**
 * Reads on the main thread, for statements that are proven to touch at most a few rows.
 *
 * The proof is the query plan: one step, a search by all columns of a unique index (or the row
 * id). Everything else goes to a reader thread, and so does a statement that turns out slow, or
 * that finds the database busy. Nothing here waits.
 */

import { isSpringhouseError } from "../core/errors.ts";
import { Connection } from "./connection.ts";
import { inlinePragmas } from "./pragmas.ts";
import { columnsOf } from "./statement-cache.ts";
import { statementFacts } from "./statement-text.ts";
import type { ResultColumn, ResultSet, Statement } from "./values.ts";

/** A longer run belongs to a thread. */
const INLINE_MS_MAX = 2;
/** `rowid IN (…)` has the plan of `rowid = ?`, so the number of its values is bounded. */
const PARAMETERS_MAX = 64;
const TEXT_CHARS_MAX = 4_000;
/** How long a schema change by another process may go unnoticed by the proofs. */
const SCHEMA_CHECK_MS = 50;
/** The texts of one program, and room for some that are built as strings. */
const PROOFS_MAX = 2_000;

interface Proof {
  inline: boolean;
  runs: number;
  slowRuns: number;
  columns: readonly ResultColumn[] | undefined;
}

/** The main thread's own read-only connection. */
export class InlineReader implements Disposable {
  readonly connection: Connection;
  readonly #proofs = new Map<string, Proof>();
  #schemaVersion: unknown;
  #schemaCheckedMs = Number.NEGATIVE_INFINITY;

  /** @param cacheSizeBytes its page cache; undefined for the usual one. */
  constructor(path: string, cacheSizeBytes?: number) {
    this.connection = new Connection({
      path,
      readOnly: true,
      pragmas: inlinePragmas(cacheSizeBytes),
      looksUpOnly: true,
    });
  }

  /** The result, or undefined when the statement belongs to a reader thread. */
  tryRead(statement: Statement): ResultSet | undefined {
    const { sql, parameters } = statement;
    if (parameters.length > PARAMETERS_MAX || sql.length > TEXT_CHARS_MAX) return undefined;
    const startMs = performance.now();
    try {
      if (startMs - this.#schemaCheckedMs > SCHEMA_CHECK_MS) this.#checkSchema(startMs);
      const proof = this.#proofOf(sql);
      if (!proof.inline) return undefined;
      const { prepared, rows } = this.connection.readAll(statement);
      let { columns } = proof;
      if (columns === undefined || columns.length !== (rows[0] ?? columns).length) {
        columns = columnsOf(prepared);
        proof.columns = columns;
      }
      this.#judge(proof, performance.now() - startMs);
      return { columns, rows, changes: 0 };
    } catch (error) {
      if (isSpringhouseError(error, "BUSY")) return undefined;
      throw error;
    }
  }

  /** Forgets the proofs: our own writer has changed the schema. */
  schemaChanged(): void {
    this.#schemaCheckedMs = Number.NEGATIVE_INFINITY;
  }

  close(): void {
    this.connection.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #checkSchema(nowMs: number): void {
    const [version] = this.connection.ask("PRAGMA schema_version");
    this.#schemaCheckedMs = nowMs;
    if (version === this.#schemaVersion) return;
    this.#schemaVersion = version;
    this.#proofs.clear();
  }

  #proofOf(sql: string): Proof {
    const known = this.#proofs.get(sql);
    if (known !== undefined) return known;
    if (this.#proofs.size >= PROOFS_MAX) this.#proofs.clear();
    const inline = !statementFacts(sql).explain && provesUniqueSearch(this.connection, sql);
    const proof: Proof = { inline, runs: 0, slowRuns: 0, columns: undefined };
    this.#proofs.set(sql, proof);
    return proof;
  }

  /** One slow run in a hundred is the machine's; more are the statement's. */
  #judge(proof: Proof, ms: number): void {
    proof.runs++;
    if (ms <= INLINE_MS_MAX) return;
    proof.slowRuns++;
    if (proof.slowRuns * 100 > proof.runs + 100) proof.inline = false;
  }
}

/** Numbers that stand on the first page of the file. */
const HEADER_PRAGMA = /^\s*PRAGMA\s+(?:application_id|schema_version|user_version)\s*;?\s*$/i;
const BY_ROW_ID = /^SEARCH \S+ USING INTEGER PRIMARY KEY \(rowid=\?\)$/;
const BY_INDEX = /^SEARCH \S+ USING (?:COVERING )?INDEX (\S+) \(([^<>]*)\)$/;
const BY_PRIMARY_KEY = /^SEARCH \S+ USING PRIMARY KEY \(([^<>]*)\)$/;

/** Whether the plan is one search that can find one row only (for each value of an IN). */
export function provesUniqueSearch(connection: Connection, sql: string): boolean {
  if (HEADER_PRAGMA.test(sql)) return true;
  const plan = connection.askAll(`EXPLAIN QUERY PLAN ${sql}`);
  const detail = plan.length === 1 ? String(plan[0]?.[3]) : "";
  if (BY_ROW_ID.test(detail)) return true;
  const [, index, indexTerms] = BY_INDEX.exec(detail) ?? [];
  if (index !== undefined) return coversUniqueIndex(connection, index, indexTerms, sql);
  const [, keyTerms] = BY_PRIMARY_KEY.exec(detail) ?? [];
  return keyTerms !== undefined && coversPrimaryKey(connection, keyTerms, sql);
}

function coversUniqueIndex(
  connection: Connection,
  index: string,
  terms: string | undefined,
  sql: string,
): boolean {
  const columns = connection.askAll(
    `SELECT c."notnull" FROM sqlite_schema s, pragma_index_list(s.tbl_name) l,
       pragma_index_info(l.name) i LEFT JOIN pragma_table_info(s.tbl_name) c ON c.cid = i.cid
     WHERE s.type = 'index' AND s.name = ?1 AND l.name = ?1 AND l."unique" = 1`,
    index,
  );
  if (columns.length === 0 || columns.length !== terms?.split(" AND ").length) return false;
  // A unique index may hold many rows of NULL, and `IS ?` searches like `= ?`.
  return columns.every(([notNull]) => notNull === 1) || !/\bis|\bnot\s*null\b/i.test(sql);
}

/** A table WITHOUT ROWID. The plan names its alias, so the table is found by its root page. */
function coversPrimaryKey(connection: Connection, terms: string, sql: string): boolean {
  const roots = connection
    .askAll(`EXPLAIN ${sql}`)
    .filter(([, opcode]) => opcode === "OpenRead")
    .map(([, , , page]) => Number(page));
  const columns = connection.askAll(
    `SELECT c.name FROM sqlite_schema s, pragma_table_info(s.name) c
     WHERE s.type = 'table' AND s.rootpage = ? AND c.pk > 0`,
    roots[0] ?? -1,
  );
  return roots.length === 1 && columns.length === terms.split(" AND ").length;
}
