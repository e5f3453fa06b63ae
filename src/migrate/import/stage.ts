/**
 * The staging file: a database beside the target in which all rows are gathered, so that nothing
 * of the target changes before everything is known to be right.
 *
 * Every batch is one transaction that also notes how far the import is, so a killed import goes on
 * where the last one ended. The connection has the file for itself: a second import of the same
 * target is refused by SQLite's own lock, which no kill leaves behind.
 */

import {
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  rmSync,
  writeSync,
} from "node:fs";
import { isSpringhouseError, messageOf, SpringhouseError } from "../../core/errors.ts";
import type { SqlValue } from "../../core/statement.ts";
import { quoteIdentifier, quoteList } from "../../schema/quote.ts";
import { Connection } from "../../sqlite/connection.ts";
import { toSpringhouseError } from "../../sqlite/errors.ts";
import { COMPANIONS, createPrivately } from "../../sqlite/files.ts";
import type { ImportReject } from "./options.ts";
import type { Batch, LoadPlan, LoadState, TableShape } from "./plan.ts";
import { NO_ROWS, RowSum } from "./row-hash.ts";

/** The table with the state, which is gone when the file becomes the target. */
const STATE = "springhouse_import_state";
/** Rejects that are kept for the report; the file has all. */
const REJECTS_KEPT_MAX = 100;
/** Read and written by the owner only: reasons may quote what stands in the data. */
const PRIVATE_MODE = 0o600;
/** With what each list of rejects begins. */
const LIST_BEGINNING = '{"file":';
/** Pages between two copies of the log into the file: seldom, for nobody else reads it. */
const CHECKPOINT_PAGES = 8_000;

/** An open staging file. */
export class Stage implements Disposable {
  readonly plan: LoadPlan;
  readonly connection: Connection;
  #state: LoadState;
  readonly #rejects: RejectsFile;

  private constructor(plan: LoadPlan, connection: Connection, state: LoadState) {
    this.plan = plan;
    this.connection = connection;
    this.#state = state;
    this.#rejects = new RejectsFile(plan.rejectsFile, state.rejectsBytes);
  }

  /**
   * Opens the staging file of an import that was interrupted, or makes it anew.
   *
   * @param ddl makes the tables.
   * @throws `BUSY` when another import of the same target is under way.
   */
  static open(plan: LoadPlan, ddl: readonly string[]): Stage {
    if (existsSync(plan.staging)) {
      const connection = connectAlone(plan.staging);
      const state = readState(connection);
      if (state?.identity === plan.stagingIdentity) return new Stage(plan, connection, state);
      // That of other data, or what a kill has left of the beginning.
      connection.close();
      removeDatabase(plan.staging);
    }
    createPrivately(plan.staging);
    const connection = connectAlone(plan.staging);
    try {
      return Stage.#make(plan, connection, ddl);
    } catch (error) {
      // There is nothing in it from which a later import could go on.
      connection.close();
      removeDatabase(plan.staging);
      throw error;
    }
  }

