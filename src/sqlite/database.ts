/**
 * An open SQLite file, as one user has it, and the route of each statement.
 *
 * A write goes to the writer thread. A read goes to the main thread's own connection when its plan
 * proves it short, and to a reader thread otherwise.
 */

import { existsSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { abortable, throwIfAborted } from "../core/abort.ts";
import { assertList } from "../core/arguments.ts";
import type { Clock } from "../core/clock.ts";
import { SpringhouseError } from "../core/errors.ts";
import { isSliceOver, nextSlice } from "../core/slices.ts";
import { noteStatement } from "../core/statement-watch.ts";
import type { DatabaseFile, Environment } from "./database-file.ts";
import {
  type DatabaseFacts,
  type DatabaseVitals,
  readFacts,
  readSettings,
  readVitals,
  type Settings,
} from "./describe.ts";
import { createPrivately } from "./files.ts";
import { HeldReader } from "./held-reader.ts";
import type { SqliteLocation } from "./location.ts";
import { OpenCalls } from "./open-calls.ts";
import { type DatabaseOptions, resolveDatabaseOptions } from "./options.ts";
import type { PoolStatistics } from "./pool.ts";
import { CHUNK_ROWS, type WireChunk, type WireResult } from "./protocol.ts";
import type { QueryLog, QueryStatistics } from "./query-log.ts";
import { acquireFile } from "./registry.ts";
import { collect, publish, type Send } from "./results.ts";
import type { SlowQuery } from "./slow-queries.ts";
import { checkRead, checkStatement, withOwnBytes } from "./statement-check.ts";
import { refuseUnfit, statementFacts } from "./statement-text.ts";
import { makeTemporaryFolder, removeTemporaryFolder } from "./temporary.ts";
import type { CallOptions, ResultSet, Statement, UnitOptions } from "./values.ts";
import type { UnitOwner, WriterSend } from "./writer.ts";

/** For streamed reads. */
export interface StreamOptions extends CallOptions {
  /** Rows in a chunk. Default: 500. */
  readonly chunkRows?: number;
}

/** Reads that all see the same state of the database. */
export interface Snapshot {
  read(statement: Statement): Promise<ResultSet>;
}

/**
 * Opens a SQLite file, or makes it.
 *
 * @throws `UNOPENABLE`, `NOT_A_DATABASE`, `CORRUPT`, `SQLITE_TOO_OLD`, `READ_ONLY`,
 * `INVALID_ARGUMENT`.
 */
export async function openDatabase(
  location: SqliteLocation,
  options: DatabaseOptions = {},
  environment?: Environment,
): Promise<Database> {
  const resolved = resolveDatabaseOptions(options);
  const folder = location.kind === "temporary" ? makeTemporaryFolder() : undefined;
  const path = location.kind === "file" ? location.path : join(folder ?? "", "temporary.db");
  const calls = new OpenCalls(path);
  const removeFolder = (): void => {
    if (folder !== undefined) removeTemporaryFolder(folder);
  };
  try {
    return await calls.track(async () => {
      const made = !(resolved.readOnly && folder === undefined) && createPrivately(path);
      try {
        const { file, release } = await acquireFile(path, options, resolved, environment);
        const onClosed = (): Promise<void> => release().finally(removeFolder);
        return new Database(file, calls, resolved.readOnly, onClosed);
      } catch (error) {
        // A file that was made for an open that failed is nothing that anybody asked for.
        if (made && isEmptyFile(path)) rmSync(path, { force: true });
        throw error;
      }
    });
  } catch (error) {
    await calls.close(async () => removeFolder());
    throw error;
  }
}

/** An open file. Made by `openDatabase`. */
export class Database implements AsyncDisposable {
  /** What all users of the file in this process share. */
  readonly file: DatabaseFile;
  readonly readOnly: boolean;
  readonly #calls: OpenCalls;
  readonly #onClosed: () => Promise<void>;
  readonly #held = new Set<HeldReader>();
  /** One for all units, since thousands of them may wait at once. */
  readonly #owner: UnitOwner = {
    publishUnit: (unit, results) => {
      let ddl = false;
      const published = results.map((result, index) => {
        const sql = unit[index]?.sql ?? "";
        ddl = statementFacts(sql).ddl || ddl;
        return publish(this.log, "writer", sql, result);
      });
      if (ddl) this.schemaChanged();
      return published;
    },
    unitEnded: () => this.#calls.end(),
  };

  constructor(
    file: DatabaseFile,
    calls: OpenCalls,
    readOnly: boolean,
    onClosed: () => Promise<void>,
  ) {
    this.file = file;
    this.readOnly = readOnly;
    this.#calls = calls;
    this.#onClosed = onClosed;
  }

  get path(): string {
    return this.file.path;
  }

  get clock(): Clock {
    return this.file.clock;
  }

  get log(): QueryLog {
    return this.file.log;
  }

  /** Whether a statement may change the database. Throws `STATEMENT_REFUSED` for unfit ones. */
  isWrite(sql: string): boolean {
    return refuseUnfit(sql).write;
  }

  /** Runs one statement that does not write. */
  read(statement: Statement, options: CallOptions = {}): Promise<ResultSet> {
    try {
      this.#calls.assertOpen();
      const own = checkRead(statement);
      noteStatement(own);
      const { signal } = options;
      throwIfAborted(signal, "The read");
      if (isSliceOver()) return this.#calls.track(() => this.#readLater(own, signal));
      return this.#readInline(own) ?? this.#readOnThread(own, signal);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Rows in chunks, from one snapshot. Leaving the loop early frees everything. */
  async *stream(
    statement: Statement,
    options: StreamOptions = {},
  ): AsyncGenerator<ResultSet, void, undefined> {
    this.#calls.assertOpen();
    const own = checkRead(statement);
    noteStatement(own);
    throwIfAborted(options.signal, "The read");
    const { chunkRows = CHUNK_ROWS } = options;
    assertChunkRows(chunkRows);
    const reader = await this.#calls.track(() => this.#holdReader(options.signal));
    this.#held.add(reader);
    try {
      const send: Send = async (request) => {
        this.#calls.assertOpen();
        return this.#calls.track(() => reader.send(request));
      };
      const first = await send<WireResult>({ kind: "query", statement: own, chunkRows });
      let { ms } = first;
      let count = first.rows.length;
      const { columns, cursor } = first;
      yield { columns, rows: first.rows, changes: 0 };
      for (let done = cursor === undefined; !done && cursor !== undefined; ) {
        const chunk = await send<WireChunk>({ kind: "fetch", cursor, chunkRows });
        ms += chunk.ms;
        count += chunk.rows.length;
        done = chunk.done;
        if (chunk.rows.length > 0) yield { columns, rows: chunk.rows, changes: 0 };
      }
      this.log.record(statement.sql, ms, count, "reader");
    } finally {
      this.#held.delete(reader);
      await reader.release();
    }
  }

  /** Runs `run` with reads that all see one state of the database. */
  async snapshot<T>(
    run: (snapshot: Snapshot) => Promise<T>,
    options: CallOptions = {},
  ): Promise<T> {
    this.#calls.assertOpen();
    return this.#calls.track(async () => {
      await using reader = await this.#holdReader(options.signal);
      const send: Send = (request) => reader.send(request);
      await reader.send({ kind: "snapshot" });
      return await run({
        read: async (statement) => {
          const own = checkRead(statement);
          noteStatement(own);
          return publish(this.log, "reader", own.sql, await query(send, own));
        },
      });
    });
  }

  /** Runs the statements as one atomic unit; one result for each, in order. */
  write(unit: readonly Statement[], options: UnitOptions = {}): Promise<readonly ResultSet[]> {
    let own: readonly Statement[];
    try {
      this.#calls.assertOpen();
      own = this.checkWrites(unit);
      throwIfAborted(options.signal, "The write");
    } catch (error) {
      return Promise.reject(error);
    }
    if (own.length === 0) return Promise.resolve([]);
    this.#calls.begin();
    return this.file.writer.write(own, this.#owner, options);
  }

  /** Gives the writer to `run` alone, in its turn. */
  async hold<T>(run: (send: WriterSend) => Promise<T>, options: CallOptions = {}): Promise<T> {
    this.#calls.assertOpen();
    this.assertWritable();
    throwIfAborted(options.signal, "The write");
    return this.#calls.track(() => this.file.writer.hold(run, options));
  }

  /** Makes the log of changes whole, in one step of the writer. */
  async prepareLog(): Promise<void> {
    await this.hold((send) => send({ kind: "prepareLog" }));
    this.schemaChanged();
  }

  /** The unit with bytes of its own; refuses statements that no unit may have. */
  checkWrites(unit: readonly Statement[]): readonly Statement[] {
    this.assertWritable();
    assertList("A unit", unit);
    for (const statement of unit) checkStatement(statement);
    // A unit of several statements is what a watch would ask for.
    const [only] = unit;
    if (only !== undefined && unit.length === 1) noteStatement(only);
    return unit.map(withOwnBytes);
  }

  /** Throws `READ_ONLY`. */
  assertWritable(): void {
    if (!this.readOnly) return;
    throw new SpringhouseError(
      "READ_ONLY",
      `${this.path} was opened with readOnly. Open it without to write.`,
      { fields: { path: this.path } },
    );
  }

  /** Tells the readers that a commit may have changed the schema. */
  schemaChanged(): void {
    this.file.inline.schemaChanged();
  }

  /** Facts for people who look after the file. */
  async describe(): Promise<DatabaseFacts> {
    this.#calls.assertOpen();
    return this.#calls.track(async () => {
      const { inline, options, readers, writer } = this.file;
      const settings = this.readOnly
        ? readSettings(inline.connection)
        : await writer.ask<Settings>("settings");
      return {
        path: this.path,
        profile: options.profile,
        readOnly: this.readOnly,
        ...readFacts(inline.connection, this.path),
        settings,
        pool: readers.statistics(),
      };
    });
  }

  /** How the file and those who use it are at this moment. */
  vitals(): DatabaseVitals {
    this.#calls.assertOpen();
    const { inline, isInPlace, path, readers, writer } = this.file;
    return {
      path,
      readOnly: this.readOnly,
      isInPlace,
      ...readVitals(inline.connection, path),
      pool: readers.statistics(),
      writer: writer.statistics(),
    };
  }

  /** The reader threads. */
  statistics(): PoolStatistics {
    return this.file.readers.statistics();
  }

  /** Statements by their text, the costliest first. */
  queryStatistics(): QueryStatistics {
    return this.log.statistics();
  }

  /** The last slow statements; see `QueryLog.slowQueries`. */
  slowQueries(windowMs: number): readonly SlowQuery[] {
    return this.log.slowQueries(windowMs);
  }

  /** Waits for what is under way and refuses what comes after with `CLOSED`. Idempotent. */
  close(): Promise<void> {
    return this.#calls.close(async () => {
      const error = this.#calls.closedError();
      for (const reader of [...this.#held]) await reader.end(error);
      await this.#onClosed();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #readInline(statement: Statement): Promise<ResultSet> | undefined {
    const startMs = performance.now();
    const result = this.file.inline.tryRead(statement);
    if (result === undefined) return undefined;
    this.log.record(statement.sql, performance.now() - startMs, result.rows.length, "inline");
    return Promise.resolve(result);
  }

  async #readLater(statement: Statement, signal: AbortSignal | undefined): Promise<ResultSet> {
    await nextSlice(signal, "The read");
    return this.#readInline(statement) ?? this.#readOnThread(statement, signal);
  }

  #readOnThread(statement: Statement, signal: AbortSignal | undefined): Promise<ResultSet> {
    const work = this.#calls.track(async () => {
      using lease = await this.file.readers.acquire({ signal });
      const send: Send = (request) => lease.connection.request(request);
      return publish(this.log, "reader", statement.sql, await query(send, statement, signal));
    });
    return abortable(work, signal, "The read");
  }

  #holdReader(signal: AbortSignal | undefined): Promise<HeldReader> {
    const { readers: pool, clock, options } = this.file;
    return HeldReader.take({ pool, clock, maxAgeMs: options.snapshotMaxAgeMs, signal });
  }
}

/** Whether nobody, another process included, has written anything. */
function isEmptyFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.size === 0 && !existsSync(`${path}-wal`);
}

/** Runs a read in a thread and puts its chunks together. */
async function query(send: Send, statement: Statement, signal?: AbortSignal): Promise<WireResult> {
  const first = await send<WireResult>({ kind: "query", statement, chunkRows: CHUNK_ROWS });
  return collect(send, first, signal);
}

/** Throws unless it is a number of rows that a chunk can have. */
export function assertChunkRows(chunkRows: number): void {
  if (Number.isInteger(chunkRows) && chunkRows >= 1) return;
  const message = `chunkRows: ${chunkRows} is not a whole number from 1.`;
  throw new SpringhouseError("INVALID_ARGUMENT", message, { fields: { chunkRows } });
}
