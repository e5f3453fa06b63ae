/**
 * Prepared statements of one connection by their text, the least recently used given up first.
 *
 * They are for one schema: the connection clears the cache when it has changed. EXPLAIN, which only
 * tells what was compiled, does not belong here. A statement that is being stepped through is taken
 * out, because a second use of the same text would reset it.
 */

import type { StatementSync } from "node:sqlite";
import type { Origin, ResultColumn } from "../core/statement.ts";

/** Enough for the texts of one program; each costs a few kilobytes in SQLite. */
export const STATEMENTS_MAX = 100;

/** A prepared statement and what is known of its text. */
export interface Prepared {
  readonly statement: StatementSync;
  /** Number of values it takes. */
  readonly placeholders: number;
  /** The origins of the columns in each later part of a compound SELECT. */
  readonly parts: readonly (readonly Origin[])[];
}

/** Names and origins of a statement's columns, without the fields that nobody reads. */
export function columnsOf({ statement, parts }: Prepared): readonly ResultColumn[] {
  const columns = statement.columns().map(({ name, table, column }) => ({ name, table, column }));
  if (parts.length === 0) return columns;
  return columns.map((column, index) => ({
    ...column,
    others: parts.map((part) => part[index] ?? { table: null, column: null }),
  }));
}

/** A bounded map from SQL text to prepared statement. */
export class StatementCache {
  readonly #entries = new Map<string, Prepared>();
  readonly #prepare: (sql: string) => Prepared;

  constructor(prepare: (sql: string) => Prepared) {
    this.#prepare = prepare;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Forgets all statements but those that are taken out. */
  clear(): void {
    this.#entries.clear();
  }

  /** The statement for use within this call only. */
  get(sql: string): Prepared {
    const prepared = this.take(sql);
    this.give(sql, prepared);
    return prepared;
  }

  /** The statement for use across calls; the taker gives it back. */
  take(sql: string): Prepared {
    const known = this.#entries.get(sql);
    if (known === undefined) return this.#prepare(sql);
    this.#entries.delete(sql);
    return known;
  }

  /** Puts a statement in, as the one used last. */
  give(sql: string, prepared: Prepared): void {
    this.#entries.set(sql, prepared);
    if (this.#entries.size <= STATEMENTS_MAX) return;
    const oldest = this.#entries.keys().next();
    if (oldest.done !== true) this.#entries.delete(oldest.value);
  }
}
