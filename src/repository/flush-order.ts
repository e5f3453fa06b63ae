/**
 * The order in which the rows of a unit of work are inserted: whoever is referred to before whoever
 * refers. Deletes go the other way round.
 *
 * The order of the tables settles it, unless an entity refers to itself or several refer to each
 * other in a circle; then it is the rows that count. So each row gets a level: that of the rows
 * that it refers to, and one more than that of a row whose table comes later or is the same one.
 * Rows are written level by level, in a level table by table, and in a table in the order in which
 * the unit met them. Rows of one level and table do not refer to each other and go together.
 */

import { forEachInSlices, isSliceOver, nextSlice } from "../core/slices.ts";
import type { SqlValue } from "../store/store.ts";
import type { Field } from "./field.ts";
import type { Entry } from "./identity-map.ts";
import { keyText, type Model } from "./model.ts";

/** A row to be written. */
export interface Placed {
  readonly entry: Entry;
  /** The stored value of a property; undefined while it is not known. */
  storedOf(field: Field): SqlValue | undefined;
}

/** For `inLevels`. */
export interface OrderOptions<Item> {
  /** The position of the entity's table among all tables. */
  readonly rank: (model: Model) => number;
  /** Called with a row of each circle of rows; when it returns, the circle is cut open there. */
  readonly onCircle: (item: Item) => void;
}

/** Groups of rows that can be written together, in the order in which to insert them. */
export async function inLevels<Item extends Placed>(
  items: readonly Item[],
  { rank, onCircle }: OrderOptions<Item>,
): Promise<readonly (readonly Item[])[]> {
  const parentsOf = await parentFinder(items);
  const levels = new Map<Item, number>();
  const levelOver = (item: Item, parent: Item): number =>
    (levels.get(parent) ?? 0) + (rank(parent.entry.model) < rank(item.entry.model) ? 0 : 1);
  for (const first of items) {
    const path = [first];
    const open = new Set<Item>();
    for (let item = path.at(-1); item !== undefined; item = path.at(-1)) {
      if (isSliceOver()) await nextSlice();
      if (levels.has(item)) {
        path.pop();
        continue;
      }
      open.add(item);
      const parents = parentsOf(item);
      const unknown = parents.filter((parent) => !levels.has(parent));
      const next = unknown.filter((parent) => !open.has(parent));
      if (next.length > 0) path.push(...next);
      else {
        if (unknown.length > 0) onCircle(item);
        levels.set(item, Math.max(0, ...parents.map((parent) => levelOver(item as Item, parent))));
        path.pop();
      }
    }
  }
  return grouped(items, levels, rank);
}

async function grouped<Item extends Placed>(
  items: readonly Item[],
  levels: ReadonlyMap<Item, number>,
  rank: (model: Model) => number,
): Promise<readonly (readonly Item[])[]> {
  const groups = new Map<string, { level: number; rank: number; items: Item[] }>();
  await forEachInSlices(items, (item) => {
    const place = { level: levels.get(item) ?? 0, rank: rank(item.entry.model) };
    const name = `${place.level} ${place.rank}`;
    const group = groups.get(name);
    if (group === undefined) groups.set(name, { ...place, items: [item] });
    else group.items.push(item);
  });
  return [...groups.values()]
    .sort((a, b) => a.level - b.level || a.rank - b.rank)
    .map((group) => group.items);
}

/** The rows among these that a row refers to; a row that refers to itself needs nobody. */
async function parentFinder<Item extends Placed>(
  items: readonly Item[],
): Promise<(item: Item) => readonly Item[]> {
  const byEntry = new Map<Entry, Item>();
  const byKey = new Map<string, Item>();
  const references = referencesTo(new Set(items.map(({ entry }) => entry.model)));
  await forEachInSlices(items, (item) => {
    byEntry.set(item.entry, item);
    for (const { name, fields } of references.get(item.entry.model)?.incoming ?? []) {
      const text = textOf(item, fields);
      if (text !== undefined) byKey.set(`${name} ${text}`, item);
    }
  });
  return (item) => {
    const late = [...item.entry.late.values()].map(({ parent }) => byEntry.get(parent));
    const known = (references.get(item.entry.model)?.outgoing ?? []).map(({ name, fields }) => {
      const text = textOf(item, fields);
      return text === undefined ? undefined : byKey.get(`${name} ${text}`);
    });
    return [...late, ...known].filter(
      (parent) => parent !== undefined && parent !== item,
    ) as Item[];
  };
}

/** Columns that refer or are referred to; both ends of a foreign key have the same name. */
interface Reference {
  readonly name: string;
  readonly fields: readonly Field[];
}

interface References {
  readonly outgoing: Reference[];
  readonly incoming: Reference[];
}

function referencesTo(models: ReadonlySet<Model>): ReadonlyMap<Model, References> {
  const references = new Map<Model, References>();
  for (const model of models) references.set(model, { outgoing: [], incoming: [] });
  for (const model of models) {
    for (const { holder, key } of model.foreignKeys) {
      const name = `${key.table} (${key.references.join()})`;
      const fields = fieldsOf(model, holder, key.columns);
      references.get(model)?.outgoing.push({ name, fields });
      for (const target of models) {
        const { incoming } = references.get(target) as References;
        const isTarget = target.parts.some(({ facts }) => facts.table === key.table);
        if (!isTarget || incoming.some((known) => known.name === name)) continue;
        incoming.push({ name, fields: fieldsOf(target, key.table, key.references) });
      }
    }
  }
  return references;
}

function fieldsOf(model: Model, table: string, columns: readonly string[]): readonly Field[] {
  return columns.flatMap((column) => model.fieldOfColumn(table, column) ?? []);
}

/** Undefined when a value is not known, or NULL, which refers to nothing. */
function textOf(item: Placed, fields: readonly Field[]): string | undefined {
  const values = fields.map((field) => item.storedOf(field));
  return values.some((value) => value === undefined || value === null)
    ? undefined
    : keyText(values as SqlValue[]);
}
