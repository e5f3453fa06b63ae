/**
 * The file of a SQLite tier: opened at first use, and made anew when it is lost.
 *
 * A cache is worth less than the program that uses it. A damaged file is set aside; one that was
 * removed with its folder is made again; one of another format is set aside unread. Whoever asked
 * in that moment gets an answer from the new, empty file. A file that belongs to something else is
 * never touched.
 */

import { mkdirSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { warn } from "../../core/channels.ts";
import type { Clock } from "../../core/clock.ts";
import { isSpringhouseError, SpringhouseError } from "../../core/errors.ts";
import { type Database, openDatabase } from "../../sqlite/database.ts";
import { setAside } from "../../sqlite/files.ts";
import { APPLICATION_ID, CREATE, FORMAT } from "./schema.ts";

/** Lists of keys and values of many parts, now and then: two threads serve a cache. */
const POOL = { minSize: 1, maxSize: 2 };
/** Reads look this often whether the file is still the one at its path; writes always look. */
const LOOK_EVERY_MS = 100;
/** What those who only look say of a file that is of no use. */
const LEFT =
  "It was left as it is: the next program that uses this cache sets it aside, and so does " +
  "springhouse cache clear --yes.";
/** Tries after the first: one with the file opened again, one with it set aside. */
const RECOVERIES = 2;

/** What a file of a tier is given. */
export interface CacheFileOptions {
  readonly path: string;
  /** The page cache of each connection. */
  readonly cacheSizeBytes: number;
  readonly clock: Clock;
  /** Called when the file turned out lost. */
  readonly onLost: () => void;
}

/** One cache file. */
export class CacheFile {
  readonly #options: CacheFileOptions;
  #opening: Promise<Database> | undefined;
  #database: Database | undefined;
  #identity = "";
  #lookedMs = 0;
  #used = false;

  constructor(options: CacheFileOptions) {
    this.#options = options;
  }

  /** The database when it is open, for what must not wait. */
  get database(): Database | undefined {
    return this.#database;
  }

  /** Runs reads; again when the file had to be made anew. */
  read<T>(work: (database: Database) => Promise<T>): Promise<T> {
    return this.#run(work, performance.now() - this.#lookedMs > LOOK_EVERY_MS);
  }

  /** Runs writes; again when the file had to be made anew. */
  write<T>(work: (database: Database) => Promise<T>): Promise<T> {
    return this.#run(work, true);
  }

  /**
   * Runs drops. When the disk has no room to note them, the whole file goes: a value that was
   * dropped must not come back, and a cache can be filled again.
   *
   * @returns undefined when the file went.
   */
  async drop<T>(work: (database: Database) => Promise<T>): Promise<T | undefined> {
    try {
      return await this.write(work);
    } catch (error) {
      if (!isSpringhouseError(error, "DISK_FULL")) throw error;
      this.#options.onLost();
      await this.#discard(error);
      return undefined;
    }
  }

  async close(): Promise<void> {
    const opening = this.#opening;
    this.#forget();
    await (await opening?.catch(() => undefined))?.close();
  }

  async #run<T>(work: (database: Database) => Promise<T>, look: boolean): Promise<T> {
    if (look && this.#database !== undefined && this.#isGone()) await this.#leave(this.#database);
    for (let recoveries = 0; ; recoveries++) {
      const database = this.#database ?? (await this.#open());
      try {
        return await work(database);
      } catch (error) {
        const lost = isLoss(error) || (this.#database === database && this.#isGone());
        if (!lost || recoveries === RECOVERIES) throw error;
        this.#options.onLost();
        // Opening finds most damage and sets the file aside itself.
        await this.#leave(database, recoveries > 0);
      }
    }
  }

  /** Closes a lost file, once for all who find it lost. */
  async #leave(database: Database, aside = false): Promise<void> {
    if (this.#database !== database) return;
    const gone = this.#isGone();
    this.#forget();
    this.#opening = (async () => {
      await database.close().catch(() => undefined);
      const { path, clock } = this.#options;
      if (aside && !gone) setAside(path, clock.nowMs());
      return await this.#make();
    })();
    await this.#settle(this.#opening);
  }

  async #discard(cause: SpringhouseError): Promise<void> {
    const { path } = this.#options;
    await this.close().catch(() => undefined);
    for (const suffix of ["", "-wal", "-shm"]) rmSync(path + suffix, { force: true });
    const message =
      `${path} was removed: the disk was full, and what was dropped from it could not be ` +
      "noted. It is made anew.";
    warn("CACHE_DISCARDED", message, { path, cause: cause.message });
  }

  #forget(): void {
    this.#database = undefined;
    this.#opening = undefined;
  }

  /** Whether another file, or none, is at the path. */
  #isGone(): boolean {
    this.#lookedMs = performance.now();
    return identityAt(this.#options.path) !== this.#identity;
  }

  #open(): Promise<Database> {
    this.#opening ??= this.#make();
    return this.#settle(this.#opening);
  }

  /** A file that could not be opened is tried again by the next call. */
  async #settle(opening: Promise<Database>): Promise<Database> {
    try {
      const database = await opening;
      if (this.#opening === opening) this.#database = database;
      return database;
    } catch (error) {
      if (this.#opening === opening) this.#forget();
      throw error;
    }
  }

  async #make(): Promise<Database> {
    const { path, cacheSizeBytes, clock } = this.#options;
    const open = (): Promise<Database> =>
      openDatabase({ kind: "file", path }, { profile: "fast", pool: POOL, cacheSizeBytes });
    mkdirSync(dirname(path), { recursive: true });
    let database = await open();
    try {
      if ((await prepare(database)) === "other format") {
        if (this.#used) throw otherVersion(path);
        await database.close();
        setAside(path, clock.nowMs(), "other-format");
        database = await open();
        await prepare(database);
      }
    } catch (error) {
      await database.close().catch(() => undefined);
      throw error;
    }
    this.#used = true;
    this.#identity = identityAt(path) ?? "";
    this.#lookedMs = performance.now();
    return database;
  }
}

