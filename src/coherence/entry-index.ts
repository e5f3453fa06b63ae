/**
 * Which entries a change may concern, found without looking at all of them.
 *
 * Each atom of an entry is a slot of its table. Where the predicate demands that columns equal
 * certain values, the slot stands in a hash under them, and a changed row is looked up by its
 * values before and after. All other slots of the table are looked at one by one.
 *
 * Among a million entries, what a lookup costs is how often it reaches for memory that no cache of
 * the processor holds. So slots of one key that read the same columns are a group, whose columns
 * are judged once for a change. And where predicates demand nothing but the key, whoever stands
 * under it is touched: neither the slots nor their predicates are looked at.
 */

import type { Change, Image, RowChange } from "../change/change.ts";
import { type CanonicalKey, canonicalKey, equalitiesOf } from "../change/equality.ts";
import type { Atom, Footprint } from "../change/footprint.ts";
import type { Predicate } from "../change/predicate.ts";
import type { ColumnStructure, TableStructure } from "../change/structure.ts";
import { changesColumn, meets } from "../change/touches.ts";
import { UNKNOWN } from "../change/value.ts";

/** Something that a change can make wrong. */
export interface Indexed {
  readonly footprint: Footprint;
}

/** An atom of an entry. One with a list of values has a slot in several groups. */
interface Slot<Entry> {
  readonly entry: Entry;
  readonly atom: Atom;
  readonly group: Group<Entry>;
  /** Where it is among the slots of the group. */
  at: number;
}

/** Slots of one key that read the same columns. */
interface Group<Entry> {
  readonly columns: Atom["columns"];
  /** Whether every row with the key meets the predicates. */
  readonly isExact: boolean;
  /** Tells it from the other groups of the key. */
  readonly name: string;
  readonly slots: Slot<Entry>[];
  /** The groups of the key, and where these are found; undefined for those that have no key. */
  readonly siblings: Group<Entry>[];
  readonly scheme: Scheme<Entry> | undefined;
  readonly key: CanonicalKey;
}

/** The slots whose predicates demand values of the same columns. */
interface Scheme<Entry> {
  readonly columns: readonly ColumnStructure[];
  /** Where they stand among the columns of the images that were seen last. */
  seenColumns: readonly string[] | undefined;
  positions: readonly number[];
  readonly byKey: Map<CanonicalKey, Group<Entry>[]>;
}

interface TableIndex<Entry> {
  readonly structure: TableStructure;
  /** Those without equalities. */
  readonly scanned: Group<Entry>[];
  readonly schemes: Map<string, Scheme<Entry>>;
}

/** A slot with lists of values stands under each combination; beyond this it is scanned. */
const KEYS_PER_SLOT_MAX = 64;
/** Between the keys of several columns; in no key of one. */
const KEY_SEPARATOR = "\u0000";

/** Entries by what changes concern them. */
export class EntryIndex<Entry extends Indexed> {
  readonly #structureOf: (table: string) => TableStructure | undefined;
  readonly #tables = new Map<string, TableIndex<Entry>>();
  readonly #slots = new Map<Entry, readonly Slot<Entry>[]>();

  /** @param structureOf undefined for a table that is not known: its entries are always touched. */
  constructor(structureOf: (table: string) => TableStructure | undefined) {
    this.#structureOf = structureOf;
  }

  get size(): number {
    return this.#slots.size;
  }

  add(entry: Entry): void {
    const slots = entry.footprint.atoms.flatMap((atom) => this.#put(entry, atom));
    this.#slots.set(entry, slots);
  }

  remove(entry: Entry): void {
    for (const slot of this.#slots.get(entry) ?? []) takeOut(slot);
    this.#slots.delete(entry);
  }

  /** Forgets all entries, and what is known of the tables. */
  clear(): void {
    this.#tables.clear();
    this.#slots.clear();
  }

  /** Every entry, in the order in which they came. */
  entries(): IterableIterator<Entry> {
    return this.#slots.keys();
  }

  /** The entries that the change touches, each with the atom; one may come more than once. */
  touchedBy(change: Change): readonly Pick<Slot<Entry>, "entry" | "atom">[] {
    const table = this.#tables.get(change.table);
    if (table === undefined) return [];
    if (change.kind === "table") return groupsOf(table).flatMap(({ slots }) => slots);
    const found: Slot<Entry>[] = [];
    const judge = (groups: Iterable<Group<Entry>>, hasKey: boolean): void => {
      for (const group of groups) addTouched(group, hasKey, change, table.structure, found);
    };
    judge(table.scanned, false);
    for (const scheme of table.schemes.values()) {
      const [before, after] = [keyOf(change.before, scheme), keyOf(change.after, scheme)];
      if (before === undefined || after === undefined) {
        for (const groups of scheme.byKey.values()) judge(groups, false);
        continue;
      }
      judge(scheme.byKey.get(before) ?? [], true);
      if (after !== before) judge(scheme.byKey.get(after) ?? [], true);
    }
    return found;
  }

  #put(entry: Entry, atom: Atom): readonly Slot<Entry>[] {
    const table = this.#indexOf(atom.table);
    const columns = equalColumns(atom, table.structure);
    if (columns === undefined) {
      return [putInto(table.scanned, { entry, atom, isExact: false, key: "", scheme: undefined })];
    }
    const scheme = schemeOf(table, columns);
    const isExact = demandsOnly(columns.columns, atom.predicate);
    return columns.keys.map((key) => {
      const known = scheme.byKey.get(key);
      const groups = known ?? [];
      if (known === undefined) scheme.byKey.set(key, groups);
      return putInto(groups, { entry, atom, isExact, key, scheme });
    });
  }

  #indexOf(name: string): TableIndex<Entry> {
    const known = this.#tables.get(name);
    if (known !== undefined) return known;
    const structure = this.#structureOf(name) ?? { name, columns: [], capture: "table" };
    const table: TableIndex<Entry> = { structure, scanned: [], schemes: new Map() };
    this.#tables.set(name, table);
    return table;
  }
}

