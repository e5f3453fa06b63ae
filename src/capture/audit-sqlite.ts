/**
 * The triggers of the audit log on SQLite.
 *
 * REPLACE deletes rows without firing their DELETE triggers. So, before a row is inserted or a
 * unique column of it updated, the rows that stand in its way are noted; if the write goes through,
 * those that are gone have been replaced, and their deletion is logged. A note that turns out to be
 * wrong (IGNORE, an upsert) is dropped by the next write.
 *
 * A replaced row can take others of its table along, or change them, by a foreign key that leads to
 * its own table, and the row that replaces it may be one of them: then its AFTER trigger never
 * comes. So the triggers of those rows log the replaced ones as well, and leave the notes on rows
 * that still stand. A row that is deleted by itself loses its note before. Not seen is a trigger of
 * somebody else that writes the same table before the row is written.
 *
 * The acting user stands in the one row of `springhouse_actor`.
 */

import type { ColumnFacts, EntityFacts } from "../schema/facts.ts";
import type { PhysicalObject, PhysicalTable } from "../schema/physical.ts";
import { literal, quoteIdentifier } from "../schema/quote.ts";
import { sqliteTrigger } from "../schema/trigger.ts";

/** Longer values of a BLOB are logged by their length. */
export const LOGGED_BYTES_MAX = 64;

const LOG = '"audit_log" ("entity_type", "entity_id", "action", "user_id", "changes")';
const ACTOR = '(SELECT "user_id" FROM "springhouse_actor")';
const NOTES = '"springhouse_audit_notes"';

/** The acting user, and the notes on rows that may be replaced. */
export const sqliteAuditTables: readonly PhysicalTable[] = [
  {
    name: "springhouse_actor",
    columns: [
      { name: "id", type: "INTEGER", notNull: true },
      { name: "user_id", type: "TEXT", notNull: false },
    ],
    primaryKey: ["id"],
    uniques: [],
    checks: [{ name: "ck_springhouse_actor_id", expression: '"id" = 1' }],
    foreignKeys: [],
    strict: true,
  },
  {
    name: "springhouse_audit_notes",
    columns: [
      { name: "entity_type", type: "TEXT", notNull: true },
      { name: "entity_id", type: "TEXT", notNull: true },
      { name: "changes", type: "TEXT", notNull: true },
    ],
    primaryKey: ["entity_type", "entity_id"],
    uniques: [],
    checks: [],
    foreignKeys: [],
    strict: true,
  },
];

/** All triggers: those that protect the log, and those of each audited table. */
export function sqliteAudit(audited: readonly EntityFacts[]): readonly PhysicalObject[] {
  return [...protection(), ...audited.flatMap((facts) => tableTriggers(facts))];
}

function protection(): readonly PhysicalObject[] {
  const refuse = "SELECT RAISE(ABORT, 'audit_log is append-only')";
  const isTaken = 'EXISTS (SELECT 1 FROM "audit_log" WHERE "id" = NEW."id")';
  return [
    trigger("audit_log", "no_update", "BEFORE UPDATE", undefined, [refuse]),
    trigger("audit_log", "no_delete", "BEFORE DELETE", undefined, [refuse]),
    trigger("audit_log", "no_replace", "BEFORE INSERT", isTaken, [refuse]),
  ];
}

