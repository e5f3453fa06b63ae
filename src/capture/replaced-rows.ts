/**
 * Rows that REPLACE deletes, on SQLite. It deletes them without firing their DELETE triggers. So,
 * before a row is inserted or a unique column of it updated, the rows that stand in its way are
 * noted; if the write goes through, those that are gone have been replaced. A note that turns out
 * to be wrong (IGNORE, an upsert) is dropped by the next write.
 *
 * A replaced row can take others of its table along, or change them, by a foreign key that leads to
 * its own table, and the row that replaces it may be one of them: then its AFTER trigger never
 * comes. So the triggers of those rows look at the notes as well, and leave those on rows that
 * still stand. A row that is deleted by itself loses its note before. Not seen is a trigger of
 * somebody else that writes the same table before the row is written.
 *
 * What a note holds, and what is done about a replaced row, is up to whoever takes them.
 */

import { physicalColumn } from "../schema/ddl-columns.ts";
import type { EntityFacts } from "../schema/facts.ts";
import type { PhysicalObject } from "../schema/physical.ts";
import { quoteIdentifier } from "../schema/quote.ts";
import { sqliteTrigger } from "../schema/trigger.ts";

/** The notes on the rows of one table. */
export interface Notes {
  readonly facts: EntityFacts;
  /** Names of the triggers begin with it. */
  readonly prefix: string;
  /** The table of the notes, in SQL. */
  readonly table: string;
  /** Which of its rows are notes on rows of this table. */
  readonly own: string;
  /** What a note holds of a row called "other", as what follows SELECT. */
  readonly content: string;
  /** Whether a note is on this row: `OLD` or `NEW`. */
  readonly isOn: (row: string) => string;
  /** Whether the row called "other" is the one that a note is on. */
  readonly isOther: string;
}

/** The triggers that take notes and drop them. */
export interface NoteTriggers {
  readonly beforeInsert: PhysicalObject;
  readonly beforeUpdate: PhysicalObject;
  readonly beforeDelete: PhysicalObject;
  /** The columns whose change can replace another row, as `UPDATE OF` names them. */
  readonly onUnique: string;
}

/** See above. */
export function noteTriggers(notes: Notes): NoteTriggers {
  const { facts, prefix } = notes;
  const name = (suffix: string): string => `${prefix}${suffix}`;
  const { table } = facts;
  const when = `${inTheWay(facts)} OR ${hasNotes(notes)}`;
  const onUnique = uniqueColumns(facts).map(quoteIdentifier).join(", ");
  return {
    beforeInsert: sqliteTrigger({
      name: name("before_insert"),
      table,
      event: "BEFORE INSERT",
      when,
      statements: [forget(notes), note(notes, "")],
    }),
    beforeUpdate: sqliteTrigger({
      name: name("before_update"),
      table,
      event: `BEFORE UPDATE OF ${onUnique}`,
      when,
      statements: [forget(notes), note(notes, ` AND NOT (${sameKey(facts, "OLD")})`)],
    }),
    beforeDelete: sqliteTrigger({
      name: name("before_delete"),
      table,
      event: "BEFORE DELETE",
      when: hasNotes(notes),
      statements: [`${forget(notes)} AND ${notes.isOn("OLD")}`],
    }),
    onUnique,
  };
}

/** Whether there are notes on rows of the table. */
export function hasNotes({ table, own }: Notes): string {
  return `EXISTS (SELECT 1 FROM ${table} WHERE ${own})`;
}

/** Drops the notes on rows of the table; a condition may follow. */
export function forget({ table, own }: Notes): string {
  return `DELETE FROM ${table} WHERE ${own}`;
}

/**
 * Whether the row of a note has been replaced. One with the key of `NEW` has been, for `NEW` stands
 * there now, when `isNewcomer` holds.
 */
export function isReplaced(notes: Notes, isNewcomer: string): string {
  return `${isGone(notes)} OR ((${isNewcomer}) AND ${notes.isOn("NEW")})`;
}

/** Whether the row of a note is not there any more. */
export function isGone({ facts, isOther }: Notes): string {
  return `NOT ${exists(facts, isOther)}`;
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
      (name) => `"other".${quoteIdentifier(name)} = ${comingValue(facts, name)}`,
    );
    return same.join(" AND ");
  });
  return keys.map((key) => `(${key})`).join(" OR ");
}

/** What `NEW` will have: REPLACE puts the default where NULL may not be. */
function comingValue({ table, byName }: EntityFacts, name: string): string {
  const value = `NEW.${quoteIdentifier(name)}`;
  const column = byName.get(name);
  if (column === undefined || column.nullable) return value;
  const { default: given } = physicalColumn(table, column, "sqlite");
  return given === undefined ? value : `ifnull(${value}, ${given})`;
}

/** Every set of columns that no two rows may share. */
function uniqueKeys(facts: EntityFacts): readonly (readonly string[])[] {
  const key = facts.primaryKey.map(({ name }) => name);
  return [
    key,
    ...(isRowid(facts) ? [] : [["rowid"]]),
    ...facts.uniques.map(({ columns }) => columns),
    ...facts.indexes
      .filter(({ unique }) => unique)
      .map(({ columns }) => columns.map((c) => c.name)),
  ];
}

/** Whether the key is the rowid itself; otherwise a row has that as one more key. */
function isRowid({ table, primaryKey }: EntityFacts): boolean {
  const [only, second] = primaryKey;
  if (only === undefined || second !== undefined) return false;
  return physicalColumn(table, only, "sqlite").type === "INTEGER";
}

/** Columns whose change can replace another row, those of the conditions of unique indexes too. */
function uniqueColumns(facts: EntityFacts): readonly string[] {
  const isPartial = facts.indexes.some(({ unique, where }) => unique && where !== undefined);
  const all = isPartial ? facts.columns.map(({ name }) => name) : uniqueKeys(facts).flat();
  // A write may use any of the names of the rowid.
  return [...new Set([...all, ...(isRowid(facts) ? [] : ["rowid", "oid", "_rowid_"])])];
}

function note({ facts, table, content }: Notes, except: string): string {
  return (
    `INSERT INTO ${table} SELECT ${content} FROM ${quoteIdentifier(facts.table)} AS "other" ` +
    `WHERE (${conflict(facts)})${except}`
  );
}

function sameKey({ primaryKey }: EntityFacts, row: string): string {
  return primaryKey
    .map(({ name }) => `"other".${quoteIdentifier(name)} = ${row}.${quoteIdentifier(name)}`)
    .join(" AND ");
}
