/**
 * One file, as all of its users in this process share it: the writer, the reader threads, the main
 * thread's connection and the log. Owned by the registry, which opens and closes it.
 */

import { statSync } from "node:fs";
import { warn } from "../core/channels.ts";
import type { Clock } from "../core/clock.ts";
import { isSpringhouseError, SpringhouseError } from "../core/errors.ts";
import { awaitWhileBusy } from "./busy-wait.ts";
import { Connection } from "./connection.ts";
import { assertSafeSqlite, sqliteVersion } from "./engine.ts";
import { fileKey } from "./file-watch.ts";
import { createPrivately, folderAccess, setAside, sizeOf } from "./files.ts";
import { InlineReader } from "./inline-reader.ts";
import type { ResolvedDatabaseOptions } from "./options.ts";
import { Pool } from "./pool.ts";
import type { FileData, WriterNotice } from "./protocol.ts";
import { QueryLog } from "./query-log.ts";
import { type Reader, startReader } from "./reader.ts";
import { Writer } from "./writer.ts";

/** A log of this size (4 MB) is cleared on the main thread at close, within milliseconds. */
const INLINE_LOG_BYTES_MAX = 4 * 1_024 * 1_024;

/** What a test may put in the place of the real thing. */
export interface Environment {
  readonly clock: Clock;
  /** Instead of the version that SQLite reports. */
  readonly sqliteVersion?: string;
}

/** A file and everything that is open on it. */
export class DatabaseFile {
  readonly path: string;
  readonly options: ResolvedDatabaseOptions;
  readonly clock: Clock;
  readonly log: QueryLog;
  readonly writer: Writer;
  readonly readers: Pool<Reader>;
  readonly #sqliteVersion: string | undefined;
  #inline: InlineReader | undefined;
  /** Which file it is, for threads that start later. */
  #key: string | undefined;
  /** A read-only file in a folder where no log can be put is read as if it could not change. */
  #immutable = false;

  constructor(path: string, options: ResolvedDatabaseOptions, environment: Environment) {
    this.path = path;
    this.options = options;
    this.clock = environment.clock;
    this.#sqliteVersion = environment.sqliteVersion;
    this.log = new QueryLog(options.slowQueryThresholdMs, options.echo, () => this.clock.nowMs());
    this.writer = new Writer(
      () => this.#fileData(),
      (notice) => this.#warn(notice as WriterNotice),
    );
    this.readers = new Pool<Reader>(
      {
        create: (onDeath) => startReader(this.#fileData(), onDeath),
        destroy: (reader) => reader.close({ kind: "close" }),
      },
      options.pool,
      this.clock,
    );
  }

  /** The main thread's connection. */
  get inline(): InlineReader {
    if (this.#inline !== undefined) return this.#inline;
    throw new SpringhouseError("CLOSED", `${this.path} is not open.`);
  }

  /** Whether the path still leads to the file that is open. */
  get isInPlace(): boolean {
    return fileKey(this.path) === this.#key;
  }

  /**
   * Checks the file and opens the first connection. Waits for other processes that hold the file
   * exclusively, as they do while they recover or remove its log.
   */
  async open(): Promise<void> {
    assertSafeSqlite(this.#sqliteVersion ?? sqliteVersion());
    const { readOnly, profile, busyTimeoutMs } = this.options;
    try {
      if (!readOnly && profile === "fast") await this.#checkOrMakeAnew();
      else if (!readOnly) {
        this.#inline = this.#openLogged();
        if (this.#inline === undefined) await this.writer.ask("open");
      }
      const connect = (): InlineReader =>
        readOnly ? this.#openForReading() : this.#openInline(this.path);
      this.#inline ??= await awaitWhileBusy(connect, busyTimeoutMs, this.clock);
      this.#key = fileKey(this.path);
    } catch (error) {
      throw isSpringhouseError(error, "BUSY") ? this.#neverFree(error) : error;
    }
  }

  /** Readers first, the writer last: the last connection of all removes the log. */
  async close(): Promise<void> {
    await this.readers.close();
    this.#inline?.close();
    // A file that could not be opened stays as it is, with its log.
    const isInPlace = this.#inline !== undefined && this.isInPlace;
    const clears = isInPlace && !this.options.readOnly && !this.writer.started;
    const logBytes = clears ? sizeOf(`${this.path}-wal`) : 0;
    if (logBytes > INLINE_LOG_BYTES_MAX) await this.writer.ask("open");
    await this.writer.close();
    // A reader makes the files of the log, and leaves them: without changes they are of no use.
    const isLeftEmpty = this.options.readOnly && !this.#immutable && hasEmptyLog(this.path);
    if (isLeftEmpty || (clears && logBytes <= INLINE_LOG_BYTES_MAX)) this.#clearShortLog();
  }

  #fileData(): FileData {
    const { profile, busyTimeoutMs, cacheSizeBytes } = this.options;
    const data = { path: this.path, profile, busyTimeoutMs, cacheSizeBytes };
    return this.#immutable
      ? { ...data, path: immutableUri(this.path) }
      : { ...data, key: this.#key };
  }

  /**
   * A connection to a file that has a write-ahead log already. SQLite is asked and not the header:
   * closing a file that one has opened by oneself ends all locks of this process on it, those of
   * connections that the program has made without us among them.
   */
  #openLogged(): InlineReader | undefined {
    let inline: InlineReader | undefined;
    try {
      inline = this.#openInline(this.path);
      if (inline.connection.ask("PRAGMA journal_mode")[0] === "wal") return inline;
    } catch (error) {
      // The last who closes a damaged file would take its log away, with which it may be mended.
      if (isSpringhouseError(error, "CORRUPT")) throw error;
      // The writer can open more than a reader can, and says what is wrong.
    }
    inline?.close();
    return undefined;
  }

  #openInline(path: string): InlineReader {
    const inline = new InlineReader(path, this.options.cacheSizeBytes);
    try {
      inline.connection.ask("SELECT count(*) FROM sqlite_schema");
      return inline;
    } catch (error) {
      inline.close();
      throw error;
    }
  }

  #openForReading(): InlineReader {
    try {
      return this.#openInline(this.path);
    } catch (error) {
      const blocked =
        isSpringhouseError(error, "UNOPENABLE") || isSpringhouseError(error, "READ_ONLY");
      if (!blocked || folderAccess(this.path) === "writable") throw error;
      if (sizeOf(`${this.path}-wal`) > 0) {
        throw new SpringhouseError(
          "UNOPENABLE",
          `${this.path} has a write-ahead log with changes that are not in the file yet, and its ` +
            "folder is read-only. Copy the file and its -wal together to a folder that can be " +
            "written, or open it once where it was written.",
          { cause: error, fields: { path: this.path } },
        );
      }
      if (folderAccess(this.path) === "others") {
        throw new SpringhouseError(
          "UNOPENABLE",
          `${this.path} cannot be read safely: this user may not write in its folder, where ` +
            "SQLite keeps the locks, and another user may, who could change the file meanwhile. " +
            "Give this user the right to write in the folder, or a copy of the file.",
          { cause: error, fields: { path: this.path } },
        );
      }
      this.#immutable = true;
      return this.#openInline(immutableUri(this.path));
    }
  }

  /** A damaged cache is worth less than a working one. */
  async #checkOrMakeAnew(): Promise<void> {
    try {
      await this.writer.ask("open");
      await this.writer.ask("check");
    } catch (error) {
      const damaged =
        isSpringhouseError(error, "CORRUPT") || isSpringhouseError(error, "NOT_A_DATABASE");
      if (!damaged) throw error;
      await this.writer.close().catch(() => undefined);
      const aside = setAside(this.path, this.clock.nowMs());
      createPrivately(this.path);
      // The advice of the error is for files that are left as they are.
      const why = error.code === "CORRUPT" ? "damaged" : "no database, or encrypted";
      const message = `${this.path} was ${why}. It was set aside as ${aside} and made anew.`;
      warn("DATABASE_REMADE", message, { path: this.path, aside });
      await this.writer.ask("open");
    }
  }

