/**
 * Whether units of one transaction could settle each other's foreign keys. A key that is deferred
 * is checked at the COMMIT, so a unit that violates it would pass when a neighbour happens to mend
 * that, and would have failed alone. SQLite does not say which unit left a violation open; so when
 * there are such keys, each unit has a transaction of its own.
 *
 * Asking costs two pragmas that read no page, and one look at the schema after it has changed.
 */

import type { Connection } from "./connection.ts";

/** Also true for a comment or a name that reads like it, which costs time and nothing else. */
const IN_SCHEMA =
  "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' " +
  "AND sql LIKE '%initially%deferred%')";

/** Of one connection. */
export class DeferredKeys {
  readonly #connection: Connection;
  #schemaVersion: unknown;
  #inSchema = false;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Whether the schema had such keys when it was last looked at. */
  get expected(): boolean {
    return this.#inSchema;
  }

  /** Whether there are such keys: in the schema, or by a setting of the open transaction. */
  find(): boolean {
    const version = this.#ask("PRAGMA schema_version");
    if (version !== this.#schemaVersion) {
      this.#inSchema = this.#ask(IN_SCHEMA) === 1;
      this.#schemaVersion = version;
    }
    return this.#inSchema || this.#ask("PRAGMA defer_foreign_keys") === 1;
  }

  #ask(sql: string): unknown {
    return this.#connection.readAll({ sql, parameters: [] }).rows[0]?.[0];
  }
}
