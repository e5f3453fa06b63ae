/** Names that belong to SQLite or to Springhouse, and objects made from a declaration. */

import type { PhysicalObject, PhysicalSchema } from "../schema/physical.ts";

/** Whether a table of this name is SQLite's or the migrator's own, and in nobody's schema. */
export function isBookkeeping(name: string): boolean {
  return BOOKKEEPING.test(name);
}

/** Whether Springhouse or SQLite owns what has this name: undeclared, it is nobody's business. */
export function isInternal(name: string): boolean {
  return isBookkeeping(name) || /^springhouse_/i.test(name);
}

/**
 * Whether an object was made for one of the declared tables: a search table or a trigger for search
 * or audit. When it is declared no longer it goes, unlike what somebody else has made.
 */
export function isOwnObject(object: PhysicalObject, desired: PhysicalSchema): boolean {
  const isDeclared = (table: string | undefined): boolean =>
    desired.tables.some(({ name }) => name.toLowerCase() === table?.toLowerCase());
  if (object.kind === "trigger") return OWN_TRIGGER.test(object.name) && isDeclared(object.table);
  return object.kind === "virtual table" && isDeclared(SEARCH_TABLE.exec(object.name)?.[1]);
}

const BOOKKEEPING =
  /^(?:sqlite_.*|schema_migrations|schema_version|springhouse_(?:meta|migration_steps|new_.*))$/i;
const OWN_TRIGGER = /^springhouse_(?:search|audit)_/i;
const SEARCH_TABLE = /^(.+)_search$/i;
