/**
 * The last row of each commit of our own in the log of changes, where the file has one: a row with
 * a random mark, which tells this commit from one of the same number in a restored or copied file.
 * Rows that triggers write have no mark. A commit that changes nothing gets none.
 */

import { ADD_TICK, HAS_LOG } from "../capture/log-tables.ts";
import type { Connection } from "./connection.ts";

/** Ticks of one writing connection. */
export class LogTick {
  readonly #connection: Connection;
  #schemaVersion: unknown;
  #hasLog = false;
  /** What SQLite counted as changed when the last commit was made. */
  #counted: unknown = 0;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Adds the row to the transaction that is about to be committed. */
  add(): void {
    const counted = this.#ask("SELECT total_changes()");
    if (counted === this.#counted) return;
    this.#counted = counted;
    const schemaVersion = this.#ask("PRAGMA schema_version");
    if (schemaVersion !== this.#schemaVersion) {
      this.#schemaVersion = schemaVersion;
      this.#hasLog = this.#ask(HAS_LOG) !== undefined;
    }
    if (!this.#hasLog) return;
    this.#connection.control(ADD_TICK);
    this.#counted = this.#ask("SELECT total_changes()");
  }

  #ask(sql: string): unknown {
    return this.#connection.readAll({ sql, parameters: [] }).rows[0]?.[0];
  }
}
