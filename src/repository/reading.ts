/**
 * What a statement of a repository reads: one occurrence of each table of the entity, its columns,
 * and what the conditions demand of its rows. LIMIT, ORDER BY and the place of a cursor demand less
 * than they seem to, and so nothing here.
 */

import type { Atom, Reading } from "../change/footprint.ts";
import type { Predicate } from "../change/predicate.ts";
import type { SchemaStructure } from "../change/structure.ts";
import { lowerAscii } from "../core/lower-ascii.ts";
import type { Demands } from "./demands.ts";
import type { Model, Part } from "./model.ts";
import { all, amongPredicate, type Place, predicateOf } from "./predicate.ts";

/** What is read; undefined when only the text of the statement can tell. */
export function readingOf(
  model: Model,
  demands: Demands,
  schema: SchemaStructure,
): Reading | undefined {
  const atoms: Atom[] = [];
  for (const part of model.parts) {
    const structure = schema.table(lowerAscii(part.facts.table));
    // A view, or what is no table of ours.
    if (structure === undefined) return undefined;
    const place = { model, schema, structure };
    const columns = columnsOf(model, part, demands);
    atoms.push({ table: structure.name, columns, predicate: predicateIn(place, demands) });
  }
  return { cacheable: true, footprint: { atoms } };
}

function predicateIn(place: Place, { among, where }: Demands): Predicate {
  const given = where.map((each) => predicateOf(place, each));
  if (among === undefined) return all(given);
  return all([amongPredicate(place, among.fields, among.rows), ...given]);
}

/** By the key the tables of an entity are joined, so it matters always. */
function columnsOf(model: Model, part: Part, demands: Demands): ReadonlySet<string> {
  const { among, where, wholeRows } = demands;
  if (wholeRows) return allColumnsOf(part);
  const conditions = where.flatMap(propertiesIn).map((property) => model.field(property));
  const mattering = [...(among?.fields ?? []), ...conditions];
  // A column that a table has not would count as changed by every update of it.
  const own = mattering.filter(({ table }) => table === part.facts.table);
  return new Set([...part.key, ...own].map(({ column }) => lowerAscii(column.name)));
}

const allColumns = new WeakMap<Part, ReadonlySet<string>>();

/** One set for all footprints, of which there are thousands. */
function allColumnsOf(part: Part): ReadonlySet<string> {
  const known = allColumns.get(part);
  if (known !== undefined) return known;
  const own = [...part.key, ...part.fields];
  const columns = new Set(own.map(({ column }) => lowerAscii(column.name)));
  allColumns.set(part, columns);
  return columns;
}

function propertiesIn(where: unknown): readonly string[] {
  return Object.entries(where as object).flatMap(([name, value]) => {
    if (name === "not") return propertiesIn(value);
    if (name === "and" || name === "or") return (value as readonly unknown[]).flatMap(propertiesIn);
    return [name];
  });
}
