/** Names that belong to the database or to Springhouse itself, and what is made from a declaration. */

import type { PhysicalObject, PhysicalSchema } from "../schema/physical.ts";

/** Whether an object of this name is bookkeeping, not part of anybody's schema. */
export function isInternal(name: string): boolean {
  return /^(?:sqlite_|springhouse_)/i.test(name) || LEDGER_TABLES.includes(name.toLowerCase());
}

/**
 * Whether an object was made for one of the declared tables: a search table or a trigger for search
 * or audit. When it is declared no longer it goes, unlike what somebody else has made.
 */
export function isOwnObject(object: PhysicalObject, desired: PhysicalSchema): boolean {
  if (object.kind === "trigger") return OWN_TRIGGER.test(object.name);
  if (object.kind !== "virtual table") return false;
  const table = /^(.+)_search$/i.exec(object.name)?.[1]?.toLowerCase();
  return desired.tables.some(({ name }) => name.toLowerCase() === table);
}

/** Our ledger, and the older one that is taken over as the baseline. */
const LEDGER_TABLES: readonly string[] = ["schema_migrations", "schema_version"];
const OWN_TRIGGER = /^springhouse_(?:search|audit)_/i;
