/**
 * The write-ahead log of a live database: looking at it, reading it, and keeping it from being
 * begun anew before it was read.
 *
 * What holds it is a read transaction, a *pin*. SQLite keeps every frame committed after the
 * snapshot of a reader, and it begins a log anew only when no reader uses it. A pin that is taken
 * while everything in the log stands in the database file as well reads the file alone: under such
 * a pin the log may be begun anew, once, and then none of the new frames leaves it.
 *
 * All of SQLite's files except the log are looked at through SQLite. Closing any file handle of the
 * database or of its `-shm` file would take away the locks of this whole process (that is how locks
 * of POSIX work), and the application may run in it. The log itself carries no locks.
 */

import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { isSpringhouseError, SpringhouseError } from "../../core/errors.ts";
import { nodeSqlite } from "../../core/node-sqlite.ts";
import { assertSafeSqlite } from "../../sqlite/engine.ts";
import { toSpringhouseError } from "../../sqlite/errors.ts";
import { fileKey } from "../../sqlite/file-watch.ts";
import {
  FRAME_HEADER_BYTES,
  type Frame,
  followFrames,
  frameOffset,
  parseWalHeader,
  positionAt,
  WAL_HEADER_BYTES,
  type WalHeader,
  type WalPosition,
} from "./wal.ts";

/** Other connections hold the locks that we wait for only for moments. */
const BUSY_TIMEOUT_MS = 1_000;
/** Of the lock of the writers: whoever has it may have it for long, and shipping must go on. */
const LOCK_TIMEOUT_MS = 100;
/** The log was begun anew while we looked: the next look sees the new one. */
const LOOKS_MAX = 5;

/** The log at one moment. */
export interface LogView {
  /** Nothing when the log is empty. */
  readonly header: WalHeader | undefined;
  /** Committed frames. */
  readonly frames: number;
  /** Frames that stand in the database file as well. */
  readonly backfilled: number;
}

/** A read transaction that holds the log. */
export interface Pin extends Disposable {
  /** The log just after the pin was taken: at least what its snapshot has. */
  readonly view: LogView;
  /** Whether it lets the log be begun anew. */
  readonly readsFileOnly: boolean;
  readonly connection: DatabaseSync;
}

/** The log of one database file. */
export class WalLog {
  readonly path: string;
  readonly #key: string | undefined;
  readonly #control: DatabaseSync;
  #file: number | undefined;

  /**
   * Opens it.
   *
   * @throws `UNOPENABLE` without the file; `INVALID_ARGUMENT` when it has no write-ahead log.
   */
  constructor(path: string) {
    this.path = path;
    this.#key = fileKey(path);
    if (this.#key === undefined) {
      const message = `${path} does not exist. Shipping needs a database that is there.`;
      throw new SpringhouseError("UNOPENABLE", message, { fields: { path } });
    }
    this.#control = this.#connect();
    try {
      this.#assertReadable();
    } catch (error) {
      this.#control.close();
      throw error;
    }
  }

  /** Whether the path leads to another file by now: a restore, a copy over it. */
  get isReplaced(): boolean {
    return fileKey(this.path) !== this.#key;
  }

