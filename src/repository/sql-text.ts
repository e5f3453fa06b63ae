/** SQL text and its parameters, grown together: a value can only become a placeholder. */

import type { Dialect } from "../schema/physical.ts";
import type { SqlValue, Statement } from "../store/store.ts";

/** Placeholders in the words of the dialect, and the values for them in the same order. */
export class SqlText {
  readonly dialect: Dialect;
  readonly parameters: SqlValue[] = [];

  constructor(dialect: Dialect) {
    this.dialect = dialect;
  }

  /** Keeps the value and gives its placeholder. Each placeholder is to be used once, in order. */
  bind(value: SqlValue): string {
    this.parameters.push(value);
    return this.dialect === "postgres" ? `$${this.parameters.length}` : "?";
  }

  /** Placeholders for several values, with commas. */
  bindAll(values: readonly SqlValue[]): string {
    return values.map((value) => this.bind(value)).join(", ");
  }

  /** The statement of this text. */
  statement(sql: string): Statement {
    return { sql, parameters: this.parameters };
  }
}
