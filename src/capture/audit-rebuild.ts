/**
 * What a table rebuild changes, for the audit log. It copies the rows while no trigger looks, and
 * NULL gives way to a default where a column becomes NOT NULL, and values take the form of a new
 * type. So the log gets an entry for each row whose copy differs, before the old table goes.
 *
 * What an entry says is taken from the trigger that logs updates, in which OLD and NEW are rows:
 * here they are the two tables. A column that comes or goes is a change of the schema, not of rows.
 */

import type { PhysicalObject } from "../schema/physical.ts";
import { quoteIdentifier } from "../schema/quote.ts";

/** Two tables with the same rows. */
export interface CopiedTable {
  readonly old: string;
  readonly copy: string;
  /** Of the copy. */
  readonly key: readonly string[];
  /** Columns of the copy that the old table has, too. */
  readonly shared: readonly string[];
  /** Columns that only the copy has. */
  readonly added: readonly string[];
}

/** What there is to log, the condition for it, and where it goes, in the words of the trigger. */
const UPDATE_TRIGGER = new RegExp(
  " AFTER UPDATE ON .*? WHEN (?<when>.*?) BEGIN\\n.*\\n {2}" +
    '(?<log>INSERT INTO "audit_log" \\([^)]*\\)) VALUES \\((?<values>.*)\\);\\nEND$',
  "s",
);

/** The trigger that logs updates of the table's rows, when it is audited. */
export function updateTriggerOf(
  objects: readonly PhysicalObject[],
  isOn: (table: string | undefined) => boolean,
): PhysicalObject | undefined {
  return objects.find(
    ({ kind, name, table, sql }) =>
      kind === "trigger" &&
      /^springhouse_audit_/i.test(name) &&
      isOn(table) &&
      UPDATE_TRIGGER.test(sql),
  );
}

/** INSERT of the differences; undefined when the rows of both tables cannot be matched. */
export function logCopy(trigger: PhysicalObject, table: CopiedTable): string | undefined {
  const { when, log, values } = UPDATE_TRIGGER.exec(trigger.sql)?.groups ?? {};
  const { key, shared } = table;
  if (key.length === 0 || !key.every((name) => shared.includes(name))) return undefined;
  return (
    `${log}\nSELECT ${values}\nFROM ${oldRows(table)} AS OLD ` +
    `JOIN ${quoteIdentifier(table.copy)} AS NEW ON ${sameKey(key, "OLD", "NEW")}\nWHERE ${when}`
  );
}

/** The old rows; what they did not have is as it is in their copies. */
function oldRows({ old, copy, key, shared, added }: CopiedTable): string {
  const from = quoteIdentifier(old);
  if (added.length === 0) return from;
  const columns = [
    ...shared.map((name) => `"was".${quoteIdentifier(name)}`),
    ...added.map((name) => `"is".${quoteIdentifier(name)}`),
  ];
  return (
    `(SELECT ${columns.join(", ")} FROM ${from} AS "was" ` +
    `JOIN ${quoteIdentifier(copy)} AS "is" ON ${sameKey(key, '"was"', '"is"')})`
  );
}

function sameKey(key: readonly string[], left: string, right: string): string {
  return key
    .map((name) => `${left}.${quoteIdentifier(name)} = ${right}.${quoteIdentifier(name)}`)
    .join(" AND ");
}
