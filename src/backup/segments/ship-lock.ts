/**
 * One shipper a database: two would write two generations at once, and each would think that the
 * other's segments are damaged copies of its own.
 *
 * The lock is an exclusive transaction on an empty SQLite file beside the database. The system
 * takes it back when the process ends, however it ends.
 */

import { SpringhouseError } from "../../core/errors.ts";
import { nodeSqlite } from "../../core/node-sqlite.ts";
import { toSpringhouseError } from "../../sqlite/errors.ts";
import { createPrivately } from "../../sqlite/files.ts";

/**
 * Takes the lock of a database until it is disposed of.
 *
 * @throws `BUSY` when another shipper has it.
 */
export function takeShipLock(database: string): Disposable {
  const path = `${database}-ship`;
  createPrivately(path);
  const { DatabaseSync } = nodeSqlite();
  const connection = new DatabaseSync(path);
  try {
    connection.exec("BEGIN EXCLUSIVE");
    return { [Symbol.dispose]: () => connection.close() };
  } catch (error) {
    connection.close();
    const failure = toSpringhouseError(error, { path });
    if (failure.code !== "BUSY") throw failure;
    const message = `${database} is being shipped by another process or thread. One is enough.`;
    throw new SpringhouseError("BUSY", message, { cause: error, fields: { path } });
  }
}
