/** Triggers of SQLite as objects of a schema. */

import type { PhysicalObject } from "./physical.ts";
import { quoteIdentifier } from "./quote.ts";

/** What a trigger is made of. */
export interface TriggerParts {
  readonly name: string;
  readonly table: string;
  /** When it fires: `AFTER INSERT`, `BEFORE UPDATE OF "a"`. */
  readonly event: string;
  /** SQL condition on `OLD` and `NEW`. Absent: it fires for every row. */
  readonly when?: string;
  /** Statements in order, without semicolons. */
  readonly statements: readonly string[];
}

/** The trigger as an object. */
export function sqliteTrigger(parts: TriggerParts): PhysicalObject {
  const { name, table, event, when, statements } = parts;
  const head = `CREATE TRIGGER ${quoteIdentifier(name)} ${event} ON ${quoteIdentifier(table)}`;
  const condition = when === undefined ? "" : ` WHEN ${when}`;
  const body = statements.map((statement) => `  ${statement};\n`).join("");
  return { kind: "trigger", name, table, sql: `${head}${condition} BEGIN\n${body}END` };
}

/** Makes triggers of one family, whose names begin with `prefix` and the table's name. */
export function triggersNamed(
  prefix: string,
): (
  table: string,
  suffix: string,
  event: string,
  when: string | undefined,
  statements: readonly string[],
) => PhysicalObject {
  return (table, suffix, event, when, statements) => {
    const parts = { name: `${prefix}_${table}_${suffix}`, table, event, statements };
    return sqliteTrigger(when === undefined ? parts : { ...parts, when });
  };
}
