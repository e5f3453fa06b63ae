/**
 * PostgreSQL for the tests of DDL, through the `psql` program: each test file works in a schema of
 * its own, which is dropped at the end. Without program or server the tests are skipped, visibly;
 * under CI they fail instead.
 */

import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";

const URL = process.env["SPRINGHOUSE_TEST_POSTGRES"] ?? "postgres://postgres@127.0.0.1:5432/test";

/** One schema of the test database. */
export class PostgresSchema implements Disposable {
  readonly #name = `springhouse_${randomBytes(6).toString("hex")}`;

  constructor() {
    run(`CREATE SCHEMA ${this.#name}`);
  }

  /** Runs the script in one session, stopping at the first error; gives the last output. */
  run(script: string): string {
    return run(`SET search_path TO ${this.#name};\n${script}`);
  }

  /** Rows of a query as objects. */
  rows(query: string): readonly Record<string, unknown>[] {
    const json = `SELECT coalesce(json_agg(r), '[]')::text FROM (${query}) AS r`;
    // As digits, because psql leaves out the last two characters of Unicode when it prints.
    const digits = this.run(`SELECT encode(convert_to((${json}), 'UTF8'), 'hex')`);
    const text = Buffer.from(digits, "hex").toString();
    return JSON.parse(text) as readonly Record<string, unknown>[];
  }

  [Symbol.dispose](): void {
    run(`DROP SCHEMA ${this.#name} CASCADE`);
  }
}

function run(script: string): string {
  const done = psql(script);
  if (done.status !== 0) throw new Error(done.stderr || String(done.error));
  return done.stdout.trim();
}

function psql(script: string): ReturnType<typeof spawnSync> & { stdout: string; stderr: string } {
  const options = ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", URL];
  return spawnSync("psql", options, { input: script, encoding: "utf8" });
}

const isReachable = psql("SELECT 1").status === 0;

/** Whether to skip: never under CI, where a missing server is a failure. */
export const skipPostgres: boolean = !isReachable && process.env["CI"] === undefined;
