/** Opens a database for Kysely. */

import { systemClock } from "../core/clock.ts";
import { Caching } from "../open/caching.ts";
import { sqliteStoreOptions } from "../open/options.ts";
import { openSqliteStore } from "../store/sqlite/store.ts";
import { NOTHING_DECLARED, SpringhouseDialect } from "./dialect.ts";
import { checkDialectOptions, type SpringhouseDialectOptions } from "./options.ts";

/**
 * A dialect for Kysely over a SQLite file, which is made when there is none. It goes in the place
 * of Kysely's `SqliteDialect`; queries and rows stay as they are.
 *
 * @throws `INVALID_ARGUMENT` for options, `INVALID_URL`, `UNOPENABLE`, `NOT_A_DATABASE`, `CORRUPT`
 * and `SQLITE_TOO_OLD` for what cannot be opened.
 * @example
 * const springhouse = await springhouseDialect({ url: "sqlite:app.db" });
 * const db = new Kysely<Tables>({ dialect: springhouse });
 * const busiest = springhouse.cached("busiest", (week: number) =>
 *   db.selectFrom("tasks").selectAll().where("week", "=", week).execute());
 */
export async function springhouseDialect(
  options: SpringhouseDialectOptions,
): Promise<SpringhouseDialect> {
  checkDialectOptions(options);
  const { cache = {}, clock = systemClock } = options;
  const store = await openSqliteStore(sqliteStoreOptions(options));
  return new SpringhouseDialect(store, new Caching(store, NOTHING_DECLARED, clock, cache));
}
