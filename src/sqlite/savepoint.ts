/** Takes back what was done, as far as there still is something to take back. */

import type { Connection } from "./connection.ts";

/** Takes back what a savepoint holds, unless the transaction is gone already. */
export function undoSavepoint(connection: Connection, name: string): void {
  if (!connection.inTransaction) return;
  connection.control(`ROLLBACK TO ${name}`);
  connection.control(`RELEASE ${name}`);
}

/** Ends the transaction if there still is one. */
export function rollBack(connection: Connection): void {
  if (connection.inTransaction) connection.control("ROLLBACK");
}
