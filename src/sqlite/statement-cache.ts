/**
 * Prepared statements of one connection by their text, the least recently used given up first.
 *
 * SQLite prepares a statement again by itself when the schema has changed, so an entry never goes
 * stale. A statement that is being stepped through is taken out, because a second use of the same
 * text would reset it.
 */

import type { StatementSync } from "node:sqlite";

/** Enough for the texts of one program; each costs a few kilobytes in SQLite. */
export const STATEMENTS_MAX = 100;

/** A bounded map from SQL text to prepared statement. */
export class StatementCache {
  readonly #entries = new Map<string, StatementSync>();
  readonly #prepare: (sql: string) => StatementSync;

  constructor(prepare: (sql: string) => StatementSync) {
    this.#prepare = prepare;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The statement for use within this call only. */
  get(sql: string): StatementSync {
    const known = this.#entries.get(sql);
    if (known === undefined) {
      const statement = this.#prepare(sql);
      this.give(sql, statement);
      return statement;
    }
    this.#entries.delete(sql);
    this.#entries.set(sql, known);
    return known;
  }

  /** The statement for use across calls; the taker gives it back. */
  take(sql: string): StatementSync {
    const known = this.#entries.get(sql);
    if (known === undefined) return this.#prepare(sql);
    this.#entries.delete(sql);
    return known;
  }

  /** Puts a statement in. */
  give(sql: string, statement: StatementSync): void {
    this.#entries.set(sql, statement);
    if (this.#entries.size <= STATEMENTS_MAX) return;
    const oldest = this.#entries.keys().next();
    if (oldest.done !== true) this.#entries.delete(oldest.value);
  }
}
