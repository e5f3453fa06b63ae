/**
 * A session whose reads belong to a cached function when they are made inside of one: they come
 * from its snapshot and are noted in its footprint. A write there is refused, for it would be made
 * only when the result is not in memory. Outside of cached functions it is the store itself.
 */

import { SpringhouseError } from "../core/errors.ts";
import type { Dialect } from "../schema/physical.ts";
import type {
  CallOptions,
  ResultSet,
  Session,
  SqlValue,
  Statement,
  StoreTransaction,
  StreamOptions,
  TransactionOptions,
  WriteManyOptions,
} from "../store/store.ts";
import { currentRun, noteReadOutside, type Run } from "./tracking.ts";

/** See above. */
export class TrackedSession implements Session {
  readonly dialect: Dialect;
  readonly #session: Session;
  readonly #run: Run | undefined;

  /** @param run whose reads they are, in whatever context they are made; else that decides. */
  constructor(session: Session, run?: Run) {
    this.dialect = session.dialect;
    this.#session = session;
    this.#run = run;
  }

  /** The same session for one run. */
  of(run: Run): TrackedSession {
    return new TrackedSession(this.#session, run);
  }

  isWrite(sql: string): boolean {
    return this.#session.isWrite(sql);
  }

  read(statement: Statement, options?: CallOptions): Promise<ResultSet> {
    const run = this.#owner;
    if (run !== undefined) return this.#readIn(run, statement);
    noteReadOutside();
    return this.#session.read(statement, options);
  }

  async *stream(
    statement: Statement,
    options?: StreamOptions,
  ): AsyncGenerator<ResultSet, void, undefined> {
    const run = this.#owner;
    if (run !== undefined) return yield await this.#readIn(run, statement);
    noteReadOutside();
    yield* this.#session.stream(statement, options);
  }

  async write(unit: readonly Statement[], options?: CallOptions): Promise<readonly ResultSet[]> {
    this.#refuseInside("write");
    return await this.#session.write(unit, options);
  }

  async writeMany(
    sql: string,
    rows: Iterable<readonly SqlValue[]> | AsyncIterable<readonly SqlValue[]>,
    options?: WriteManyOptions,
  ): Promise<number> {
    this.#refuseInside("writeMany");
    return await this.#session.writeMany(sql, rows, options);
  }

  async transaction<T>(
    run: (transaction: StoreTransaction) => Promise<T>,
    options?: TransactionOptions,
  ): Promise<T> {
    this.#refuseInside("transaction");
    return await this.#session.transaction(run, options);
  }

  /** Whom a read made now belongs to. */
  get #owner(): Run | undefined {
    return this.#run === undefined || this.#run.ended ? currentRun() : this.#run;
  }

  #refuseInside(call: string): void {
    const run = this.#owner;
    if (run !== undefined) throw writeInCached(run.name, call);
  }

  async #readIn(run: Run, statement: Statement): Promise<ResultSet> {
    if (this.#session.isWrite(statement.sql)) throw writeInCached(run.name, "read");
    return await run.read(statement);
  }
}

function writeInCached(name: string, call: string): SpringhouseError {
  const message =
    call === "transaction"
      ? `The cached function "${name}" opens a transaction. It reads one snapshot, and a ` +
        "transaction has another: read through the database itself, and write outside of it."
      : `The cached function "${name}" writes. It runs only when its result is not in memory, so ` +
        "a write in it would happen now and then. Write outside of it.";
  return new SpringhouseError("CACHED_WRITE", message, { fields: { name, call } });
}