  /** Of the connections that end, only the last one that may write clears and removes the log. */
  #clearShortLog(): void {
    try {
      using connection = new Connection({ path: this.path, readOnly: false, pragmas: [] });
      connection.ask("SELECT count(*) FROM sqlite_schema");
    } catch {
      // Another process uses the file, or took it away: its log is not ours to remove.
    }
  }

  #neverFree(cause: SpringhouseError): SpringhouseError {
    const { path } = this;
    const { busyTimeoutMs } = this.options;
    return new SpringhouseError(
      "BUSY",
      `${path} could not be opened within ${busyTimeoutMs} ms, because another process holds it ` +
        "exclusively or recovers its log. Let that process end or close the file, or raise " +
        "busyTimeout.",
      { cause, fields: { path, busyTimeoutMs } },
    );
  }

  #warn(trouble: WriterNotice): void {
    const { path } = this;
    if (trouble.kind === "lost") {
      warn("FILE_LOST", trouble.message, { path });
      return;
    }
    if (trouble.kind !== "pinned") {
      const message = `The log of ${path} could not be moved into the file: ${trouble.message}`;
      const advice =
        `. The file was closed all the same. What was acknowledged is safe in ${path}-wal: keep ` +
        "both files together, the next open goes on with it.";
      warn("CHECKPOINT_FAILED", trouble.kind === "left" ? message + advice : message, { path });
      return;
    }
    const { frames, checkpointed } = trouble;
    const { inUse } = this.readers.statistics();
    warn(
      "LOG_PINNED",
      `The log of ${path} cannot be cut: ${frames - checkpointed} pages wait for a reader that ` +
        `is still at an old snapshot (${inUse} readers are in use here; it may be another ` +
        "process). End long streams and snapshots.",
      { path, frames, checkpointed, inUse },
    );
  }
}

function hasEmptyLog(path: string): boolean {
  return statSync(`${path}-wal`, { throwIfNoEntry: false })?.size === 0;
}

/** Tells SQLite that nobody changes the file, so that it needs no log beside it. */
function immutableUri(path: string): string {
  return `file:${encodeURI(path).replaceAll("?", "%3f").replaceAll("#", "%23")}?immutable=1`;
}
