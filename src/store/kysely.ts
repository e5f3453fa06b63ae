/**
 * Kysely over a session: our own dialect, so that queries go through the store's readers and its
 * writer, statements are cached, and rows come back as the schema declares them.
 *
 * SQLite's and PostgreSQL's compilers and introspectors are Kysely's own; ours are the driver, the
 * encoding of values and what the adapter says: DDL can be rolled back in both databases.
 */

import type {
  CompiledQuery,
  Dialect,
  DialectAdapter,
  Kysely,
  KyselyConfig,
  QueryCompiler,
  RootOperationNode,
} from "kysely";
import { SpringhouseError } from "../core/errors.ts";
import type { Catalog } from "../schema/catalog.ts";
import { SessionDriver } from "./kysely-driver.ts";
import { ownBytesCompiler } from "./kysely-own-bytes.ts";
import { kyselyModule } from "./kysely-runtime.ts";
import { declaredValues, encodeValues } from "./kysely-values.ts";
import type { Session } from "./store.ts";

/** Sees every statement, begin and commit included; Kysely's own option. */
export interface KyselyOptions {
  /** Default: nothing is logged. */
  readonly log?: KyselyConfig["log"];
}

/**
 * A Kysely instance on a store or inside a transaction. The session is not closed by it.
 *
 * On SQLite transactions are serialisable, so every isolation level is kept; a read-only one is
 * refused. Inside a transaction Kysely's `transaction()` opens a savepoint.
 *
 * @example
 * const query = kyselyFor<TablesOf<[typeof Task]>>(store, createCatalog([Task]));
 * await query.selectFrom("tasks").selectAll().where("week_id", "=", 7).execute();
 */
export function kyselyFor<Tables>(
  session: Session,
  catalog: Catalog,
  options: KyselyOptions = {},
): Kysely<Tables> {
  const { Kysely } = kyselyModule();
  const { log } = options;
  const dialect = dialectFor(session, catalog);
  return new Kysely<Tables>(log === undefined ? { dialect } : { dialect, log });
}

function dialectFor(session: Session, catalog: Catalog): Dialect {
  const kysely = kyselyModule();
  const isPostgres = session.dialect === "postgres";
  const values = declaredValues(catalog, session.dialect);
  return {
    createDriver: () =>
      new SessionDriver({ session, values, kysely, tellsInsertId: false, destroy }),
    createQueryCompiler: () => {
      const { PostgresQueryCompiler, SqliteQueryCompiler } = kysely;
      const compiler = isPostgres ? new PostgresQueryCompiler() : new SqliteQueryCompiler();
      return encodingCompiler(compiler, session, catalog);
    },
    createAdapter: () => (isPostgres ? new kysely.PostgresAdapter() : sqliteAdapter),
    createIntrospector: (db) =>
      isPostgres ? new kysely.PostgresIntrospector(db) : new kysely.SqliteIntrospector(db),
  };
}

/** Kysely would refuse every later query, although the session is open to all others. */
async function destroy(): Promise<void> {
  throw new SpringhouseError(
    "INVALID_ARGUMENT",
    "destroy() is not for these queries: they go through the database and end with it. Leave " +
      "it out, and close the database.",
  );
}

function encodingCompiler(
  compiler: QueryCompiler,
  session: Session,
  catalog: Catalog,
): QueryCompiler {
  return ownBytesCompiler({
    compileQuery: (node: RootOperationNode, id): CompiledQuery =>
      compiler.compileQuery(encodeValues(node, catalog, session.dialect), id),
  });
}

/** Each migration runs in a write transaction, and SQLite lets in only one at a time. */
const sqliteAdapter: DialectAdapter = {
  supportsCreateIfNotExists: true,
  supportsMultipleConnections: true,
  supportsTransactionalDdl: true,
  supportsReturning: true,
  supportsOutput: false,
  acquireMigrationLock: async () => {},
  releaseMigrationLock: async () => {},
};
