/**
 * Putting a restored file in the place of a database that nobody else has open.
 *
 * SQLite's own exclusive lock keeps others out, from before the last copy of the old file is made
 * until the new one is in its place, so that nothing can be written that neither of them has. The
 * rename is the one step that counts: killed before it, the database is the old one, after it the
 * new one. Until the new one has been opened in its place, the old one keeps a second name.
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
import { ADD_TICK, HAS_LOG, LOG_EVERY_TABLE, RENEW_IDENTITY } from "../capture/log-tables.ts";
import { assert } from "../core/assert.ts";
import { SpringhouseError } from "../core/errors.ts";
import { nodeSqlite } from "../core/node-sqlite.ts";
import { toSpringhouseError } from "../sqlite/errors.ts";
import { COMPANIONS, setAside } from "../sqlite/files.ts";
import type { DatabaseFacts } from "./manifest.ts";
import type { Locked, Progress } from "./protocol.ts";
import { copyFrom, isDamage, syncFile } from "./snapshot.ts";

/** The second name of the old file while the new one takes its place. */
const OLD_FILE = ".before-restore";

/** A database file that is kept from everybody else. */
export class DatabaseHold implements Disposable {
  readonly #path: string;
  #connection: DatabaseSync | undefined;

  constructor(path: string) {
    this.#path = path;
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
   * Puts the restored file in place; when it cannot be opened there, the old one comes back.
   *
   * @param setOldAside whether the old files are kept under another name: what is damaged may still
   *   be saved from.
   * @returns that name; undefined when they are not kept.
   */
  swap(restored: string, setOldAside: boolean): string | undefined {
    beginNewHistory(restored);
    const path = this.#path;
    const mode = statSync(path, { throwIfNoEntry: false })?.mode;
    if (mode !== undefined) chmodSync(restored, mode & 0o777);
    syncFile(restored);
    const old = setOldAside ? this.#setAside() : this.#keepUnderSecondName();
    for (const companion of COMPANIONS) rmSync(path + companion, { force: true });
    renameSync(restored, path);
    try {
      syncFile(dirname(path));
      assertOpens(path);
    } catch (error) {
      if (old !== undefined) renameSync(old, path);
      throw toSpringhouseError(error, { path });
    }
    if (setOldAside) return old;
    if (old !== undefined) rmSync(old);
    return undefined;
  }

  [Symbol.dispose](): void {
    if (this.#connection?.isOpen) this.#connection.close();
    this.#connection = undefined;
  }

  #setAside(): string {
    // Closed first: the last one to close a database removes its log, by the name that it had.
    this[Symbol.dispose]();
    return setAside(this.#path, Date.now());
  }

  /** Copies the write-ahead log into the file and leaves that mode, still holding the lock. */
  #keepUnderSecondName(): string | undefined {
    if (this.#connection === undefined) return undefined;
    const mode = this.#connection.prepare("PRAGMA journal_mode = DELETE").get()?.["journal_mode"];
    if (mode !== "delete") throw inUse(this.#path, []);
    const old = `${this.#path}${OLD_FILE}`;
    rmSync(old, { force: true });
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
 */
function beginNewHistory(path: string): void {
  const { DatabaseSync } = nodeSqlite();
  using database = new DatabaseSync(path);
  if (database.prepare(HAS_LOG).get() === undefined) return;
  database.exec(`BEGIN IMMEDIATE; ${RENEW_IDENTITY}; ${LOG_EVERY_TABLE}; ${ADD_TICK}; COMMIT`);
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
