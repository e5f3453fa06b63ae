/**
 * The triggers of the audit log on SQLite.
 *
 * Rows that REPLACE deletes are logged from the notes on them (`replaced-rows.ts`).
 *
 * The acting user stands in the one row of `springhouse_actor`.
 */

import type { ColumnFacts, EntityFacts } from "../schema/facts.ts";
import type { PhysicalObject, PhysicalTable } from "../schema/physical.ts";
import { literal, quoteIdentifier } from "../schema/quote.ts";
import { triggersNamed } from "../schema/trigger.ts";
import { forget, isGone, isReplaced, type Notes, noteTriggers } from "./replaced-rows.ts";

/** Longer values of a BLOB are logged by their length. */
export const LOGGED_BYTES_MAX = 64;

const LOG = '"audit_log" ("entity_type", "entity_id", "action", "user_id", "changes")';
const ACTOR = '(SELECT "user_id" FROM "springhouse_actor")';
const NOTES = '"springhouse_audit_notes"';
const trigger = triggersNamed("springhouse_audit");

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
  const notes = notesOf(facts);
  const { beforeInsert, beforeUpdate, beforeDelete } = noteTriggers(notes);
  const log = (row: string, action: string, changes: string): string =>
    `INSERT INTO ${LOG} VALUES (${type}, ${idOf(facts, row)}, '${action}', ${ACTOR}, ${changes})`;
  const isKeyMoved = `${idOf(facts, "OLD")} IS NOT ${idOf(facts, "NEW")}`;
  return [
    beforeInsert,
    trigger(table, "insert", "AFTER INSERT", undefined, [
      logReplaced(facts, isReplaced(notes, "1")),
      `${forget(notes)} AND (${isReplaced(notes, "1")})`,
      log("NEW", "create", image(facts, "NEW", "new")),
    ]),
    beforeUpdate,
    trigger(table, "update", "AFTER UPDATE", isChanged(facts), [
      logReplaced(facts, isReplaced(notes, isKeyMoved)),
      `${forget(notes)} AND (${isReplaced(notes, isKeyMoved)})`,
      log("OLD", "update", difference(facts)),
    ]),
    beforeDelete,
    trigger(table, "delete", "AFTER DELETE", undefined, [
      logReplaced(facts, isGone(notes)),
      `${forget(notes)} AND ${isGone(notes)}`,
      log("OLD", "delete", image(facts, "OLD", "old")),
    ]),
  ];
}

/** What would be logged if the row were deleted, by its key as the log has it. */
function notesOf(facts: EntityFacts): Notes {
  const type = literal(facts.table, "sqlite");
  const key = facts.primaryKey.map((column, index) => {
    const part =
      facts.primaryKey.length === 1
        ? plainKey(column)
        : `json_extract(${NOTES}."entity_id", '$[${index}]')`;
    return `"other".${quoteIdentifier(column.name)} = ${part}`;
  });
  return {
    facts,
    prefix: `springhouse_audit_${facts.table}_`,
    table: NOTES,
    own: `"entity_type" = ${type}`,
    content: `${type}, ${idOf(facts, '"other"')}, ${image(facts, '"other"', "old")}`,
    isOn: (row) => `"entity_id" = ${idOf(facts, row)}`,
    isOther: key.join(" AND "),
  };
}

function logReplaced(facts: EntityFacts, condition: string): string {
  const type = literal(facts.table, "sqlite");
  return (
    `INSERT INTO ${LOG} SELECT ${type}, "entity_id", 'delete', ${ACTOR}, "changes" ` +
    `FROM ${NOTES} WHERE "entity_type" = ${type} AND (${condition})`
  );
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
