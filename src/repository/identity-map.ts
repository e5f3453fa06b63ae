/**
 * The rows that a unit of work knows: one object for each key, with the stored values that it had
 * when it was read, so that a change is whatever differs from them.
 */

import { SpringhouseError } from "../core/errors.ts";
import { ownCopy } from "../core/own-copy.ts";
import type { SqlValue } from "../store/store.ts";
import type { Field } from "./field.ts";
import { keyText, type Model, type Row } from "./model.ts";

/** All rows are kept until the unit ends; larger work is to be done in portions. */
const ROWS_MAX = 100_000;

/** One row of a unit. */
export interface Entry {
  readonly model: Model;
  readonly row: Row;
  /** What was read is compared with its snapshot, what was added or removed is not. */
  state: "read" | "added" | "removed";
  /** The stored values when the row was read; empty for an added one. */
  readonly snapshot: readonly SqlValue[];
  /** The key when the row was read. */
  readonly key: unknown;
  /** What the unit knows it by; undefined while the key is not known. */
  readonly keyText: string | undefined;
  /** Properties whose value is the key of a row that is added by the same unit. */
  readonly late: ReadonlyMap<string, LateKey>;
}

/** The key of a row that has none yet. */
export interface LateKey {
  readonly parent: Entry;
  /** The property of the parent that is referred to. */
  readonly property: string;
}

const NOTHING_LATE: ReadonlyMap<string, LateKey> = new Map();

/** See above. */
export class IdentityMap {
  readonly #byKey = new Map<Model, Map<string, Entry>>();
  readonly #byRow = new Map<Row, Entry>();

  /** All rows in the order in which the unit met them. */
  get entries(): IteratorObject<Entry> {
    return this.#byRow.values();
  }

  /** The entry of an object of this unit. */
  ofRow(row: object): Entry | undefined {
    return this.#byRow.get(row as Row);
  }

  /** The entry of a key, given by its stored values. */
  ofKey(model: Model, key: readonly SqlValue[]): Entry | undefined {
    return this.#byKey.get(model)?.get(keyText(key));
  }

  /** The object for a row that was read: the one that is known, changes included, or this one. */
  track(model: Model, row: Row): Entry {
    // The key of a row may be a date or bytes, which the object may change in place.
    const key = ownCopy(model.keyOf(row));
    const text = keyText(model.keyValues(key));
    const known = this.#byKey.get(model)?.get(text);
    if (known !== undefined) return known;
    const entry: Entry = {
      model,
      row,
      state: "read",
      snapshot: model.fields.map((field) => storedValue(field, row)),
      key,
      keyText: text,
      late: NOTHING_LATE,
    };
    return this.#keep(entry);
  }

  /** Takes a row that does not exist yet. */
  add(model: Model, row: Row, late: ReadonlyMap<string, LateKey>): Entry {
    const isKeyKnown = model.key.every(
      ({ property }) => row[property] !== undefined && !late.has(property),
    );
    const text = isKeyKnown ? keyText(model.keyValues(model.keyOf(row))) : undefined;
    const isFree = text === undefined || !this.#byKey.get(model)?.has(text);
    const added = { model, row, state: "added", snapshot: [], key: undefined } as const;
    if (isFree) return this.#keep({ ...added, keyText: text, late });
    throw new SpringhouseError(
      "INVALID_ARGUMENT",
      `The unit of work knows a row of "${model.name}" with this key already.`,
      { fields: { entity: model.name, key: model.keyOf(row) } },
    );
  }

  /** Forgets a row. */
  forget({ model, row, keyText: text }: Entry): void {
    this.#byRow.delete(row);
    if (text !== undefined) this.#byKey.get(model)?.delete(text);
  }

  #keep(entry: Entry): Entry {
    if (this.#byRow.size >= ROWS_MAX) {
      throw new SpringhouseError(
        "INVALID_ARGUMENT",
        `A unit of work keeps at most ${ROWS_MAX} rows: commit in portions.`,
      );
    }
    this.#byRow.set(entry.row, entry);
    const { model, keyText: text } = entry;
    if (text === undefined) return entry;
    const entries = this.#byKey.get(model) ?? new Map<string, Entry>();
    this.#byKey.set(model, entries.set(text, entry));
    return entry;
  }
}

/** Whether there is anything to write; asked of all rows at once, so it makes no objects. */
export function isPending({ model, row, state, snapshot }: Entry): boolean {
  if (state !== "read") return true;
  for (let index = 0; index < model.fields.length; index++) {
    if (!isUnchanged(model.fields[index] as Field, row, snapshot[index])) return true;
  }
  for (const property in row) if (isUnknown(model, property)) return true;
  return false;
}

/**
 * What an object that was read differs in from what was read. A property that the entity does not
 * have is a change as well, which the check before the write will name: it is a misspelt one.
 */
export function changesOf({ model, row, snapshot }: Entry): Row {
  const changed = model.fields
    .filter((field, index) => !isUnchanged(field, row, snapshot[index]))
    .map(({ property }) => property);
  const unknown = Object.keys(row).filter((property) => isUnknown(model, property));
  return Object.fromEntries([...changed, ...unknown].map((property) => [property, row[property]]));
}

function isUnknown(model: Model, property: string): boolean {
  return !model.byProperty.has(property);
}

function isUnchanged(field: Field, row: Row, before: SqlValue | undefined): boolean {
  let now: SqlValue;
  try {
    now = field.encode(row[field.property]);
  } catch {
    // What cannot be stored is a change, which the check before the write will name.
    return false;
  }
  if (!(now instanceof Uint8Array && before instanceof Uint8Array)) return now === before;
  return Buffer.compare(now, before) === 0;
}

/** Bytes are copied, for the object may change them in place. */
function storedValue(field: Field, row: Row): SqlValue {
  const value = field.encode(row[field.property]);
  return value instanceof Uint8Array ? value.slice() : value;
}
