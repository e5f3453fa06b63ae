/**
 * Triggers, views and indexes over expressions around a table rebuild: which are in the way, and in
 * which order they go.
 */

import { mentions } from "../core/sql-tokens.ts";
import type { PhysicalObject } from "../schema/physical.ts";
import { isInternal } from "./internal.ts";
import { canonicalName } from "./normalise.ts";

/**
 * The triggers and views that use one of the tables, or a view or virtual table that goes, or a
 * view that does: SQLite refuses to alter any table while one of them looks for what is not there.
 * Those in `gone` are left out, but what uses them counts.
 */
export function disturbedObjects(
  objects: readonly PhysicalObject[],
  tables: readonly string[],
  gone: readonly PhysicalObject[],
): readonly PhysicalObject[] {
  const isRead = ({ kind }: PhysicalObject): boolean =>
    kind === "view" || kind === "virtual table" || kind === "table";
  const names = [...tables, ...gone.filter(isRead).map(({ name }) => name)];
  if (names.length === 0) return [];
  const disturbed = new Set<PhysicalObject>();
  for (let grows = true; grows; ) {
    grows = false;
    for (const object of objects) {
      const isTable = object.kind === "virtual table" || object.kind === "table";
      if (isTable || disturbed.has(object)) continue;
      if (!uses(object, names)) continue;
      disturbed.add(object);
      if (object.kind === "view") names.push(object.name);
      grows = true;
    }
  }
  const goes = new Set(gone.map(({ name }) => canonicalName(name)));
  return objects.filter((object) => disturbed.has(object) && !goes.has(canonicalName(object.name)));
}

/** Dropping: triggers before the views and tables they may be on. */
export function dropOrder(objects: readonly PhysicalObject[]): readonly PhysicalObject[] {
  const rank = ({ kind }: PhysicalObject): number => (kind === "trigger" ? 0 : 1);
  return objects.toSorted((a, b) => rank(a) - rank(b));
}

/**
 * Creating: what triggers use before the triggers, and our triggers last, because the newest
 * trigger of a table fires first and ours must see a row before anybody else changes it.
 */
export function createOrder(objects: readonly PhysicalObject[]): readonly PhysicalObject[] {
  const rank = ({ kind, name }: PhysicalObject): number =>
    kind === "virtual table" || kind === "table"
      ? 0
      : kind !== "trigger"
        ? 1
        : isInternal(name)
          ? 3
          : 2;
  return objects.toSorted((a, b) => rank(a) - rank(b));
}

function uses({ sql, table }: PhysicalObject, names: readonly string[]): boolean {
  return names.some(
    (name) =>
      (table !== undefined && canonicalName(table) === canonicalName(name)) || mentions(sql, name),
  );
}
