/**
 * What the writer thread does: groups of units, and one transaction at a time.
 *
 * The connection never waits for a lock inside SQLite (`busy-wait.ts`); every transaction takes
 * the write lock when it begins, so nothing in it can be refused for being late.
 */

import type { Expectation } from "../change/expectation.ts";
import { unreachable } from "../core/assert.ts";
import type { Clock } from "../core/clock.ts";
import { SpringhouseError } from "../core/errors.ts";
import { Checkpointer } from "./checkpointer.ts";
import { Claims } from "./claims.ts";
import { CommitCounters } from "./commit-counters.ts";
import { Connection } from "./connection.ts";
import { CursorTable } from "./cursor-table.ts";
import { DeferredKeys } from "./deferred-keys.ts";
import { readSettings } from "./describe.ts";
import { ExpectationCheck } from "./expectations.ts";
import { FileWatch, refuseLost } from "./file-watch.ts";
import { decodeGroup, encodeOutcomes, type WireOutcomes } from "./group-wire.ts";
import { completeLog, testLog } from "./log-preparation.ts";
import { LogTick } from "./log-tick.ts";
import { writerPragmas } from "./pragmas.ts";
import type { FileData, WireChanges, WireGroup, WireResult, WriterRequest } from "./protocol.ts";
import { rollBack, undoSavepoint } from "./savepoint.ts";
import type { Handler } from "./thread-server.ts";
import type { SqlValue, Statement } from "./values.ts";
import { type Gate, runGroup, runUnderSavepoint, withdrawn } from "./write-group.ts";
import { WriteLock } from "./write-lock.ts";

/** What a session shares with those before and after it in its thread. */
export interface WriterSessionOptions {
  /** Default: one of its own. */
  readonly lock?: WriteLock;
  /** When it was first asked for something, by `processMs`. Default: now. */
  readonly askedMs?: number | undefined;
}

/** The state of the writer thread. */
export class WriterSession implements Handler<WriterRequest> {
  readonly #cursors = new CursorTable();
  readonly #connection: Connection;
  readonly #checkpointer: Checkpointer;
  readonly #deferredKeys: DeferredKeys;
  readonly #expectations: ExpectationCheck;
  readonly #watch: FileWatch;
  readonly #claims: Claims;
  readonly #commits: CommitCounters;
  readonly #tick: LogTick;
  readonly #lock: WriteLock;
  #foreignKeysOff = false;
  #hasCommitted = false;

  constructor(
    data: FileData,
    clock: Clock,
    notify: (value: unknown) => void,
    { lock = new WriteLock(data.busyTimeoutMs), askedMs }: WriterSessionOptions = {},
  ) {
    this.#claims = new Claims(data.claims);
    this.#commits = new CommitCounters(data.commits);
    this.#lock = lock;
    refuseLost(data.path, data.key);
    this.#connection = lock.wait(() => openForWriting(data), askedMs);
    this.#tick = new LogTick(this.#connection);
    this.#deferredKeys = new DeferredKeys(this.#connection);
    this.#expectations = new ExpectationCheck(this.#connection);
    this.#checkpointer = new Checkpointer(this.#connection, clock, notify);
    const onLost = (message: string): void => notify({ kind: "lost", message });
    this.#watch = new FileWatch(data, clock, onLost);
  }

  handle(request: WriterRequest): unknown {
    switch (request.kind) {
      case "open":
        return undefined;
      case "check":
        return this.#check();
      case "settings":
        return readSettings(this.#connection);
      case "group":
        return this.#group(request.group, request.askedMs);
      case "prepareLog":
        return this.#prepareLog(request.askedMs);
      case "begin":
        return this.#beginTransaction(request.foreignKeys, request.askedMs, request.expects);
      case "unit":
        return this.#unit(request.statements, request.expects);
      case "rows":
        return this.#rows(request.sql, request.rows);
      case "savepoint":
        return this.#savepoint(request.depth, request.expects);
      case "release":
        return this.#within(() => this.#connection.control(`RELEASE s${request.depth}`));
      case "rollbackTo":
        return undoSavepoint(this.#connection, `s${request.depth}`);
      case "commit":
        return this.#commit();
      case "rollback":
        return this.#end(() => rollBack(this.#connection));
      case "query":
        return this.#within(() =>
          this.#cursors.query(this.#connection, request.statement, request.chunkRows),
        );
      case "fetch":
        return this.#cursors.fetch(request.cursor, request.chunkRows);
      case "dismiss":
        return this.#cursors.dismiss(request.cursor);
      case "close":
        return this.#close();
      default:
        return unreachable(request);
    }
  }

  /** A checkpoint waits for the disk, which no caller of the commits before it has to. */
  afterReply(): void {
    if (!this.#hasCommitted || this.#connection.inTransaction) return;
    this.#hasCommitted = false;
    this.#checkpointer.afterCommit();
  }

  #group(group: WireGroup, askedMs: Float64Array | undefined): WireOutcomes {
    this.#cursors.beginReply();
    const units = decodeGroup(group);
    const gate: Gate = {
      begin: (first, end) => this.#begin(first, end, askedMs?.[first]),
      claim: (unit) => this.#claims.begin(unit),
      check: (unit) => this.#expectations.assertHold(group.expects?.get(unit) ?? []),
      isOverdue: (unit) => askedMs === undefined || this.#lock.isOver(askedMs[unit] ?? 0),
      commit: () => this.#commitNow(),
    };
    const outcomes = runGroup(this.#connection, this.#cursors, gate, units, this.#deferredKeys);
    this.#hasCommitted = true;
    return encodeOutcomes(outcomes);
  }

  /** Begins a transaction, unless all of its units are given up while it waits. */
  #begin(first: number, end: number, askedMs: number | undefined): void {
    this.#lock.wait(() => {
      if (this.#claims.areWithdrawn(first, end)) throw withdrawn().error;
      this.#beginNow();
    }, askedMs);
  }

