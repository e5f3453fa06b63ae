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
import { type Frame, openFrame } from "./kysely-frames.ts";
import type { KyselyModule } from "./kysely-runtime.ts";
import type { KyselyValues } from "./kysely-values.ts";
import { CompiledStatement } from "./reading.ts";
import type { CallOptions, ResultSet, Session, Statement } from "./store.ts";

/** What a driver is made of. */
export interface DriverParts {
  readonly session: Session;
  readonly values: KyselyValues;
  /** The instance of Kysely whose queries come here. */
  readonly kysely: Pick<
    KyselyModule,
    "CompiledQuery" | "IdentifierNode" | "RawNode" | "createQueryId"
  >;
  /** Whether an INSERT tells the row id of its last row, which costs a question each. */
  readonly tellsInsertId: boolean;
  /** What `destroy()` of Kysely does. */
  readonly destroy: () => Promise<void>;
}

type Command = (connection: SessionConnection) => Promise<void>;
type CompileQuery = QueryCompiler["compileQuery"];

/** What a compiled query does when it is a transaction command and not SQL. */
const commands = new WeakMap<CompiledQuery, Command>();

/** Lends connections to one session, which outlives it. */
export class SessionDriver implements Driver {
  readonly #parts: DriverParts;

  constructor(parts: DriverParts) {
    this.#parts = parts;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return new SessionConnection(this.#parts);
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
    await command(connection, this.#raw("begin"), (it) => it.open(undefined));
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await command(connection, this.#raw("commit"), (it) => it.commitDownTo(0));
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await command(connection, this.#raw("rollback"), (it) => it.rollbackDownTo(0));
  }

  async savepoint(
    connection: DatabaseConnection,
    name: string,
    compile: CompileQuery,
  ): Promise<void> {
    await command(connection, this.#savepoint("savepoint ", name, compile), (it) => it.open(name));
  }

  async rollbackToSavepoint(
    connection: DatabaseConnection,
    name: string,
    compile: CompileQuery,
  ): Promise<void> {
    await command(connection, this.#savepoint("rollback to ", name, compile), async (it) => {
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
    await command(connection, this.#savepoint("release ", name, compile), release);
  }

  async releaseConnection(connection: DatabaseConnection): Promise<void> {
    await (connection as SessionConnection).rollbackDownTo(0);
  }

  async destroy(): Promise<void> {
    await this.#parts.destroy();
  }

  #raw(sql: string): CompiledQuery {
    return this.#parts.kysely.CompiledQuery.raw(sql);
  }

  #savepoint(words: string, name: string, compile: CompileQuery): CompiledQuery {
    const { RawNode, IdentifierNode, createQueryId } = this.#parts.kysely;
    const node = RawNode.createWithChildren([
      RawNode.createWithSql(words),
      IdentifierNode.create(name),
    ]);
    return compile(node as RootOperationNode, createQueryId());
  }
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
  readonly #parts: DriverParts;
  readonly #frames: Frame[] = [];

  constructor(parts: DriverParts) {
    this.#parts = parts;
  }

  async executeQuery<R>(query: CompiledQuery, options: CallOptions = {}): Promise<QueryResult<R>> {
    const run = commands.get(query);
    if (run !== undefined) {
      await run(this);
      return { rows: [] };
    }
    const session = this.#current();
    const statement = this.#statementOf(query);
    const call = callOptions(options);
    if (!mayWrite(query, session)) {
      const read = await session.read(statement, call);
      return { rows: await this.#parts.values.rows<R>(read, call) };
    }
    const unit = this.#asksRowId(query) ? [statement, LAST_ROW_ID] : [statement];
    const [result, rowId] = await session.write(unit, call);
    return this.#written(query, result as ResultSet, rowId);
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
    const statement = this.#statementOf(query);
    for await (const chunk of session.stream(statement, { ...callOptions(options), chunkRows })) {
      yield { rows: await this.#parts.values.rows<R>(chunk) };
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
    return this.#frames.at(-1)?.session ?? this.#parts.session;
  }

  #statementOf({ sql, parameters, query }: CompiledQuery): Statement {
    return new CompiledStatement(sql, parameters.map(this.#parts.values.encode), query);
  }

  #asksRowId({ query, sql }: CompiledQuery): boolean {
    if (!this.#parts.tellsInsertId) return false;
    return query.kind === "InsertQueryNode" || (query.kind === "RawNode" && INSERTS.test(sql));
  }

  async #written<R>(
    query: CompiledQuery,
    result: ResultSet,
    rowId: ResultSet | undefined,
  ): Promise<QueryResult<R>> {
    const rows = await this.#parts.values.rows<R>(result);
    if (!countsRows(query)) return { rows };
    const numAffectedRows = BigInt(result.changes);
    const [[insertId] = []] = rowId?.rows ?? [];
    if (insertId === undefined || result.changes === 0) return { rows, numAffectedRows };
    return { rows, numAffectedRows, insertId: BigInt(insertId as number | bigint) };
  }
}

/** In the unit of the INSERT, so that no other can come between. */
const LAST_ROW_ID: Statement = { sql: "SELECT last_insert_rowid()", parameters: [] };
/** Comments before it, and common table expressions, are not looked through. */
const INSERTS = /^\s*(?:insert|replace)\b/i;

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
