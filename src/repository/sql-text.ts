/** SQL text and its parameters, grown together: a value can only become a placeholder. */

import { SpringhouseError } from "../core/errors.ts";
import type { Dialect } from "../schema/physical.ts";
import type { SqlValue, Statement } from "../store/store.ts";

/** Values of one statement: SQLite is built with this limit, PostgreSQL counts them in 16 bits. */
const VALUES_MAX: Readonly<Record<Dialect, number>> = { sqlite: 32_766, postgres: 65_535 };

/** Placeholders in the words of the dialect, and the values for them in the same order. */
export class SqlText {
  readonly dialect: Dialect;
  readonly parameters: SqlValue[] = [];

  constructor(dialect: Dialect) {
    this.dialect = dialect;
  }

  /**
   * Keeps the value and gives its placeholder. Each placeholder is to be used once, in order.
   *
   * @throws `INVALID_ARGUMENT` for more values than the database takes in one statement.
   */
  bind(value: SqlValue): string {
    const valuesMax = VALUES_MAX[this.dialect];
    if (this.parameters.length === valuesMax) {
      throw new SpringhouseError(
        "INVALID_ARGUMENT",
        `The conditions have more than ${valuesMax} values, which is the limit of one statement. ` +
          "Give values of one property as a list for `in`, or ask in several calls.",
        { fields: { valuesMax } },
      );
    }
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