  #beginNow(): void {
    this.#watch.assertInPlace();
    this.#connection.control("BEGIN IMMEDIATE");
  }

  /** From the look to the commit in one go: other writers wait meanwhile. */
  #prepareLog(askedMs: number | undefined): void {
    this.#lock.wait(() => this.#beginNow(), askedMs);
    try {
      completeLog(this.#connection);
      testLog(this.#connection);
      this.#commitNow();
    } catch (error) {
      rollBack(this.#connection);
      throw error;
    }
    this.#hasCommitted = true;
  }

  #beginTransaction(
    foreignKeys: boolean,
    askedMs: number | undefined,
    expects: readonly Expectation[] = [],
  ): void {
    if (!foreignKeys) this.#setForeignKeys(false);
    try {
      this.#begin(0, 1, askedMs);
      if (!this.#claims.begin(0)) throw withdrawn().error;
      this.#expectations.assertHold(expects);
    } catch (error) {
      rollBack(this.#connection);
      this.#setForeignKeys(true);
      throw error;
    }
  }

  /** Only outside of a transaction does SQLite take this setting. */
  #setForeignKeys(on: boolean): void {
    if (on !== this.#foreignKeysOff) return;
    this.#connection.control(`PRAGMA foreign_keys = ${on ? "ON" : "OFF"}`);
    this.#foreignKeysOff = !on;
  }

  #savepoint(depth: number, expects: readonly Expectation[] = []): void {
    this.#within(() => {
      this.#expectations.assertHold(expects);
      this.#connection.control(`SAVEPOINT s${depth}`);
    });
  }

  #unit(statements: readonly Statement[], expects: readonly Expectation[] = []): WireResult[] {
    return this.#within(() => {
      this.#expectations.assertHold(expects);
      this.#cursors.beginReply();
      return runUnderSavepoint(this.#connection, this.#cursors, statements);
    });
  }

  #rows(sql: string, rows: readonly (readonly SqlValue[])[]): WireChanges {
    return this.#within(() => {
      const startMs = performance.now();
      const changes = this.#connection.runMany(sql, rows);
      this.#assertWithin();
      return { changes, ms: performance.now() - startMs };
    });
  }

  #within<T>(run: () => T): T {
    this.#assertWithin();
    return run();
  }

  #assertWithin(): void {
    if (this.#connection.inTransaction) return;
    throw new SpringhouseError(
      "TRANSACTION_ENDED",
      "The transaction was rolled back by an earlier failure in it. Run it again from its start.",
    );
  }

  #commit(): void {
    this.#end(() => {
      this.#assertWithin();
      try {
        this.#commitNow();
      } catch (error) {
        rollBack(this.#connection);
        throw error;
      }
    });
    this.#hasCommitted = true;
  }

  #commitNow(): void {
    this.#tick.add();
    this.#commits.around(() => this.#connection.control("COMMIT"));
  }

  /** Ends the transaction, with its open reads before it and its setting after it. */
  #end(finish: () => void): void {
    this.#cursors.clear();
    try {
      finish();
    } finally {
      this.#setForeignKeys(true);
    }
  }

  /** Looks for damage, for files that can be made anew. */
  #check(): void {
    const check = (): unknown => this.#connection.ask("PRAGMA quick_check(1)")[0];
    const verdict = this.#lock.wait(check);
    if (verdict === "ok") return;
    const { path } = this.#connection;
    const message = `${path} is damaged: ${String(verdict)}.`;
    throw new SpringhouseError("CORRUPT", message, { fields: { path } });
  }

  #close(): void {
    this.#cursors.clear();
    rollBack(this.#connection);
    this.#checkpointer.finish();
    this.#connection.close();
  }
}

/** The schema is read before the journal mode is set, so that a damaged file stays as it is. */
function openForWriting({ path, profile, cacheSizeBytes }: FileData): Connection {
  const pragmas = writerPragmas(profile, cacheSizeBytes);
  const connection = new Connection({ path, readOnly: false, pragmas });
  try {
    connection.ask("SELECT count(*) FROM sqlite_schema");
    const [mode] = connection.ask("PRAGMA journal_mode = WAL");
    if (mode === "wal") return connection;
    throw new SpringhouseError(
      "UNOPENABLE",
      `${path} cannot have a write-ahead log (its journal mode stays ${String(mode)}). ` +
        "Its file system lacks shared memory: move it to a local disk.",
      { fields: { path } },
    );
  } catch (error) {
    connection.close();
    throw error;
  }
}
