/**
 * Backups of PostgreSQL through its own programs: `pg_dump` makes them, `pg_restore` brings them
 * back. What is ours is that a dump counts only when it was restored into a database of its own and
 * holds the same rows there; that exit codes decide; and that no password is on a command line.
 *
 * A dump is two files: `NAME.dump`, in PostgreSQL's custom format, and `NAME.dump.json` about it.
 * Both are readable by their owner only, and the second one is written last: without it there is no
 * backup.
 */

import { createHash, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { isDeepStrictEqual } from "node:util";
import { assertFlag, assertText } from "../core/arguments.ts";
import { SpringhouseError } from "../core/errors.ts";
import { toSpringhouseError } from "../sqlite/errors.ts";
import { createPrivately } from "../sqlite/files.ts";
import { assertName, defaultName } from "./folder.ts";
import { type BackupOptions, type ResolvedBackupOptions, resolveBackupOptions } from "./options.ts";
import { PostgresSnapshot, type PostgresTable, postgresTables } from "./postgres-content.ts";
import {
  DUMP_FORMAT,
  damagedDump,
  dumpPath,
  type PostgresDump,
  readDump,
  sizeProblem,
  writeDump,
  writeDumpPin,
} from "./postgres-list.ts";
import { runTool } from "./postgres-tool.ts";
import { postgresEnvironment } from "./postgres-url.ts";

type Env = Readonly<Record<string, string>>;

/** What a call takes that works with a dump. */
export interface PostgresBackupOptions
  extends Pick<BackupOptions, "directory" | "clock" | "signal"> {
  /** The database: `postgres://user@host/database`. No default. */
  readonly url: string;
}

/** For `dumpPostgres`. */
export interface DumpPostgresOptions extends PostgresBackupOptions {
  /** Default: `backup_YYYYMMDD_HHMMSS`, in UTC. */
  readonly name?: string | undefined;
  /**
   * Whether it is restored into a database of its own and compared. The role must be allowed to
   * make one. Otherwise all of the dump is read, and that is said. Default: true.
   */
  readonly verify?: boolean;
  /** Whether retention never removes it. Default: false. */
  readonly pinned?: boolean;
}

/** For `restorePostgres`. */
export interface RestorePostgresOptions extends PostgresBackupOptions {
  readonly name: string;
  /** Checks the dump and lists what is in it; nothing is changed. Default: false. */
  readonly dryRun?: boolean;
}

/** What a restore did, or would do. */
export interface PostgresRestoreReport {
  readonly name: string;
  readonly dryRun: boolean;
  readonly tables: readonly PostgresTable[];
  /** The dump of what was there before; nothing for a dry run. */
  readonly before: string | undefined;
}

const KEYS = ["url"];
const PRIVATE_FOLDER = 0o700;

/**
 * Dumps a database and proves the dump.
 *
 * @throws `MISSING_DEPENDENCY` without `pg_dump`, `pg_restore` and `psql`; `BACKUP_TOOL_FAILED`
 *   with what the program said; `BACKUP_EXISTS`; `BACKUP_DAMAGED` when the restored rows are
 *   others. No dump is kept then.
 * @example await dumpPostgres({ url: "postgres://app@db/main", directory: "backups" });
 */
export async function dumpPostgres(options: DumpPostgresOptions): Promise<PostgresDump> {
  const resolved = resolvePostgres("dumpPostgres", options, ["name", "verify", "pinned"]);
  const { name, verify = true, pinned = false } = options;
  assertFlag("dumpPostgres: verify", verify);
  assertFlag("dumpPostgres: pinned", pinned);
  return await dump(postgresEnvironment(options.url), { ...resolved, name, verify, pinned });
}

/**
 * Brings a dump back, in one transaction: it is there wholly, or nothing has changed. What was
 * there before is dumped first. Tables that the dump does not know stay.
 *
 * @throws `BACKUP_NOT_FOUND`, `BACKUP_DAMAGED`, `BACKUP_TOOL_FAILED`.
 * @example await restorePostgres({ url, directory: "backups", name: "backup_20261126_020000" });
 */
export async function restorePostgres(
  options: RestorePostgresOptions,
): Promise<PostgresRestoreReport> {
  const resolved = resolvePostgres("restorePostgres", options, ["name", "dryRun"]);
  const { name, dryRun = false } = options;
  assertFlag("restorePostgres: dryRun", dryRun);
  const { directory, signal, clock } = resolved;
  const manifest = await readDump(directory, name);
  const path = dumpPath(directory, name);
  await assertUnaltered(path, manifest);
  const env = postgresEnvironment(options.url);
  const report = { name, dryRun, tables: manifest.tables };
  if (dryRun) {
    await runTool("pg_restore", ["--list", path], { env, signal });
    return { ...report, before: undefined };
  }
  const keptName = defaultName(clock.nowMs(), "pre-restore");
  const before = await dump(env, { ...resolved, name: keptName, verify: false, pinned: false });
  await restoreInto(env, path, ["--clean", "--if-exists"], signal);
  return { ...report, before: before.name };
}

interface Wanted extends Pick<ResolvedBackupOptions, "directory" | "clock" | "signal"> {
  readonly name: string | undefined;
  readonly verify: boolean;
  readonly pinned: boolean;
}

async function dump(env: Env, wanted: Wanted): Promise<PostgresDump> {
  const { directory, clock, signal, name, verify, pinned } = wanted;
  const createdMs = clock.nowMs();
  const dumpName = name ?? defaultName(createdMs);
  assertName(dumpName);
  const path = dumpPath(directory, dumpName);
  const partial = `${path}.partial-${randomBytes(6).toString("hex")}`;
  await refuseTaken(path, dumpName);
  await mkdir(directory, { recursive: true, mode: PRIVATE_FOLDER });
  createPrivately(partial);
  try {
    await using snapshot = await PostgresSnapshot.take(env);
    const choice = ["--format=custom", `--snapshot=${snapshot.id}`, `--file=${partial}`];
    await runTool("pg_dump", [...choice, "--no-password"], { env, signal });
    if (verify) await proveDump(env, partial, snapshot.tables, signal);
    else await runTool("pg_restore", ["--file=/dev/null", partial], { env, signal });
    const manifest: PostgresDump = {
      format: DUMP_FORMAT,
      name: dumpName,
      createdAt: new Date(createdMs).toISOString(),
      sizeBytes: (await stat(partial)).size,
      sha256: await sha256Of(partial),
      tables: snapshot.tables,
      proof: verify ? "restored" : "read",
    };
    await syncFile(partial);
    await rename(partial, path);
    if (pinned) await writeDumpPin(directory, dumpName, "");
    await writeDump(directory, manifest);
    return manifest;
  } finally {
    await rm(partial, { force: true });
  }
}

/** Restores into a database that is there only for that, and compares what comes out. */
async function proveDump(
  env: Env,
  path: string,
  tables: readonly PostgresTable[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const database = `springhouse_verify_${randomBytes(6).toString("hex")}`;
  const psql = (sql: string): Promise<string> =>
    runTool("psql", ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", sql], { env });
  await psql(`CREATE DATABASE ${database} TEMPLATE template0`);
  try {
    const copy = { ...env, PGDATABASE: database };
    await restoreInto(copy, path, ["--no-owner", "--no-privileges"], signal);
    const found = await postgresTables(copy, signal);
    if (!isDeepStrictEqual(found, tables)) throw differs(path, tables, found);
  } finally {
    await psql(`DROP DATABASE IF EXISTS ${database}`);
  }
}

async function restoreInto(
  env: Env,
  path: string,
  how: readonly string[],
  signal: AbortSignal | undefined,
): Promise<void> {
  // Without a name of a database it would only print. Host, user and password are in `env`.
  const name = (env["PGDATABASE"] ?? env["PGUSER"] ?? "").replace(/[\\']/g, "\\$&");
  const parameters = ["--single-transaction", "--exit-on-error", "--no-password", ...how];
  await runTool("pg_restore", [...parameters, `--dbname=dbname='${name}'`, path], { env, signal });
}

function resolvePostgres(
  call: string,
  options: PostgresBackupOptions,
  more: readonly string[],
): ResolvedBackupOptions {
  assertText(`${call}: url`, options.url);
  return resolveBackupOptions(call, options, [...KEYS, ...more]);
}

async function refuseTaken(path: string, name: string): Promise<void> {
  const facts = await stat(path).catch(() => undefined);
  if (facts === undefined) return;
  const message = `There is a ${path} already. Give another name, or none.`;
  throw new SpringhouseError("BACKUP_EXISTS", message, { fields: { name, path } });
}

async function assertUnaltered(path: string, manifest: PostgresDump): Promise<void> {
  const why = await sizeProblem(path, manifest);
  if (why !== undefined) throw damagedDump(path, why);
  if ((await sha256Of(path)) !== manifest.sha256)
    throw damagedDump(path, "its SHA-256 is another one");
}

function differs(
  path: string,
  wanted: readonly PostgresTable[],
  found: readonly PostgresTable[],
): SpringhouseError {
  const other = wanted.find((table) => !found.some((one) => isDeepStrictEqual(one, table)));
  const name = other?.name ?? "a table that was not dumped";
  return damagedDump(path, `when it was restored, ${name} held other rows`);
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
  return hash.digest("hex");
}

async function syncFile(path: string): Promise<void> {
  try {
    const file = await open(path, "r+");
    await file.sync().finally(() => file.close());
  } catch (error) {
    throw toSpringhouseError(error, { path });
  }
}