  /** Looks at the log. */
  look(): LogView {
    return this.#attempt(() => {
      for (let looks = 0; looks < LOOKS_MAX; looks++) {
        const before = this.#header();
        const { log, checkpointed } = this.#ask("PRAGMA wal_checkpoint(NOOP)");
        const frames = Math.max(0, Number(log));
        if (frames === 0) return { header: undefined, frames: 0, backfilled: 0 };
        const header = this.#header();
        // Only a header that was there before and after the count is the one that was counted.
        if (header === undefined || header.salts.join() !== before?.salts.join()) continue;
        return { header, frames, backfilled: Number(checkpointed) };
      }
      const message = `${this.path}: its log was begun anew at each of ${LOOKS_MAX} looks.`;
      throw new SpringhouseError("BUSY", message, { fields: { path: this.path } });
    });
  }

  /** The place after a frame by its own word; nothing when the file does not reach so far. */
  placeOf(header: WalHeader, frame: number): WalPosition | undefined {
    if (frame === 0) return { salts: header.salts, frames: 0, checksum: header.checksum };
    const bytes = this.#read(frameOffset(frame, header.pageSize), FRAME_HEADER_BYTES);
    return bytes.length < FRAME_HEADER_BYTES ? undefined : positionAt(frame, bytes);
  }

  /** Reads frames that follow on a place, and proves that they do. */
  read(
    header: WalHeader,
    from: WalPosition,
    count: number,
  ): { readonly frames: readonly Frame[]; readonly position: WalPosition } {
    const size = count * (FRAME_HEADER_BYTES + header.pageSize);
    const bytes = this.#read(frameOffset(from.frames + 1, header.pageSize), size);
    const read = followFrames(header, from, bytes);
    if (read.frames.length === count) return read;
    const message = `${this.path}-wal is shorter than the frames that SQLite counts in it.`;
    throw new SpringhouseError("CORRUPT", message, { fields: { path: this.path } });
  }

  /** Takes a pin. */
  pin(): Pin {
    return this.#attempt(() => {
      const before = this.look();
      const connection = this.#connect();
      try {
        connection.exec("BEGIN");
        connection.prepare("SELECT 1 FROM sqlite_schema LIMIT 1").get();
        return {
          connection,
          readsFileOnly: before.backfilled === before.frames,
          view: this.look(),
          [Symbol.dispose]: () => connection.close(),
        };
      } catch (error) {
        connection.close();
        throw error;
      }
    });
  }

  /** Moves into the database file what no reader holds back; waits for nobody. */
  checkpoint(): void {
    this.#attempt(() => this.#ask("PRAGMA wal_checkpoint(PASSIVE)"));
  }

  /**
   * Runs `work` while nobody can commit; nothing when somebody writes for long. It must be short:
   * every writer waits for it.
   */
  whileNobodyWrites<T>(work: () => T): T | undefined {
    const connection = this.#attempt(() => this.#connect(LOCK_TIMEOUT_MS));
    try {
      this.#attempt(() => connection.exec("BEGIN IMMEDIATE"));
      return work();
    } catch (error) {
      if (connection.isTransaction || !isSpringhouseError(error, "BUSY")) throw error;
      return undefined;
    } finally {
      connection.close();
    }
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
    this.#control.close();
  }

  #assertReadable(): void {
    this.#attempt(() => {
      assertSafeSqlite(String(this.#ask("SELECT sqlite_version() AS version")["version"]));
      const mode = String(this.#ask("PRAGMA journal_mode")["journal_mode"]);
      if (mode === "wal") return;
      const message =
        `${this.path} has the journal mode "${mode}" and so no write-ahead log to ship. Open it ` +
        "with Springhouse once, or run: PRAGMA journal_mode = WAL";
      throw new SpringhouseError("INVALID_ARGUMENT", message, { fields: { mode } });
    });
  }

  #connect(timeout: number = BUSY_TIMEOUT_MS): DatabaseSync {
    const { DatabaseSync } = nodeSqlite();
    const connection = new DatabaseSync(this.path, { timeout });
    // A checkpoint is ours to start, never a side effect of closing.
    connection.exec("PRAGMA wal_autocheckpoint = 0; PRAGMA mmap_size = 0");
    return connection;
  }

  #ask(sql: string): Record<string, unknown> {
    return this.#control.prepare(sql).get() ?? {};
  }

  #header(): WalHeader | undefined {
    return parseWalHeader(this.#read(0, WAL_HEADER_BYTES));
  }

  #read(offset: number, size: number): Uint8Array {
    this.#file = this.#file ?? openIfThere(`${this.path}-wal`);
    if (this.#file === undefined) return new Uint8Array();
    // No more than is there: a wrong count must not ask for memory without end.
    const bytes = new Uint8Array(Math.max(0, Math.min(size, fstatSync(this.#file).size - offset)));
    const read = readSync(this.#file, bytes, 0, bytes.length, offset);
    return bytes.subarray(0, read);
  }

  #attempt<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw toSpringhouseError(error, { path: this.path });
    }
  }
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
