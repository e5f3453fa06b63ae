/**
 * What a statement of a repository reads: one occurrence of each table of the entity, its columns,
 * and what the conditions demand of its rows. LIMIT, ORDER BY and the place of a cursor demand less
 * than they seem to, and so nothing here.
 */

import type { Atom } from "../change/footprint.ts";
import type { Predicate } from "../change/predicate.ts";
import { ownCopy } from "../core/own-copy.ts";
import { type ReadingOf, withReading } from "../store/reading.ts";
import type { SqlValue, Statement } from "../store/store.ts";
import type { Field } from "./field.ts";
import type { Model, Part } from "./model.ts";
import { all, amongPredicate, type Place, predicateOf } from "./predicate.ts";

/** The conditions of a statement, of which all hold. */
export interface Demands {
  /** Fields that have one of the rows of stored values. */
  readonly among?: {
    readonly fields: readonly Field[];
    readonly rows: readonly (readonly SqlValue[])[];
  };
  /** Conditions that `whereSql` has accepted; undefined for none. */
  readonly where: readonly unknown[];
  /** Whether it selects all columns. Otherwise only those of the conditions matter. */
  readonly wholeRows: boolean;
}

/**
 * The statement with what it reads. Call it after the conditions have become SQL, and before their
 * owner can change them.
 */
export function withDemands(statement: Statement, model: Model, demands: Demands): Statement {
  if (model.dialect !== "sqlite") return statement;
  const where = demands.where.filter((each) => each !== undefined).map(ownCopy);
  return withReading(statement, readingOf(model, { ...demands, where }));
}

function readingOf(model: Model, demands: Demands): ReadingOf {
  return (schema) => {
    const atoms: Atom[] = [];
    for (const part of model.parts) {
      const structure = schema.table(part.facts.table.toLowerCase());
      // A view, or what is no table of ours: the text tells.
      if (structure === undefined) return undefined;
      const place = { model, schema, structure };
      const columns = columnsOf(model, part, demands);
      atoms.push({ table: structure.name, columns, predicate: predicateIn(place, demands) });
    }
    return { cacheable: true, footprint: { atoms } };
  };
}

function predicateIn(place: Place, { among, where }: Demands): Predicate {
  const given = where.map((each) => predicateOf(place, each));
  if (among === undefined) return all(given);
  return all([amongPredicate(place, among.fields, among.rows), ...given]);
}

/** By the key the tables of an entity are joined, so it matters always. */
function columnsOf(model: Model, part: Part, demands: Demands): ReadonlySet<string> {
  const { among, where, wholeRows } = demands;
  const conditions = where.flatMap(propertiesIn).map((property) => model.field(property));
  const mattering = wholeRows ? part.fields : [...(among?.fields ?? []), ...conditions];
  // A column that a table has not would count as changed by every update of it.
  const own = mattering.filter(({ table }) => table === part.facts.table);
  return new Set([...part.key, ...own].map(({ column }) => column.name.toLowerCase()));
}

function propertiesIn(where: unknown): readonly string[] {
  return Object.entries(where as object).flatMap(([name, value]) => {
    if (name === "not") return propertiesIn(value);
    if (name === "and" || name === "or") return (value as readonly unknown[]).flatMap(propertiesIn);
    return [name];
  });
}
