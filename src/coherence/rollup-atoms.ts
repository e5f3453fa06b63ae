/**
 * What has been read through a rollup, in terms of the table that it is kept from. The rows of
 * rollups are not logged: they follow from the rows of their source, and so do their changes.
 *
 * A row of the view stands for the source's rows of one group. A condition on the key of the group
 * holds for the one exactly when it holds for the others, where texts are told apart by their
 * bytes; a condition on a measure says nothing about a single row.
 */

import { rollupSources } from "../capture/rollup.ts";
import { ROLLUP_MARKS } from "../capture/rollup-plan.ts";
import type { Atom, Footprint, Reading } from "../change/footprint.ts";
import type { Predicate } from "../change/predicate.ts";
import type { ColumnStructure, SchemaStructure, TableStructure } from "../change/structure.ts";
import { lowerAscii } from "../core/lower-ascii.ts";
import { mentions } from "../core/sql-tokens.ts";
import type { Catalog } from "../schema/catalog.ts";
import type { MeasureFact, RollupFact } from "../schema/facts.ts";

/** One rollup by its view. */
interface RollupView {
  readonly source: string;
  /** Columns of the view, and the source's columns that each follows from. */
  readonly columns: ReadonlyMap<string, ReadonlySet<string>>;
  /** Columns that say which group a row is in, whether it counts, and which row it is. */
  readonly placing: ReadonlySet<string>;
  /** Keys of groups whose values are those of the source, with the source's columns. */
  readonly keys: ReadonlyMap<string, string>;
}

/** The rollups of the databases that are open on one file. */
export class RollupAtoms {
  readonly #views = new Map<string, RollupView>();
  readonly #sources = new Map<string, string>();

  add(catalog: Catalog): void {
    for (const { table, rollup } of catalog.rollups) {
      if (rollup !== undefined) this.#views.set(lowerAscii(table), viewOf(rollup));
    }
    for (const [name, source] of rollupSources(catalog)) {
      this.#sources.set(name, source);
      // Which rollups are being made anew changes no result: while one is, its source is read.
      this.#sources.set(ROLLUP_MARKS, source);
    }
  }

  /** The table from which one of a rollup's own tables is kept; undefined for any other table. */
  sourceOf(table: string): string | undefined {
    return this.#sources.get(table);
  }

  /** The schema with the views of rollups among its tables, for reading what a query reads. */
  schemaWith(schema: SchemaStructure): SchemaStructure {
    return {
      table: (name) => {
        const view = this.#views.get(name);
        const source = view === undefined ? undefined : schema.table(view.source);
        if (view === undefined || source === undefined) return schema.table(name);
        return structureOf(name, view, source);
      },
    };
  }

  /** What was read, in terms of tables that are logged. */
  translate(reading: Reading): Reading {
    if (!reading.cacheable) return reading;
    const { atoms } = reading.footprint;
    if (!atoms.some(({ table }) => this.#views.has(table))) return reading;
    const footprint: Footprint = { atoms: atoms.map((atom) => this.#translate(atom)) };
    return { cacheable: true, footprint };
  }

  #translate(atom: Atom): Atom {
    const view = this.#views.get(atom.table);
    if (view === undefined) return atom;
    const columns = new Set(view.placing);
    const read = atom.columns === "all" ? view.columns.keys() : atom.columns;
    for (const name of read) for (const each of view.columns.get(name) ?? []) columns.add(each);
    return { table: view.source, columns, predicate: predicateOf(atom.predicate, view) };
  }
}

function viewOf({ source, groups, measures, where }: RollupFact): RollupView {
  const named = source.columns.map(({ name }) => name);
  const conditional = where === undefined ? [] : named.filter((name) => mentions(where, name));
  // Ties of `topK`, and the order in which reals are added up, follow the key of the rows.
  const ordering = source.primaryKey.map(({ name }) => name);
  const keyed = groups.flatMap(({ column }) => (column === undefined ? [] : [column.name]));
  const columns = new Map<string, ReadonlySet<string>>();
  for (const { name, column } of groups) {
    columns.set(lowerAscii(name), new Set(column === undefined ? [] : [lowerAscii(column.name)]));
  }
  for (const measure of measures)
    columns.set(lowerAscii(measure.name), new Set(columnsOf(measure)));
  const exact = groups.flatMap(({ name, column, collation }) =>
    column === undefined || collation !== "binary"
      ? []
      : [[lowerAscii(name), lowerAscii(column.name)] as const],
  );
  return {
    source: lowerAscii(source.table),
    columns,
    placing: new Set([...keyed, ...conditional, ...ordering].map(lowerAscii)),
    keys: new Map(exact),
  };
}

function columnsOf(measure: MeasureFact): readonly string[] {
  const { column } = measure;
  const of = measure.aggregate === "topK" ? measure.of : undefined;
  return [column, of].flatMap((each) => (each === undefined ? [] : [lowerAscii(each.name)]));
}

/** Keys are as in the source; nothing is known of how measures compare. */
function structureOf(name: string, view: RollupView, source: TableStructure): TableStructure {
  const columns = [...view.columns.keys()].map((column): ColumnStructure => {
    const origin = view.keys.get(column);
    const known = source.columns.find((each) => each.name === origin);
    const { affinity, collation } = known ?? UNKNOWN_COLUMN;
    return { name: column, affinity, collation };
  });
  return { ...source, name, columns };
}

const UNKNOWN_COLUMN = { affinity: "blob", collation: "unknown" } as const;

function predicateOf(predicate: Predicate, view: RollupView): Predicate {
  switch (predicate.kind) {
    case "compare":
    case "in": {
      const column = view.keys.get(predicate.column);
      return column === undefined ? { kind: "opaque" } : { ...predicate, column };
    }
    case "and":
    case "or":
      return { ...predicate, parts: predicate.parts.map((part) => predicateOf(part, view)) };
    case "not":
      return { kind: "not", part: predicateOf(predicate.part, view) };
    default:
      return predicate;
  }
}
