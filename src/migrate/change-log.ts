/**
 * The log of changes around a migration, where the file has one.
 *
 * Its triggers name columns, and SQLite refuses to alter a table while a trigger of it names what
 * goes; so they are dropped before their table is altered. With a table that is dropped they go by
 * themselves, and a rebuild copies rows past them. Who reads the log makes them anew, because the
 * schema has changed. What they could not tell meanwhile is told here, in the same transaction:
 * that anything may have changed in each table that is not what it was before.
 */

import {
  alteredTable,
  SELECT_TRIGGERS,
  clearTheWay as statementsToClear,
} from "../capture/altered-table.ts";
import { HAS_LOG, logTableByName } from "../capture/log-tables.ts";
import type { Session, Statement, StoreTransaction } from "../store/store.ts";
import { isInternal } from "./internal.ts";
import { canonicalName } from "./normalise.ts";

/** The texts of each table and of what is on it, under its name in one spelling. */
export type LoggedSchema = ReadonlyMap<string, string>;

const OBJECTS = "SELECT tbl_name, type, name, sql FROM sqlite_schema ORDER BY rowid";

/** The schema before a migration; undefined when the file has no log. */
export async function loggedSchema(session: Session): Promise<LoggedSchema | undefined> {
  if (session.dialect !== "sqlite") return undefined;
  if ((await session.read({ sql: HAS_LOG, parameters: [] })).rows.length === 0) return undefined;
  return readSchema(session);
}

/** What is to be written after a migration, given the schema before it. */
export async function logDifferences(
  session: Session,
  before: LoggedSchema | undefined,
): Promise<readonly Statement[]> {
  if (before === undefined) return [];
  const after = await readSchema(session);
  const names = [...new Set([...before.keys(), ...after.keys()])];
  return names
    .filter((name) => before.get(name) !== after.get(name))
    .flatMap((name) => logTableByName(name))
    .map((sql) => ({ sql, parameters: [] }));
}

/** Drops the log's triggers of the table that the statement alters, if it alters one. */
export async function clearTheWay(session: Session, sql: string): Promise<void> {
  const table = alteredTable(sql);
  if (table === undefined) return;
  const { rows } = await session.read(statement(SELECT_TRIGGERS));
  await session.write(statementsToClear(table, rows).map(statement));
}

/** A transaction for code that may alter tables by itself. */
export function clearingTheWay(inner: StoreTransaction): StoreTransaction {
  return {
    dialect: inner.dialect,
    depth: inner.depth,
    read: (...args) => inner.read(...args),
    stream: (...args) => inner.stream(...args),
    writeMany: (...args) => inner.writeMany(...args),
    isWrite: (sql) => inner.isWrite(sql),
    transaction: (run, options) => inner.transaction((tx) => run(clearingTheWay(tx)), options),
    async write(unit, options) {
      for (const { sql } of unit) await clearTheWay(inner, sql);
      return inner.write(unit, options);
    },
  };
}

async function readSchema(session: Session): Promise<LoggedSchema> {
  const { rows } = await session.read(statement(OBJECTS));
  const ordinary = rows.filter(([table]) => !isInternal(String(table)));
  const byTable = Map.groupBy(ordinary, ([table]) => canonicalName(String(table)));
  return new Map([...byTable].map(([name, list]) => [name, JSON.stringify(list)]));
}

function statement(sql: string): Statement {
  return { sql, parameters: [] };
}