/**
 * Throws for a file that a tier would set aside, which it leaves as it is: for those who only look.
 *
 * @throws `CORRUPT`, `NOT_A_DATABASE`; `UNOPENABLE` for one of another format or of somebody else.
 */
export async function assertSound(path: string): Promise<void> {
  const fields = { path };
  try {
    await using database = await openDatabase({ kind: "file", path }, { readOnly: true });
    const [verdict] = database.file.inline.connection.ask("PRAGMA quick_check(1)");
    if (verdict !== "ok") {
      const message = `${path} is damaged: ${String(verdict)}. ${LEFT}`;
      throw new SpringhouseError("CORRUPT", message, { fields });
    }
    if (formatOf(database) !== "other format") return;
    const message = `${path} is a cache of another version of Springhouse. ${LEFT}`;
    throw new SpringhouseError("UNOPENABLE", message, { fields });
  } catch (error) {
    // What SQLite finds itself comes with the advice for a database, which is not for a cache.
    if (!isSpringhouseError(error) || !(error.cause instanceof Error)) throw error;
    if (error.code !== "CORRUPT" && error.code !== "NOT_A_DATABASE") throw error;
    const message = `${path} is damaged: ${error.cause.message}. ${LEFT}`;
    throw new SpringhouseError(error.code, message, { cause: error.cause, fields: error.fields });
  }
}

/** Makes the tables in an empty file; says when the file is one of another format. */
async function prepare(database: Database): Promise<"ready" | "other format"> {
  const format = formatOf(database);
  if (format !== "empty") return format;
  await database.write(CREATE);
  return "ready";
}

function formatOf(database: Database): "ready" | "other format" | "empty" {
  const { connection } = database.file.inline;
  const [application] = connection.ask("PRAGMA application_id");
  const [format] = connection.ask("PRAGMA user_version");
  if (application === APPLICATION_ID && format === FORMAT) return "ready";
  const tables = connection
    .askAll("SELECT name FROM sqlite_schema WHERE type = 'table'")
    .map(([name]) => String(name));
  if (tables.length === 0) return "empty";
  const isCache = tables.every((name) => /^(?:cache_|sqlite_)/.test(name));
  if (isCache || application === APPLICATION_ID) return "other format";
  throw new SpringhouseError(
    "UNOPENABLE",
    `${database.path} is no cache: it has the tables ${tables.slice(0, 5).join(", ")}. ` +
      "It was left as it is. Give the cache a file of its own.",
    { fields: { path: database.path } },
  );
}

/** Two versions that set each other's file aside would both run without a cache. */
function otherVersion(path: string): SpringhouseError {
  const message =
    `${path} was made anew by another version of this program, which still runs. ` +
    "Give each version a file of its own while both run.";
  return new SpringhouseError("UNOPENABLE", message, { fields: { path } });
}

/** Whether the file is damaged, or was taken away under the open connections. */
function isLoss(error: unknown): boolean {
  if (!isSpringhouseError(error)) return false;
  const { code, message } = error;
  const losses: readonly string[] = ["CORRUPT", "NOT_A_DATABASE", "READ_ONLY", "IO"];
  return losses.includes(code) || (code === "SQL" && message.includes("no such table"));
}

function identityAt(path: string): string | undefined {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  return found === undefined ? undefined : `${found.dev}:${found.ino}`;
}