function tableTriggers(facts: EntityFacts): readonly PhysicalObject[] {
  const { table } = facts;
  const type = literal(table, "sqlite");
  const own = `"entity_type" = ${type}`;
  const hasNotes = `EXISTS (SELECT 1 FROM ${NOTES} WHERE ${own})`;
  const forget = `DELETE FROM ${NOTES} WHERE ${own}`;
  const log = (row: string, action: string, changes: string): string =>
    `INSERT INTO ${LOG} VALUES (${type}, ${idOf(facts, row)}, '${action}', ${ACTOR}, ${changes})`;
  const isKeyMoved = `${idOf(facts, "OLD")} IS NOT ${idOf(facts, "NEW")}`;
  const onUnique = uniqueColumns(facts).map(quoteIdentifier).join(", ");
  return [
    trigger(table, "before_insert", "BEFORE INSERT", `${inTheWay(facts)} OR ${hasNotes}`, [
      forget,
      note(facts, ""),
    ]),
    trigger(table, "insert", "AFTER INSERT", undefined, [
      logReplaced(facts, isReplaced(facts, "1")),
      `${forget} AND (${isReplaced(facts, "1")})`,
      log("NEW", "create", image(facts, "NEW", "new")),
    ]),
    trigger(
      table,
      "before_update",
      `BEFORE UPDATE OF ${onUnique}`,
      `${inTheWay(facts)} OR ${hasNotes}`,
      [forget, note(facts, ` AND NOT (${sameKey(facts, "OLD")})`)],
    ),
    trigger(table, "update", "AFTER UPDATE", isChanged(facts), [
      logReplaced(facts, isReplaced(facts, isKeyMoved)),
      `${forget} AND (${isReplaced(facts, isKeyMoved)})`,
      log("OLD", "update", difference(facts)),
    ]),
    trigger(table, "before_delete", "BEFORE DELETE", hasNotes, [
      `${forget} AND "entity_id" = ${idOf(facts, "OLD")}`,
    ]),
    trigger(table, "delete", "AFTER DELETE", undefined, [
      logReplaced(facts, isGone(facts)),
      `${forget} AND ${isGone(facts)}`,
      log("OLD", "delete", image(facts, "OLD", "old")),
    ]),
  ];
}

/** Whether a row of the table has a key or a unique value of `NEW`. */
function inTheWay(facts: EntityFacts): string {
  return exists(facts, conflict(facts));
}

/** Whether the table has a row, called "other", that meets the condition. */
function exists({ table }: EntityFacts, condition: string): string {
  return `EXISTS (SELECT 1 FROM ${quoteIdentifier(table)} AS "other" WHERE ${condition})`;
}

function conflict(facts: EntityFacts): string {
  const keys = uniqueKeys(facts).map((columns) => {
    const same = columns.map(
      (name) => `"other".${quoteIdentifier(name)} = NEW.${quoteIdentifier(name)}`,
    );
    return same.join(" AND ");
  });
  return keys.map((key) => `(${key})`).join(" OR ");
}

/** Every set of columns that no two rows may share. */
function uniqueKeys(facts: EntityFacts): readonly (readonly string[])[] {
  return [
    facts.primaryKey.map(({ name }) => name),
    ...facts.uniques.map(({ columns }) => columns),
    ...facts.indexes
      .filter(({ unique }) => unique)
      .map(({ columns }) => columns.map((c) => c.name)),
  ];
}

/** Columns whose change can replace another row, those of the conditions of unique indexes too. */
function uniqueColumns(facts: EntityFacts): readonly string[] {
  const isPartial = facts.indexes.some(({ unique, where }) => unique && where !== undefined);
  if (isPartial) return facts.columns.map(({ name }) => name);
  return [...new Set(uniqueKeys(facts).flat())];
}

function note(facts: EntityFacts, except: string): string {
  const type = literal(facts.table, "sqlite");
  return (
    `INSERT INTO ${NOTES} SELECT ${type}, ${idOf(facts, '"other"')}, ` +
    `${image(facts, '"other"', "old")} FROM ${quoteIdentifier(facts.table)} AS "other" ` +
    `WHERE (${conflict(facts)})${except}`
  );
}

function logReplaced(facts: EntityFacts, isReplaced: string): string {
  const type = literal(facts.table, "sqlite");
  return (
    `INSERT INTO ${LOG} SELECT ${type}, "entity_id", 'delete', ${ACTOR}, "changes" ` +
    `FROM ${NOTES} WHERE "entity_type" = ${type} AND (${isReplaced})`
  );
}

/**
 * Whether the row of a note has been replaced. One with the key of `NEW` has been, for `NEW` stands
 * there now, when `isNewcomer` holds.
 */
