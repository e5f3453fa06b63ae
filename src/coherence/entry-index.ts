/**
 * Which entries a change may concern, found without looking at all of them.
 *
 * Each atom of an entry is a slot of its table. Where the predicate demands that columns equal
 * certain values, the slot stands in a hash under them, and a changed row is looked up by its
 * values before and after. All other slots of the table are looked at one by one. A slot that was
 * found is still asked whether the change really touches it.
 */

import type { Change, Image, RowChange } from "../change/change.ts";
import { canonicalKey, equalitiesOf } from "../change/equality.ts";
import type { Atom, Footprint } from "../change/footprint.ts";
import type { ColumnStructure, TableStructure } from "../change/structure.ts";
import { touches } from "../change/touches.ts";
import { UNKNOWN } from "../change/value.ts";

/** Something that a change can make wrong. */
export interface Indexed {
  readonly footprint: Footprint;
}

interface Slot<Entry> {
  readonly entry: Entry;
  readonly atom: Atom;
}

type Slots<Entry> = Set<Slot<Entry>>;

/** The slots whose predicates demand values of the same columns. */
interface Scheme<Entry> {
  readonly columns: readonly ColumnStructure[];
  /** Where they stand among the columns of the images that were seen last. */
  seenColumns: readonly string[] | undefined;
  positions: readonly number[];
  readonly byKey: Map<string, Slots<Entry>>;
}

interface TableIndex<Entry> {
  readonly structure: TableStructure;
  /** Those without equalities. */
  readonly scanned: Slots<Entry>;
  readonly schemes: Map<string, Scheme<Entry>>;
}

/** Where a slot stands. */
interface Place<Entry> {
  readonly slot: Slot<Entry>;
  /** The hash and the key in it; the list of those that are scanned otherwise. */
  readonly table: TableIndex<Entry>;
  readonly scheme: Scheme<Entry> | undefined;
  readonly key: string;
}

/** A slot with lists of values stands under each combination; beyond this it is scanned. */
const KEYS_PER_SLOT_MAX = 64;
/** Between the keys of several columns; in no key of one. */
const KEY_SEPARATOR = "\u0000";

/** Entries by what changes concern them. */
export class EntryIndex<Entry extends Indexed> {
  readonly #structureOf: (table: string) => TableStructure | undefined;
  readonly #tables = new Map<string, TableIndex<Entry>>();
  readonly #places = new Map<Entry, readonly Place<Entry>[]>();

  /** @param structureOf undefined for a table that is not known: its entries are always touched. */
  constructor(structureOf: (table: string) => TableStructure | undefined) {
    this.#structureOf = structureOf;
  }

  get size(): number {
    return this.#places.size;
  }

  add(entry: Entry): void {
    const places = entry.footprint.atoms.flatMap((atom) => this.#put({ entry, atom }));
    this.#places.set(entry, places);
  }

  remove(entry: Entry): void {
    for (const { slot, table, scheme, key } of this.#places.get(entry) ?? []) {
      if (scheme === undefined) {
        table.scanned.delete(slot);
        continue;
      }
      const slots = scheme.byKey.get(key);
      slots?.delete(slot);
      if (slots?.size === 0) scheme.byKey.delete(key);
    }
    this.#places.delete(entry);
  }

  /** Forgets all entries, and what is known of the tables. */
  clear(): void {
    this.#tables.clear();
    this.#places.clear();
  }

  /** Every entry, in the order in which they came. */
  entries(): IterableIterator<Entry> {
    return this.#places.keys();
  }

  /** The entries that the change touches, each with the atom; one may come more than once. */
  touchedBy(change: Change): readonly Slot<Entry>[] {
    const table = this.#tables.get(change.table);
    if (table === undefined) return [];
    const candidates = change.kind === "table" ? allOf(table) : candidatesOf(table, change);
    const touched: Slot<Entry>[] = [];
    for (const slot of candidates) {
      if (touches(change, slot.atom, table.structure)) touched.push(slot);
    }
    return touched;
  }

  #put(slot: Slot<Entry>): readonly Place<Entry>[] {
    const table = this.#indexOf(slot.atom.table);
    const columns = equalColumns(slot.atom, table.structure);
    if (columns === undefined) {
      table.scanned.add(slot);
      return [{ slot, table, scheme: undefined, key: "" }];
    }
    const scheme = schemeOf(table, columns);
    return columns.keys.map((key) => {
      const slots = scheme.byKey.get(key);
      if (slots === undefined) scheme.byKey.set(key, new Set([slot]));
      else slots.add(slot);
      return { slot, table, scheme, key };
    });
  }

