/**
 * One database file in one process: its writer, its readers, and the routes between them.
 *
 * A write goes to the writer thread. A read goes to the main thread's own connection when its plan
 * proves it short, and to a reader thread otherwise.
 */

import { closeSync, mkdtempSync, openSync, readSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { throwIfAborted } from "../core/abort.ts";
import { SpringhouseError } from "../core/errors.ts";
import { assertSafeSqlite } from "./engine.ts";
import { toSpringhouseError } from "./errors.ts";
import { InlineReader } from "./inline-reader.ts";
import type { SqliteLocation } from "./location.ts";
import type { Profile } from "./pragmas.ts";
import { CHUNK_ROWS, type WireChunk, type WireResult } from "./protocol.ts";
import { type Reader, startReader } from "./reader.ts";
import { collect } from "./results.ts";
import { refuseUnfit } from "./statement-text.ts";
import type { CallOptions, ResultSet, Statement } from "./values.ts";
import { toResultSet, Writer, type WriterSend } from "./writer.ts";

/** How to open a file. */
export interface DatabaseOptions {
  readonly location: SqliteLocation;
  readonly profile: Profile;
  readonly readOnly: boolean;
  readonly busyTimeoutMs: number;
}

/** An open database file. */
export class Database {
  readonly path: string;
  readonly readOnly: boolean;
  readonly #options: DatabaseOptions;
  readonly #temporaryFolder: string | undefined;
  readonly #writer: Writer;
  #inline: InlineReader | undefined;
  #reader: Reader | undefined;
  #readerTurn: Promise<unknown> = Promise.resolve();

  constructor(options: DatabaseOptions) {
    this.#options = options;
    this.readOnly = options.readOnly;
    if (options.location.kind === "temporary") {
      this.#temporaryFolder = mkdtempSync(join(tmpdir(), "springhouse-"));
      this.path = join(this.#temporaryFolder, "temporary.db");
    } else {
      this.path = options.location.path;
    }
    this.#writer = new Writer(this.#threadData());
  }

  /** Makes the file if there is none, checks it, and opens the first connection. */
  async open(): Promise<void> {
    try {
      if (!this.readOnly) createPrivately(this.path);
      else statSync(this.path);
      if (!this.readOnly && !isWal(this.path)) await this.#writer.open();
    } catch (error) {
      throw toSpringhouseError(error, { path: this.path });
    }
    this.#inline = new InlineReader(this.path);
    const [version] = this.#inline.connection.ask("SELECT sqlite_version()");
    assertSafeSqlite(String(version));
    this.#inline.connection.ask("SELECT count(*) FROM sqlite_schema");
  }

  async read(statement: Statement, options: CallOptions = {}): Promise<ResultSet> {
    const facts = refuseUnfit(statement.sql);
    if (facts.write) throw writeRefused(statement.sql);
    throwIfAborted(options.signal, "The read");
    const inline = this.#inline?.tryRead(statement);
    if (inline !== undefined) return inline;
    return this.#withReader(async (reader) => {
      const request = { kind: "query", statement, chunkRows: CHUNK_ROWS } as const;
      const first = await reader.request<WireResult>(request);
      return toResultSet((await collect((next) => reader.request(next), first)) as WireResult);
    });
  }

  async *stream(statement: Statement, chunkRows: number): AsyncGenerator<ResultSet> {
    const facts = refuseUnfit(statement.sql);
    if (facts.write) throw writeRefused(statement.sql);
    const reader = startReader(this.#threadData(), () => undefined);
    try {
      const first = await reader.request<WireResult>({ kind: "query", statement, chunkRows });
      yield toResultSet(first);
      const { columns, cursor } = first;
      while (cursor !== undefined) {
        const chunk = await reader.request<WireChunk>({ kind: "fetch", cursor, chunkRows });
        yield { columns, rows: chunk.rows, changes: 0 };
        if (chunk.done) return;
      }
    } finally {
      await reader.close({ kind: "close" });
    }
  }

  async write(
    unit: readonly Statement[],
    options: CallOptions = {},
  ): Promise<readonly ResultSet[]> {
    this.#assertWritable();
    let ddl = false;
    for (const { sql } of unit) ddl = refuseUnfit(sql).ddl || ddl;
    if (unit.length === 0) return [];
    const results = await this.#writer.write(unit, options);
    if (ddl) this.#inline?.schemaChanged();
    return results.map(toResultSet);
  }

  hold<T>(run: (send: WriterSend) => Promise<T>, options?: CallOptions): Promise<T> {
    this.#assertWritable();
    return this.#writer.hold(run, options);
  }

  schemaChanged(): void {
    this.#inline?.schemaChanged();
  }

  async close(): Promise<void> {
    await this.#readerTurn;
    await this.#reader?.close({ kind: "close" });
    this.#inline?.close();
    await this.#writer.close();
    if (this.#temporaryFolder !== undefined) rmSync(this.#temporaryFolder, { recursive: true });
  }

  #withReader<T>(use: (reader: Reader) => Promise<T>): Promise<T> {
    const turn = this.#readerTurn.then(() => {
      this.#reader ??= startReader(this.#threadData(), () => {
        this.#reader = undefined;
      });
      return use(this.#reader);
    });
    this.#readerTurn = turn.catch(() => undefined);
    return turn;
  }

  #threadData(): { path: string; profile: Profile; busyTimeoutMs: number } {
    const { profile, busyTimeoutMs } = this.#options;
    return { path: this.path, profile, busyTimeoutMs };
  }

  #assertWritable(): void {
    if (!this.readOnly) return;
    throw new SpringhouseError(
      "READ_ONLY",
      `${this.path} was opened with readOnly: open it without to write.`,
      { fields: { path: this.path } },
    );
  }
}

function writeRefused(sql: string): SpringhouseError {
  return new SpringhouseError(
    "STATEMENT_REFUSED",
    `The statement may write, and a read must not: use write().\n${sql.slice(0, 200)}`,
    { fields: { sql } },
  );
}

/** SQLite gives its own files the permissions of the database, so this covers all of them. */
function createPrivately(path: string): void {
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === "EEXIST") return;
    if (code !== "ENOENT") throw error;
    throw new SpringhouseError(
      "UNOPENABLE",
      `The folder ${dirname(path)} does not exist. Make it first; it is not made silently.`,
      { cause: error, fields: { path } },
    );
  }
}

/** Whether the header says that the file has a write-ahead log. An empty file has no header. */
function isWal(path: string): boolean {
  const header = new Uint8Array(20);
  const file = openSync(path, "r");
  try {
    return readSync(file, header, 0, 20, 0) === 20 && header[18] === 2 && header[19] === 2;
  } finally {
    closeSync(file);
  }
}