/** Columns of which the predicate demands values, and the keys under which a slot stands. */
interface EqualColumns {
  readonly columns: readonly ColumnStructure[];
  readonly keys: readonly CanonicalKey[];
}

function equalColumns(atom: Atom, structure: TableStructure): EqualColumns | undefined {
  const equalities = equalitiesOf(atom.predicate);
  const columns: ColumnStructure[] = [];
  let keys: CanonicalKey[] = [];
  for (const column of structure.columns) {
    const values = equalities.get(column.name);
    if (values === undefined || keys.length * values.length > KEYS_PER_SLOT_MAX) continue;
    const own = values.map((value) => canonicalKey(value, column));
    if (own.length === 0 || own.includes(undefined)) continue;
    columns.push(column);
    const unique = [...new Set(own as CanonicalKey[])];
    keys =
      columns.length === 1
        ? unique
        : keys.flatMap((begin) => unique.map((end) => joined(begin, end)));
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

/** Whether the predicate is nothing but equalities, one for each of the columns. */
function demandsOnly(columns: readonly ColumnStructure[], predicate: Predicate): boolean {
  const parts = predicate.kind === "and" ? predicate.parts : [predicate];
  if (parts.length !== columns.length) return false;
  const names = new Set(parts.map((part) => ("column" in part ? part.column : "")));
  return columns.every(({ name }) => names.has(name));
}

interface NewSlot<Entry> extends Pick<Group<Entry>, "isExact" | "key" | "scheme"> {
  readonly entry: Entry;
  readonly atom: Atom;
}

function putInto<Entry>(siblings: Group<Entry>[], given: NewSlot<Entry>): Slot<Entry> {
  const { entry, atom, isExact, key, scheme } = given;
  const { columns } = atom;
  const names = columns === "all" ? "all" : [...columns].sort().join(KEY_SEPARATOR);
  const name = `${isExact}${KEY_SEPARATOR}${names}`;
  let group = siblings.find((each) => each.name === name);
  if (group === undefined) {
    group = { columns, isExact, name, slots: [], siblings, scheme, key };
    siblings.push(group);
  }
  const slot: Slot<Entry> = { entry, atom, group, at: group.slots.length };
  group.slots.push(slot);
  return slot;
}

/** The last slot of the group takes its place. */
function takeOut<Entry>({ group, at }: Slot<Entry>): void {
  const { slots, siblings, scheme, key } = group;
  const last = slots.pop() as Slot<Entry>;
  if (at < slots.length) {
    slots[at] = last;
    last.at = at;
  }
  if (slots.length > 0) return;
  siblings.splice(siblings.indexOf(group), 1);
  if (siblings.length === 0) scheme?.byKey.delete(key);
}

function addTouched<Entry>(
  { columns, isExact, slots }: Group<Entry>,
  hasKey: boolean,
  change: RowChange,
  structure: TableStructure,
  found: Slot<Entry>[],
): void {
  if (!changesColumn(change, columns, structure)) return;
  for (const slot of slots) {
    if ((hasKey && isExact) || meets(change, slot.atom, structure)) found.push(slot);
  }
}

/** The key of no row: that of an image that is not there. */
const NO_KEY = "none";

/** The key of a row; undefined when a value of it is not known. */
function keyOf<Entry>(image: Image | undefined, scheme: Scheme<Entry>): CanonicalKey | undefined {
  if (image === undefined) return NO_KEY;
  if (scheme.seenColumns !== image.columns) {
    scheme.seenColumns = image.columns;
    scheme.positions = scheme.columns.map(({ name }) => image.columns.indexOf(name));
  }
  let keys: CanonicalKey = NO_KEY;
  for (let at = 0; at < scheme.positions.length; at++) {
    const value = image.values[scheme.positions[at] as number];
    if (value === undefined || value === UNKNOWN) return undefined;
    const key = canonicalKey(value, scheme.columns[at] as ColumnStructure);
    if (key === undefined) return undefined;
    keys = at === 0 ? key : joined(keys, key);
  }
  return keys;
}

function joined(begin: CanonicalKey, end: CanonicalKey): string {
  return `${begin}${KEY_SEPARATOR}${end}`;
}

function groupsOf<Entry>({ scanned, schemes }: TableIndex<Entry>): Group<Entry>[] {
  const keyed = [...schemes.values()].flatMap(({ byKey }) => [...byKey.values()].flat());
  return [...scanned, ...keyed];
}