  #indexOf(name: string): TableIndex<Entry> {
    const known = this.#tables.get(name);
    if (known !== undefined) return known;
    const structure = this.#structureOf(name) ?? { name, columns: [], capture: "table" };
    const table: TableIndex<Entry> = { structure, scanned: new Set(), schemes: new Map() };
    this.#tables.set(name, table);
    return table;
  }
}

/** Columns of which the predicate demands values, and the keys under which a slot stands. */
interface EqualColumns {
  readonly columns: readonly ColumnStructure[];
  readonly keys: readonly string[];
}

function equalColumns(atom: Atom, structure: TableStructure): EqualColumns | undefined {
  const equalities = equalitiesOf(atom.predicate);
  const columns: ColumnStructure[] = [];
  let keys: string[] = [];
  for (const column of structure.columns) {
    const values = equalities.get(column.name);
    if (values === undefined || keys.length * values.length > KEYS_PER_SLOT_MAX) continue;
    const own = values.map((value) => canonicalKey(value, column));
    if (own.length === 0 || own.includes(undefined)) continue;
    columns.push(column);
    const unique = [...new Set(own as string[])];
    keys =
      columns.length === 1
        ? unique
        : keys.flatMap((begin) => unique.map((end) => begin + KEY_SEPARATOR + end));
  }
  return columns.length === 0 ? undefined : { columns, keys };
}

function schemeOf<Entry>(table: TableIndex<Entry>, { columns }: EqualColumns): Scheme<Entry> {
  const name = columns.map((column) => column.name).join(KEY_SEPARATOR);
  const known = table.schemes.get(name);
  if (known !== undefined) return known;
  const scheme: Scheme<Entry> = {
    columns,
    seenColumns: undefined,
    positions: [],
    byKey: new Map(),
  };
  table.schemes.set(name, scheme);
  return scheme;
}

function candidatesOf<Entry>(table: TableIndex<Entry>, change: RowChange): Iterable<Slot<Entry>> {
  const { before, after } = change;
  const candidates = [...table.scanned];
  let mayRepeat = false;
  for (const scheme of table.schemes.values()) {
    const keys = [keyOf(before, scheme), keyOf(after, scheme)];
    if (keys.includes(undefined)) {
      for (const slots of scheme.byKey.values()) candidates.push(...slots);
      mayRepeat = true;
      continue;
    }
    const [first = NO_KEY, second = NO_KEY] = keys;
    candidates.push(...(scheme.byKey.get(first) ?? []));
    if (second === first) continue;
    candidates.push(...(scheme.byKey.get(second) ?? []));
    mayRepeat = true;
  }
  // A slot with a list of values stands under each of them.
  return mayRepeat ? new Set(candidates) : candidates;
}

/** The key of no row: that of an image that is not there. */
const NO_KEY = "none";

/** The key of a row; undefined when a value of it is not known. */
function keyOf<Entry>(image: Image | undefined, scheme: Scheme<Entry>): string | undefined {
  if (image === undefined) return NO_KEY;
  if (scheme.seenColumns !== image.columns) {
    scheme.seenColumns = image.columns;
    scheme.positions = scheme.columns.map(({ name }) => image.columns.indexOf(name));
  }
  let keys = "";
  for (let at = 0; at < scheme.positions.length; at++) {
    const value = image.values[scheme.positions[at] as number];
    if (value === undefined || value === UNKNOWN) return undefined;
    const key = canonicalKey(value, scheme.columns[at] as ColumnStructure);
    if (key === undefined) return undefined;
    keys = at === 0 ? key : keys + KEY_SEPARATOR + key;
  }
  return keys;
}

function allOf<Entry>(table: TableIndex<Entry>): Slot<Entry>[] {
  const hashed = [...table.schemes.values()].flatMap(({ byKey }) => [...byKey.values()]);
  return [table.scanned, ...hashed].flatMap((slots) => [...slots]);
}