  static #make(plan: LoadPlan, connection: Connection, ddl: readonly string[]): Stage {
    connection.control("BEGIN IMMEDIATE");
    for (const sql of ddl) connection.run({ sql, parameters: [] });
    connection.control(`CREATE TABLE ${STATE} (state TEXT NOT NULL)`);
    const state = freshState(plan);
    connection.run({
      sql: `INSERT INTO ${STATE} VALUES (?)`,
      parameters: [JSON.stringify(state)],
    });
    connection.control("COMMIT");
    return new Stage(plan, connection, state);
  }

  get state(): LoadState {
    return this.#state;
  }

  /** Writes a batch; gives the rejects that the database has found. */
  load(packed: Batch): readonly ImportReject[] {
    const { connection, plan } = this;
    const batch = unpacked(packed);
    connection.control("BEGIN IMMEDIATE");
    try {
      connection.control("SAVEPOINT batch");
      const sums = this.#state.sums.map((sum) => new RowSum(sum));
      const found: ImportReject[] = [];
      if (!this.#loadAtOnce(batch, sums)) {
        connection.control("ROLLBACK TO batch");
        sums.splice(0, sums.length, ...this.#state.sums.map((sum) => new RowSum(sum)));
        found.push(...this.#loadOneByOne(batch, sums));
      }
      connection.control("RELEASE batch");
      const rejects = [...batch.rejects, ...found].sort((a, b) => a.line - b.line);
      const state: LoadState = {
        ...this.#state,
        source: batch.source,
        sourceItems: batch.sourceItems,
        items: this.#state.items + batch.items,
        rejected: this.#state.rejected + rejects.length,
        rejectsBytes: this.#rejects.append(rejects),
        rejects: [...this.#state.rejects, ...rejects].slice(0, REJECTS_KEPT_MAX),
        sums: sums.map(({ total }) => total),
      };
      if (state.rejected > plan.rejectsMax) throw tooManyRejects(plan, state);
      this.#note(state);
      return found;
    } catch (error) {
      if (connection.inTransaction) connection.control("ROLLBACK");
      throw error;
    }
  }

  /** Notes more about the import, in a transaction of its own. */
  note(more: Partial<LoadState>): void {
    this.connection.control("BEGIN IMMEDIATE");
    this.#note({ ...this.#state, ...more });
  }

  /** Takes the state out of the file, which is then a database like any other. */
  dropState(): void {
    this.connection.control(`DROP TABLE ${STATE}`);
  }

  [Symbol.dispose](): void {
    this.#rejects.close();
    this.connection.close();
  }

  /** The fast way: true when every row was new and right. */
  #loadAtOnce({ rows, shapes }: UnpackedBatch, sums: readonly RowSum[]): boolean {
    const groups = Map.groupBy(rows.keys(), (index) => shapes[index] ?? 0);
    for (const [shape, indexes] of groups) {
      const given = indexes.map((index) => rows[index] ?? []);
      try {
        const changes = this.connection.runMany(this.#insert(shape), given);
        if (changes !== given.length) return false;
      } catch (error) {
        if (!isRefusal(error)) throw error;
        return false;
      }
      for (const row of given) sums[shape]?.add(row);
    }
    return true;
  }

  /** Item by item: each is written whole or becomes a reject. */
  #loadOneByOne(batch: UnpackedBatch, sums: readonly RowSum[]): readonly ImportReject[] {
    const { connection } = this;
    const rejects: ImportReject[] = [];
    const groups = Map.groupBy(batch.rows.keys(), (index) => batch.owners[index] ?? 0);
    for (const [item, indexes] of groups) {
      connection.control("SAVEPOINT item");
      const added: [RowSum | undefined, number][] = [];
      let reason: string | undefined;
      for (const index of indexes) {
        const shape = batch.shapes[index] ?? 0;
        const result = this.#insertOne(shape, batch.rows[index] ?? []);
        if (typeof result === "string") reason = result;
        if (result === true) added.push([sums[shape], index]);
        if (reason !== undefined) break;
      }
      if (reason === undefined) {
        for (const [sum, index] of added) sum?.add(batch.rows[index] ?? []);
      } else {
        connection.control("ROLLBACK TO item");
        rejects.push({ file: batch.file, line: batch.lines[item] ?? 0, reason });
      }
      connection.control("RELEASE item");
    }
    return rejects;
  }

  /** True: written; false: was there already; a text: why it cannot be written. */
  #insertOne(shape: number, row: readonly SqlValue[]): boolean | string {
    const { table, columns, key } = this.#shape(shape);
    try {
      const insert = { sql: this.#insert(shape), parameters: row };
      if (this.connection.run(insert).changes === 1) return true;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      return `${table}: ${messageOf(error)}`;
    }
    const same = columns.map((name) => `${quoteIdentifier(name)} IS ?`).join(" AND ");
    const sql = `SELECT 1 FROM ${quoteIdentifier(table)} WHERE ${same}`;
    if (this.connection.run({ sql, parameters: row }).rows.length > 0) return false;
    const values = key.map((name) => `${name} ${String(row[columns.indexOf(name)])}`).join(", ");
    return `${table}: an earlier item has given ${values} with other values`;
  }

  #insert(index: number): string {
    const { table, columns, key } = this.#shape(index);
    const marks = columns.map(() => "?").join(", ");
    const repeated = key.length === 0 ? "" : ` ON CONFLICT (${quoteList(key)}) DO NOTHING`;
    const into = `INSERT INTO ${quoteIdentifier(table)} (${quoteList(columns)})`;
    return `${into} VALUES (${marks})${repeated}`;
  }

  #shape(index: number): TableShape {
    const shape = this.plan.shapes[index];
    if (shape === undefined) throw new SpringhouseError("ASSERTION", `no shape ${index}`);
    return shape;
  }

  /** Ends the open transaction with the new state. */
  #note(state: LoadState): void {
    const parameters = [JSON.stringify(state)];
    this.connection.run({ sql: `UPDATE ${STATE} SET state = ?`, parameters });
    this.connection.control("COMMIT");
    this.#state = state;
  }
}

type UnpackedBatch = Batch & { readonly rows: readonly (readonly SqlValue[])[] };

function unpacked(batch: Batch): UnpackedBatch {
  const { rows } = batch;
  return { ...batch, rows: typeof rows === "string" ? JSON.parse(rows) : rows };
}

