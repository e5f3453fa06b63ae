/** Databases of PostgreSQL that are there for one test. */

import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { onTestFinished } from "vitest";
import { postgresEnvironment } from "../../src/backup/postgres-url.ts";

/** The server of the tests. */
export const SERVER: string =
  process.env["SPRINGHOUSE_TEST_POSTGRES"] ?? "postgres://postgres@127.0.0.1:5432/test";

/** Runs a script; what it printed. */
export function psql(url: string, sql: string): string {
  const options = ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"];
  const env = postgresEnvironment(url);
  const done = spawnSync("psql", options, { input: sql, encoding: "utf8", env });
  if (done.status !== 0) throw new Error(done.stderr);
  return done.stdout.trim();
}

/** A database of its own, with awkward names and values. */
export function newDatabase(): string {
  const name = `springhouse_test_${randomBytes(6).toString("hex")}`;
  psql(SERVER, `CREATE DATABASE ${name}`);
  onTestFinished(() => void psql(SERVER, `DROP DATABASE ${name} WITH (FORCE)`));
  const url = new URL(SERVER);
  url.pathname = `/${name}`;
  psql(
    url.href,
    `CREATE TABLE words (id int PRIMARY KEY, text text, at timestamptz, raw bytea);
     INSERT INTO words SELECT n, 'wort ' || n, now(), decode(md5(n::text), 'hex')
       FROM generate_series(1, 500) n;
     CREATE SCHEMA "odd schema";
     CREATE TABLE "odd schema"."it's ""odd""" (a float8, b jsonb);
     INSERT INTO "odd schema"."it's ""odd""" VALUES (0.1, '{"a": 1}'), (NULL, NULL);
     CREATE TABLE parts (id int) PARTITION BY RANGE (id);
     CREATE TABLE part1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
     INSERT INTO parts VALUES (1), (2);`,
  );
  return url.href;
}