function isReplaced(facts: EntityFacts, isNewcomer: string): string {
  return `${isGone(facts)} OR ((${isNewcomer}) AND "entity_id" = ${idOf(facts, "NEW")})`;
}

/** Whether the row of a note is not there any more. */
function isGone(facts: EntityFacts): string {
  const still = facts.primaryKey.map((column, index) => {
    const part =
      facts.primaryKey.length === 1
        ? plainKey(column)
        : `json_extract(${NOTES}."entity_id", '$[${index}]')`;
    return `"other".${quoteIdentifier(column.name)} = ${part}`;
  });
  return `NOT ${exists(facts, still.join(" AND "))}`;
}

/** The one key column back from its text. */
function plainKey({ kind }: ColumnFacts): string {
  const id = `${NOTES}."entity_id"`;
  const isText = kind === "text" || kind === "uuid" || kind === "date" || kind === "enum";
  return isText ? id : `CAST(${id} AS INTEGER)`;
}

/** The key as text; a JSON array when it has several columns. */
function idOf({ primaryKey }: EntityFacts, row: string): string {
  const columns = primaryKey.map(({ name }) => `${row}.${quoteIdentifier(name)}`);
  return columns.length === 1
    ? `CAST(${columns.join()} AS TEXT)`
    : `json_array(${columns.join(", ")})`;
}

function sameKey({ primaryKey }: EntityFacts, row: string): string {
  return primaryKey
    .map(({ name }) => `"other".${quoteIdentifier(name)} = ${row}.${quoteIdentifier(name)}`)
    .join(" AND ");
}

/** A whole row as changes, all of it old or all of it new. */
function image({ columns }: EntityFacts, row: string, side: "old" | "new"): string {
  const members = columns.map(
    (column) => `${text(column.name)}, json_object('${side}', ${jsonOf(column, row)})`,
  );
  return `json_object(${members.join(", ")})`;
}

/** The columns that an update changed, each with both values. */
function difference({ columns }: EntityFacts): string {
  const changed = columns.map(
    (column) =>
      `SELECT ${text(column.name)} AS "name", ` +
      `json_object('old', ${jsonOf(column, "OLD")}, 'new', ${jsonOf(column, "NEW")}) AS "change" ` +
      `WHERE ${differs(column)}`,
  );
  return `(SELECT json_group_object("name", json("change")) FROM (${changed.join(" UNION ALL ")}))`;
}

function isChanged({ columns }: EntityFacts): string {
  return columns.map(differs).join(" OR ");
}

function differs({ name }: ColumnFacts): string {
  return `OLD.${quoteIdentifier(name)} IS NOT NEW.${quoteIdentifier(name)}`;
}

/** A value as JSON can hold it; whatever stands in the column, the user's write must not fail. */
function jsonOf({ name, kind }: ColumnFacts, row: string): string {
  const value = `${row}.${quoteIdentifier(name)}`;
  switch (kind) {
    case "bigint":
      return `CAST(${value} AS TEXT)`;
    case "boolean":
      return `json(CASE ${value} WHEN 0 THEN 'false' WHEN 1 THEN 'true' END)`;
    case "json":
      return `CASE WHEN json_valid(${value}) THEN json(${value}) ELSE ${value} END`;
    case "blob":
      return (
        `CASE WHEN length(${value}) <= ${LOGGED_BYTES_MAX} ` +
        `THEN json_object('hex', lower(hex(${value}))) ` +
        `WHEN ${value} IS NOT NULL THEN json_object('bytes', length(${value})) END`
      );
    default:
      return value;
  }
}

function text(value: string): string {
  return literal(value, "sqlite");
}

function trigger(
  table: string,
  suffix: string,
  event: string,
  when: string | undefined,
  statements: readonly string[],
): PhysicalObject {
  return sqliteTrigger({
    name: `springhouse_audit_${table}_${suffix}`,
    table,
    event,
    statements,
    ...(when === undefined ? {} : { when }),
  });
}
