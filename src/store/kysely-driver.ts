/**
 * Kysely's driver over a session. A session has no connections to lend: what Kysely calls a
 * connection is here the session itself, and its transactions, which Kysely opens and closes by
 * calls, are held open as callbacks of `session.transaction`.
 *
 * Begin, commit and savepoints go through `executeQuery` of the connection like any statement,
 * because that is the method that Kysely's logger wraps; they are told apart from SQL by identity,
 * so a `sql`begin`` written by hand reaches the store, which refuses it.
 */

import type {
  CompiledQuery,
  DatabaseConnection,
  Driver,
  QueryCompiler,
  QueryResult,
  RootOperationNode,
  TransactionSettings,
} from "kysely";
import { SpringhouseError } from "../core/errors.ts";
import type { Catalog } from "../schema/catalog.ts";
import { encodeParameter } from "../schema/codec.ts";
import { type Frame, openFrame } from "./kysely-frames.ts";
import { kyselyModule } from "./kysely-runtime.ts";
import { noteNodes } from "./reading.ts";
import { rowsOf } from "./rows.ts";
import type { CallOptions, ResultSet, Session, Statement } from "./store.ts";

type Command = (connection: SessionConnection) => Promise<void>;
type CompileQuery = QueryCompiler["compileQuery"];

/** What a compiled query does when it is a transaction command and not SQL. */
const commands = new WeakMap<CompiledQuery, Command>();

/** Lends connections to one session, which outlives it. */
export class SessionDriver implements Driver {
  readonly #session: Session;
  readonly #catalog: Catalog;

  constructor(session: Session, catalog: Catalog) {
    this.#session = session;
    this.#catalog = catalog;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return new SessionConnection(this.#session, this.#catalog);
  }

  async beginTransaction(
    connection: DatabaseConnection,
    settings: TransactionSettings,
  ): Promise<void> {
    if (settings.accessMode === "read only") {
      throw new SpringhouseError(
        "INVALID_ARGUMENT",
        "Read-only transactions are not supported: leave setAccessMode out.",
      );
    }
    await command(connection, raw("begin"), (it) => it.open(undefined));
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await command(connection, raw("commit"), (it) => it.commitDownTo(0));
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await command(connection, raw("rollback"), (it) => it.rollbackDownTo(0));
  }

  async savepoint(
    connection: DatabaseConnection,
    name: string,
    compile: CompileQuery,
  ): Promise<void> {
    await command(connection, savepoint("savepoint ", name, compile), (it) => it.open(name));
  }

  async rollbackToSavepoint(
    connection: DatabaseConnection,
    name: string,
    compile: CompileQuery,
  ): Promise<void> {
    await command(connection, savepoint("rollback to ", name, compile), async (it) => {
      await it.rollbackDownTo(it.indexOf(name));
      await it.open(name);
    });
  }

  async releaseSavepoint(
    connection: DatabaseConnection,
    name: string,
    compile: CompileQuery,
  ): Promise<void> {
    const release: Command = (it) => it.commitDownTo(it.indexOf(name));
    await command(connection, savepoint("release ", name, compile), release);
  }

  async releaseConnection(connection: DatabaseConnection): Promise<void> {
    await (connection as SessionConnection).rollbackDownTo(0);
  }

  /** Kysely would refuse every later query, although the session is open to all others. */
  async destroy(): Promise<void> {
    throw new SpringhouseError(
      "INVALID_ARGUMENT",
      "destroy() is not for these queries: they go through the database and end with it. Leave " +
        "it out, and close the database.",
    );
  }
}

function raw(sql: string): CompiledQuery {
  return kyselyModule().CompiledQuery.raw(sql);
}

function savepoint(words: string, name: string, compile: CompileQuery): CompiledQuery {
  const { RawNode, IdentifierNode, createQueryId } = kyselyModule();
  const node = RawNode.createWithChildren([
    RawNode.createWithSql(words),
    IdentifierNode.create(name),
  ]);
  return compile(node as RootOperationNode, createQueryId());
}

