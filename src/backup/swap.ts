/**
 * Putting a restored file in the place of a database that nobody else has open.
 *
 * SQLite's own exclusive lock keeps others out, from before the last copy of the old file is made
 * until the new one is in its place, so that nothing can be written that neither of them has. The
 * rename is the one step that counts: killed before it, the database is the old one, after it the
 * new one. Until the new one has been opened in its place, the old one keeps a second name. When
 * anything fails until then, the old one comes back, as it was.
 *
 * A write-ahead log of the old file beside the new one would destroy it. So the old file is taken
 * out of that mode first, which ends its log, and what else has the name of a companion goes before
 * the rename.
 */

import {
  chmodSync,
  existsSync,
  linkSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { ADD_TICK, HAS_LOG, LOG_EVERY_TABLE, RENEW_IDENTITY } from "../capture/log-tables.ts";
import { assert } from "../core/assert.ts";
import { messageOf, SpringhouseError } from "../core/errors.ts";
import { nodeSqlite } from "../core/node-sqlite.ts";
import { toSpringhouseError } from "../sqlite/errors.ts";
import { COMPANIONS, renameDatabase, setAside, syncFile } from "../sqlite/files.ts";
import type { DatabaseFacts } from "./manifest.ts";
import type { Locked, Progress } from "./protocol.ts";
import { copyFrom, isDamage } from "./snapshot.ts";

/** The second name of the old file while the new one takes its place. */
const OLD_FILE = ".before-restore";

/** What a swap does to files; it is given, so that each step can be made to fail. */
export interface SwapSteps {
  readonly chmodSync: typeof chmodSync;
  readonly linkSync: typeof linkSync;
  readonly renameDatabase: typeof renameDatabase;
  readonly renameSync: typeof renameSync;
  readonly rmSync: typeof rmSync;
  readonly setAside: typeof setAside;
  readonly syncFile: typeof syncFile;
  readonly assertOpens: (path: string) => void;
  readonly beginNewHistory: (path: string) => void;
}

/** The steps as they are. */
export const SWAP_STEPS: SwapSteps = {
  chmodSync,
  linkSync,
  renameDatabase,
  renameSync,
  rmSync,
  setAside,
  syncFile,
  assertOpens,
  beginNewHistory,
};

/** A database file that is kept from everybody else. */
export class DatabaseHold implements Disposable {
  readonly #path: string;
  readonly #steps: SwapSteps;
  #connection: DatabaseSync | undefined;
  /** Whether the old file was taken out of the mode with a write-ahead log. */
  #hadLog = false;

  constructor(path: string, steps: SwapSteps = SWAP_STEPS) {
    this.#path = path;
    this.#steps = steps;
  }

  /**
   * Gets the file to itself.
   *
   * @throws `DATABASE_IN_USE` when somebody has it open.
   */
  begin(): Locked {
    if (!existsSync(this.#path)) return { state: "absent" };
    const holders = holdersOf(this.#path);
    if (holders.length > 0) throw inUse(this.#path, holders);
    try {
      this.#connection = openExclusively(this.#path);
      return { state: "held" };
    } catch (error) {
      const known = toSpringhouseError(error, { path: this.#path });
      if (known.code === "BUSY") throw inUse(this.#path, [], known);
      if (!isDamage(known)) throw known;
      return { state: "damaged", why: known.message };
    }
  }

  /** Copies what is there, for the backup that is made before a restore. */
  copy(to: string, onProgress: (progress: Progress) => void): Promise<DatabaseFacts> {
    assert(this.#connection !== undefined, "there is nothing to copy");
    return copyFrom(this.#connection, this.#path, to, onProgress);
  }

  /**
   * Puts the restored file in place. When any step of it fails, the old one is back, with its log,
   * and the error says so.
   *
   * @param setOldAside whether the old files are kept under another name: what is damaged may still
   *   be saved from.
   * @returns that name; undefined when they are not kept.
   */
  swap(restored: string, setOldAside: boolean): string | undefined {
    const path = this.#path;
    const { beginNewHistory, chmodSync, syncFile, rmSync, renameSync, assertOpens } = this.#steps;
    let old: string | undefined;
    let isPlaced = false;
    try {
      beginNewHistory(restored);
      const mode = statSync(path, { throwIfNoEntry: false })?.mode;
      if (mode !== undefined) chmodSync(restored, mode & 0o777);
      syncFile(restored);
      old = setOldAside ? this.#setAside() : this.#keepUnderSecondName();
      for (const companion of COMPANIONS) rmSync(path + companion, { force: true });
      renameSync(restored, path);
      isPlaced = true;
      syncFile(dirname(path));
      assertOpens(path);
      if (!setOldAside && old !== undefined) rmSync(old, { force: true });
    } catch (error) {
      throw this.#putBack(error, old, isPlaced);
    }
    return setOldAside ? old : undefined;
  }

  /** Undoes what a swap has done before it failed; the error that says so. */
  #putBack(error: unknown, old: string | undefined, isPlaced: boolean): SpringhouseError {
    const path = this.#path;
    const { renameDatabase, rmSync, syncFile } = this.#steps;
    const known = toSpringhouseError(error, { path });
    const say = (what: string): SpringhouseError => {
      const message = `${known.message} ${what}`;
      return new SpringhouseError(known.code, message, { cause: error, fields: known.fields });
    };
    try {
      // The log of the new file would be taken for one of the old.
      if (isPlaced) for (const name of COMPANIONS) rmSync(path + name, { force: true });
      if (old !== undefined) renameDatabase(old, path);
      else if (isPlaced) rmSync(path);
      // Of two names of one file a rename leaves both.
      if (old !== undefined) rmSync(old, { force: true });
      if (this.#hadLog) this.#returnToLog();
      syncFile(dirname(path));
      return say(`${path} is as it was before.`);
    } catch (failure) {
      const where = old === undefined ? "" : ` It is whole, as ${old}: rename that.`;
      return say(`${path} could not be put back: ${messageOf(failure)}.${where}`);
    }
  }

  [Symbol.dispose](): void {
    if (this.#connection?.isOpen) this.#connection.close();
    this.#connection = undefined;
  }

  #setAside(): string {
    // Closed first: the last one to close a database removes its log, by the name that it had.
    this[Symbol.dispose]();
    return this.#steps.setAside(this.#path, Date.now());
  }

  /** By a new connection: the files beside the database have gone from below the old one. */
  #returnToLog(): void {
    this[Symbol.dispose]();
    this.#connection = openExclusively(this.#path);
    this.#connection.exec("PRAGMA journal_mode = WAL");
  }

  /** Copies the write-ahead log into the file and leaves that mode, still holding the lock. */
  #keepUnderSecondName(): string | undefined {
    if (this.#connection === undefined) return undefined;
    const { rmSync, linkSync, renameSync } = this.#steps;
    const old = `${this.#path}${OLD_FILE}`;
    rmSync(old, { force: true });
    const journal = this.#connection.prepare("PRAGMA journal_mode").get()?.["journal_mode"];
    const mode = this.#connection.prepare("PRAGMA journal_mode = DELETE").get()?.["journal_mode"];
    if (mode !== "delete") throw inUse(this.#path, []);
    this.#hadLog = journal === "wal";
    try {
      linkSync(this.#path, old);
    } catch {
      // A file system without links: then there is a moment without a database.
      renameSync(this.#path, old);
    }
    return old;
  }
}

/** In this mode the first read takes the lock, and only closing gives it back. */
function openExclusively(path: string): DatabaseSync {
  const { DatabaseSync } = nodeSqlite();
  const connection = new DatabaseSync(path);
  try {
    connection.exec("PRAGMA busy_timeout = 0; PRAGMA locking_mode = EXCLUSIVE");
    connection.exec("SELECT count(*) FROM sqlite_schema; BEGIN EXCLUSIVE; COMMIT");
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

/**
 * A restored file goes on where the old one was at some time, with other changes from then on. What
 * was noted about the old one must not be taken for it: so it gets another identity, and its log
 * says that anything may have changed.
 *
 * It never makes the file: the next restore may have removed it as a leftover, when the one that
 * wanted it was killed and this process is not yet at its end. An empty one would take its place.
 */
function beginNewHistory(path: string): void {
  const { DatabaseSync } = nodeSqlite();
  const existing = pathToFileURL(path);
  existing.searchParams.set("mode", "rw");
  try {
    using database = new DatabaseSync(existing);
    if (database.prepare(HAS_LOG).get() === undefined) return;
    database.exec(`BEGIN IMMEDIATE; ${RENEW_IDENTITY}; ${LOG_EVERY_TABLE}; ${ADD_TICK}; COMMIT`);
  } catch (error) {
    throw toSpringhouseError(error, { path });
  }
}

/** Not read-only: the last one to close then leaves one file. */
function assertOpens(path: string): void {
  const { DatabaseSync } = nodeSqlite();
  using database = new DatabaseSync(path);
  database.prepare("SELECT count(*) FROM sqlite_schema").get();
}

/** Processes that have the file open, where the system tells it, which Linux does of one's own. */
function holdersOf(path: string): readonly number[] {
  const { dev, ino } = statSync(path, { bigint: true });
  return listed("/proc")
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid !== process.pid)
    .filter((pid) => {
      return listed(`/proc/${pid}/fd`).some((fd) => {
        const link = `/proc/${pid}/fd/${fd}`;
        try {
          // The link is cheaper to read than the file behind it, and most are no files at all.
          if (!readlinkSync(link).startsWith("/")) return false;
          const facts = statSync(link, { bigint: true });
          return facts.dev === dev && facts.ino === ino;
        } catch {
          return false;
        }
      });
    });
}

function listed(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function inUse(path: string, pids: readonly number[], cause?: unknown): SpringhouseError {
  const [one] = pids;
  const who = pids.length > 1 ? `Processes ${pids.join(", ")} have` : `Process ${one} has`;
  const holder = one === undefined ? "Somebody else has" : who;
  const message = `${holder} ${path} open. Stop what uses it, then restore. Nothing was changed.`;
  return new SpringhouseError("DATABASE_IN_USE", message, { cause, fields: { path, pids } });
}
