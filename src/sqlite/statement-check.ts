/**
 * What is refused before a statement is sent anywhere: unfit statements, and values that SQLite
 * has no type for. `node:sqlite` would take an object in the first place for named parameters and
 * store NULL without a word.
 */

import { wrongArgument } from "../core/arguments.ts";
import { SpringhouseError } from "../core/errors.ts";
import { ownValues } from "../core/own-bytes.ts";
import { refuseUnfit, type StatementFacts } from "./statement-text.ts";
import type { SqlValue, Statement } from "./values.ts";

/** Throws unless the statement can run. */
export function checkStatement(statement: Statement): StatementFacts {
  if (typeof statement !== "object" || statement === null) {
    throw wrongArgument("A statement", "an object with sql and parameters", statement);
  }
  const facts = refuseUnfit(statement.sql);
  checkValues(statement.parameters);
  return facts;
}

/** The statement with bytes of its own; throws unless it can run and only reads. */
export function checkRead(statement: Statement): Statement {
  if (!checkStatement(statement).write) return withOwnBytes(statement);
  const { sql } = statement;
  throw new SpringhouseError(
    "STATEMENT_REFUSED",
    `The statement may write, and a read must not: use write().\n${sql.slice(0, 200)}`,
    { fields: { sql } },
  );
}

/** The statement with bytes that its caller cannot change while it waits. */
export function withOwnBytes(statement: Statement): Statement {
  const { sql, parameters } = statement;
  const own = ownValues(parameters);
  return own === parameters ? statement : { sql, parameters: own };
}

/** Throws unless every value is one that SQLite can store. */
export function checkValues(values: readonly SqlValue[]): void {
  if (!Array.isArray(values)) {
    throw new SpringhouseError(
      "INVALID_ARGUMENT",
      "The values of a statement are an array, in the order of its placeholders.",
    );
  }
  for (const value of values) {
    const type = typeof value;
    if (type === "string" || type === "number" || type === "bigint") continue;
    if (value === null || value instanceof Uint8Array) continue;
    throw wrongValue(value, values.indexOf(value) + 1);
  }
}

function wrongValue(value: unknown, position: number): SpringhouseError {
  const type = typeof value === "object" ? (value?.constructor?.name ?? "object") : typeof value;
  return new SpringhouseError(
    "INVALID_ARGUMENT",
    `Value ${position} is of type ${type}. Give null, a number, a bigint, a string or a ` +
      "Uint8Array; a boolean as 0 or 1, a Date as its milliseconds or its ISO text.",
    { fields: { position, type } },
  );
}