/** Removes a database and what SQLite puts beside it; the file itself goes last. */
export function removeDatabase(path: string): void {
  for (const companion of [...COMPANIONS, ""]) rmSync(path + companion, { force: true });
}

/**
 * A connection that has a staging file for itself.
 *
 * @throws `BUSY` when another import has it.
 */
export function connectAlone(path: string): Connection {
  const pragmas = [
    "busy_timeout = 0",
    // Of this file alone: what is attached later belongs to others too.
    "main.locking_mode = EXCLUSIVE",
    "journal_mode = WAL",
    "synchronous = NORMAL",
    `wal_autocheckpoint = ${CHECKPOINT_PAGES}`,
    "cache_size = -8000",
    "temp_store = MEMORY",
    "trusted_schema = OFF",
    "foreign_keys = OFF",
  ];
  try {
    const connection = new Connection({ path, readOnly: false, pragmas });
    // In exclusive mode the first access takes the lock, and the connection keeps it.
    connection.control("BEGIN IMMEDIATE");
    connection.control("COMMIT");
    return connection;
  } catch (error) {
    if (!isSpringhouseError(error, "BUSY")) throw error;
    const message = `Another import is under way: it has ${path}. Wait until it is done.`;
    throw new SpringhouseError("BUSY", message, { cause: error, fields: { path } });
  }
}

/** Undefined when the file holds none. */
function readState(connection: Connection): LoadState | undefined {
  try {
    const [text] = connection.ask(`SELECT state FROM ${STATE}`);
    return JSON.parse(String(text)) as LoadState;
  } catch (error) {
    if (isSpringhouseError(error, "BUSY")) throw error;
    return undefined;
  }
}

function freshState({ stagingIdentity: identity, shapes }: LoadPlan): LoadState {
  return {
    identity,
    source: 0,
    sourceItems: 0,
    items: 0,
    rejected: 0,
    rejectsBytes: 0,
    rejects: [],
    sums: shapes.map(() => NO_ROWS),
    backup: undefined,
    isLoaded: false,
  };
}

/** Whether it is the row that is wrong, and not the disk or the file. */
function isRefusal(error: unknown): boolean {
  return isSpringhouseError(error, "CONSTRAINT") || isSpringhouseError(error, "INVALID_ARGUMENT");
}

function tooManyRejects({ rejectsFile, rejectsMax }: LoadPlan, state: LoadState): SpringhouseError {
  const { rejects, rejected } = state;
  const first = rejects.slice(0, 3).map(({ file, line, reason }) => `${file}:${line} ${reason}`);
  const message =
    `${rejected} items cannot be imported, more than the ${rejectsMax} that are allowed, so ` +
    `nothing was: ${first.join("; ")}. All are in ${rejectsFile}.`;
  return new SpringhouseError("VALIDATION", message, {
    fields: { rejected, rejects, rejectsFile },
  });
}

/** The list of rejects: made with the first one, cut back to what the state knows. */
class RejectsFile {
  readonly #path: string;
  #bytes: number;
  #file: number | undefined;

  constructor(path: string, bytes: number) {
    this.#path = path;
    this.#bytes = bytes;
    // The list of an earlier import would pass for that of this one.
    if (bytes === 0) removeList(path);
  }

  /** Adds to the list; its length afterwards. */
  append(rejects: readonly ImportReject[]): number {
    if (rejects.length === 0) return this.#bytes;
    const text = rejects.map((reject) => `${JSON.stringify(reject)}\n`).join("");
    try {
      this.#file ??= openSync(this.#path, existsSync(this.#path) ? "r+" : "wx+", PRIVATE_MODE);
      // What a killed run has added after its last transaction is written again.
      ftruncateSync(this.#file, this.#bytes);
      this.#bytes += writeSync(this.#file, text, this.#bytes);
      fsyncSync(this.#file);
    } catch (error) {
      throw toSpringhouseError(error, { path: this.#path });
    }
    return this.#bytes;
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
  }
}

/** @throws `INVALID_ARGUMENT` when the file is something else. */
function removeList(path: string): void {
  if (!existsSync(path)) return;
  const bytes = Buffer.alloc(LIST_BEGINNING.length);
  const file = openSync(path, "r");
  const beginning = bytes.toString("utf8", 0, readSync(file, bytes));
  closeSync(file);
  if (beginning !== "" && beginning !== LIST_BEGINNING) {
    const message = `${path} is no list of rejects. Name another file for it, or move this one.`;
    throw new SpringhouseError("INVALID_ARGUMENT", message, { fields: { path } });
  }
  rmSync(path);
}
