/**
 * What a database of PostgreSQL holds: for each table the number of its rows and a sum of hashes
 * that does not hang on their order. Read within one snapshot, which `pg_dump` is given too, so
 * both see the same rows.
 */

import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { SpringhouseError } from "../core/errors.ts";
import { redactText } from "../core/redact.ts";
import { runTool } from "./postgres-tool.ts";

/** One table. */
export interface PostgresTable {
  /** With its schema, quoted where that is needed. */
  readonly name: string;
  readonly rows: number;
  /** Sum of the hashes of all rows as text. */
  readonly digest: string;
}

/** Without start-up files, unaligned, tuples only, quiet; the first error ends it. */
const PSQL = ["-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1"];
/** Texts of values must not hang on the settings of a role or a database. */
const SETTINGS = `SET DateStyle = 'ISO, YMD'; SET TimeZone = 'UTC'; SET IntervalStyle = 'postgres';
SET bytea_output = 'hex'; SET extra_float_digits = 3; SET xmloption = 'content';
`;
/** Ordinary tables with rows of their own; rows of partitions are theirs, not their parents'. */
const TABLES = `SELECT c.oid::regclass::text
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname !~ '^(pg_|information_schema$)'
  ORDER BY 1`;

/** The tables of a database, at one moment. */
export async function postgresTables(
  env: Readonly<Record<string, string>>,
  signal?: AbortSignal,
): Promise<readonly PostgresTable[]> {
  const input = `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;\n${CONTENT_SCRIPT}COMMIT;\n`;
  return parseTables(await runTool("psql", PSQL, { env, input, signal }));
}

/**
 * One row for each table. The names come from the catalog as the server quotes them, and the
 * statements are made and run by the server (`\gexec`), so no name is put into SQL here.
 */
const CONTENT_SCRIPT = `SET search_path = '';
${SETTINGS}SELECT format(
  'SELECT json_build_object(''name'', %L, ''rows'', count(*), ''digest'',
    coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)::text) FROM %s t', name, name)
FROM (${TABLES}) AS tables (name) \\gexec
`;

function parseTables(output: string): readonly PostgresTable[] {
  return output
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as PostgresTable);
}

/** A snapshot that lives as long as a session of `psql`. */
export class PostgresSnapshot implements AsyncDisposable {
  /** What `pg_dump --snapshot` takes. */
  readonly id: string;
  readonly tables: readonly PostgresTable[];
  readonly #session: ChildProcessWithoutNullStreams;

  private constructor(
    session: ChildProcessWithoutNullStreams,
    id: string,
    tables: readonly PostgresTable[],
  ) {
    this.#session = session;
    this.id = id;
    this.tables = tables;
  }

  /**
   * Takes a snapshot and reads what it holds.
   *
   * @throws `BACKUP_TOOL_FAILED`, `MISSING_DEPENDENCY`.
   */
  static async take(env: Readonly<Record<string, string>>): Promise<PostgresSnapshot> {
    // A first call by the ordinary way says best what is wrong with the connection.
    await runTool("psql", [...PSQL, "-c", "SELECT 1"], { env });
    const session = spawn("psql", PSQL, { env, stdio: ["pipe", "pipe", "pipe"] });
    session.stdin.on("error", () => undefined);
    session.stdin.write(
      "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;\n" +
        `SELECT 'snapshot ' || pg_export_snapshot();\n${CONTENT_SCRIPT}\\echo ready\n`,
    );
    try {
      const output = await readUntilReady(session);
      const id = /^snapshot (.+)$/m.exec(output)?.[1] ?? "";
      return new PostgresSnapshot(session, id, parseTables(output));
    } catch (error) {
      session.kill();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = new Promise((resolve) => this.#session.once("close", resolve));
    if (this.#session.exitCode !== null) return;
    this.#session.stdin.end("COMMIT;\n");
    await ended;
  }
}

function readUntilReady(session: ChildProcessWithoutNullStreams): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = "";
    let words = "";
    session.stderr.setEncoding("utf8").on("data", (text: string) => {
      words += text;
    });
    session.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      if (/^ready$/m.test(output)) resolve(output);
    });
    session.once("error", reject);
    session.once("close", () => {
      const message = `psql ended before it had read the tables. ${redactText(words.trim())}`;
      reject(new SpringhouseError("BACKUP_TOOL_FAILED", message, { fields: { program: "psql" } }));
    });
  });
}