async function command(
  connection: DatabaseConnection,
  query: CompiledQuery,
  run: Command,
): Promise<void> {
  commands.set(query, run);
  await connection.executeQuery(query);
}

/** The session, and the transactions that Kysely has opened on it, outermost first. */
class SessionConnection implements DatabaseConnection {
  readonly #session: Session;
  readonly #catalog: Catalog;
  readonly #frames: Frame[] = [];

  constructor(session: Session, catalog: Catalog) {
    this.#session = session;
    this.#catalog = catalog;
  }

  async executeQuery<R>(query: CompiledQuery, options: CallOptions = {}): Promise<QueryResult<R>> {
    const run = commands.get(query);
    if (run !== undefined) {
      await run(this);
      return { rows: [] };
    }
    const session = this.#current();
    const statement = statementOf(query, session);
    const call = callOptions(options);
    if (!mayWrite(query, session)) {
      noteNodes(statement, query.query);
      const read = await session.read(statement, call);
      return { rows: await rowsOf(read, this.#catalog, session.dialect, call) };
    }
    const [result] = await session.write([statement], call);
    return this.#written(query, result as ResultSet, session);
  }

  async *streamQuery<R>(
    query: CompiledQuery,
    chunkRows: number,
    options: CallOptions = {},
  ): AsyncIterableIterator<QueryResult<R>> {
    const session = this.#current();
    if (mayWrite(query, session)) {
      yield await this.executeQuery<R>(query, options);
      return;
    }
    const statement = statementOf(query, session);
    for await (const chunk of session.stream(statement, { ...callOptions(options), chunkRows })) {
      yield { rows: await rowsOf(chunk, this.#catalog, session.dialect) };
    }
  }

  async open(name: string | undefined): Promise<void> {
    this.#frames.push(await openFrame(this.#current(), name));
  }

  /** Commits the frames from the innermost down to the one at `index`. */
  async commitDownTo(index: number): Promise<void> {
    while (this.#frames.length > index) await this.#frames.pop()?.commit();
  }

  /** Rolls them back. Nothing happens when they have ended already. */
  async rollbackDownTo(index: number): Promise<void> {
    while (this.#frames.length > index) await this.#frames.pop()?.rollback();
  }

  indexOf(name: string): number {
    const index = this.#frames.findLastIndex((frame) => frame.name === name);
    if (index >= 0) return index;
    throw new SpringhouseError("INVALID_ARGUMENT", `There is no savepoint "${name}" here.`, {
      fields: { name },
    });
  }

  #current(): Session {
    return this.#frames.at(-1)?.session ?? this.#session;
  }

  async #written<R>(
    query: CompiledQuery,
    result: ResultSet,
    session: Session,
  ): Promise<QueryResult<R>> {
    const rows = await rowsOf<R>(result, this.#catalog, session.dialect);
    return countsRows(query) ? { rows, numAffectedRows: BigInt(result.changes) } : { rows };
  }
}

function statementOf(query: CompiledQuery, session: Session): Statement {
  const parameters = query.parameters.map((value) => encodeParameter(value, session.dialect));
  return { sql: query.sql, parameters };
}

function callOptions(options: CallOptions): CallOptions {
  return options.signal === undefined ? {} : { signal: options.signal };
}

/** Only a SELECT that SQLite runs is known not to write; the store knows about the others. */
function mayWrite({ query, sql }: CompiledQuery, session: Session): boolean {
  if (query.kind === "SelectQueryNode" && session.dialect === "sqlite") return false;
  return query.kind === "SelectQueryNode" || query.kind === "RawNode" ? session.isWrite(sql) : true;
}

function countsRows({ query }: CompiledQuery): boolean {
  return ROW_COMMANDS.has(query.kind);
}

const ROW_COMMANDS: ReadonlySet<string> = new Set([
  "InsertQueryNode",
  "UpdateQueryNode",
  "DeleteQueryNode",
  "MergeQueryNode",
  "RawNode",
]);
