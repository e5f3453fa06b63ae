/** The rows of one entity inside a unit of work: objects that may be changed in place. */

import { assertSignal } from "../core/abort.ts";
import { wrongArgument } from "../core/arguments.ts";
import { SpringhouseError } from "../core/errors.ts";
import { refuseUnknownKeys } from "../core/options.ts";
import { ownCopy } from "../core/own-copy.ts";
import { isPlainObject } from "../core/plain-object.ts";
import { isSliceOver, mapInSlices, nextSlice } from "../core/slices.ts";
import type { Entity, InsertOf, KeyOf, RowOf } from "../schema/types.ts";
import { validateInsert, validationError } from "../schema/validate.ts";
import { noRow } from "../schema/validate-run.ts";
import { withStandIns } from "./flush.ts";
import type { Entry, IdentityMap, LateKey } from "./identity-map.ts";
import { linkOf } from "./link.ts";
import type { Model, Row } from "./model.ts";
import { readList, readOne } from "./read.ts";
import { authorize, refuseRollup, type Scope } from "./scope.ts";
import type { ListOptions } from "./types.ts";

/** A row that may be changed in place. */
export type Mutable<E extends Entity> = { -readonly [P in keyof RowOf<E>]: RowOf<E>[P] };

/** Options of a list without relations, which a unit does not load. */
export type UnitListOptions<E extends Entity> = Omit<ListOptions<E>, "include">;

const UNIT_LIST_OPTIONS = ["where", "orderBy", "limit", "offset", "cursor", "signal"];

/** What a repository asks of its unit. */
export interface UnitAccess {
  readonly scope: Scope;
  readonly map: IdentityMap;
  /** Throws when the unit has ended. */
  assertOpen(): void;
}

/** Made by `unit.repository(entity)`. */
export class UnitRepository<E extends Entity> {
  readonly #unit: UnitAccess;
  readonly #model: Model;

  constructor(entity: E, unit: UnitAccess) {
    this.#unit = unit;
    this.#model = unit.scope.models.of(entity);
    refuseRollup(this.#model);
  }

  /** The row with this key: the same object for the same key. Undefined when there is none. */
  async get(key: KeyOf<E>): Promise<Mutable<E> | undefined> {
    this.#unit.assertOpen();
    const { scope, map } = this.#unit;
    const own = ownCopy(key);
    const narrowing = await authorize(scope, this.#model, { action: "read", key: own });
    const known = map.ofKey(this.#model, this.#model.keyValues(own));
    if (known !== undefined) return visible<E>(known);
    const row = await readOne(scope, this.#model, own, narrowing, {});
    return row === undefined ? undefined : visible<E>(map.track(this.#model, row));
  }

  /**
   * The rows that match in the database. Objects that the unit has changed are given with their
   * changes, removed ones are left out, added ones are not found.
   */
  async list(options: UnitListOptions<E> = {}): Promise<Mutable<E>[]> {
    this.#unit.assertOpen();
    refuseUnknownKeys(options, UNIT_LIST_OPTIONS, `list of "${this.#model.name}" in a unit`);
    assertSignal(options.signal);
    const { scope, map } = this.#unit;
    const narrowing = await authorize(scope, this.#model, { action: "read" });
    const call = options.signal === undefined ? {} : { signal: options.signal };
    const rows = await readList(scope, this.#model, options, narrowing, call);
    const known = await mapInSlices(rows, (row) => visible<E>(map.track(this.#model, row)));
    return known.filter((row) => row !== undefined);
  }

  /**
   * Takes a new row, checked, with its defaults. A key that the database numbers is there after
   * the commit; until then rows can refer to it by `from`. To be awaited before the commit, which
   * does not wait for it.
   *
   * @param from rows of this unit, by the properties that refer to them.
   * @throws `VALIDATION`; `TRANSACTION_ENDED` when the unit has ended meanwhile.
   * @example
   * const week = await unit.repository(Week).add({ label: "2025-W47" });
   * await unit.repository(Task).add({ title: "Atlas" }, { weekId: week });
   */
  add(input: InsertOf<E>): Promise<Mutable<E>>;
  add<const P extends keyof InsertOf<E> & string>(
    input: Omit<InsertOf<E>, P>,
    from: { readonly [Property in P]: object },
  ): Promise<Mutable<E>>;
  async add(input: object, from: Readonly<Record<string, object>> = {}): Promise<Mutable<E>> {
    this.#unit.assertOpen();
    // A copy of it would be an empty row.
    if (!isPlainObject(input)) throw validationError(this.#model.facts, [noRow(input)]);
    if (!isPlainObject(from)) throw wrongArgument("add: from", "an object of rows", from);
    // Many are added in a loop whose every wait is over in the same turn.
    if (isSliceOver()) await nextSlice();
    const { scope, map } = this.#unit;
    const late = new Map<string, LateKey>();
    const given: Row = { ...input };
    for (const [property, parent] of Object.entries(from)) {
      const key = this.#keyOfParent(property, parent);
      if (key.value === undefined) late.set(property, key);
      else given[property] = key.value;
    }
    const checkable = withStandIns(given, late.keys());
    const values = await validateInsert(this.#model.facts, checkable, scope.validation);
    // A commit that did not wait for this call has written without the row.
    this.#unit.assertOpen();
    const row: Row = { ...values };
    for (const property of late.keys()) delete row[property];
    return map.add(this.#model, row, late).row as Mutable<E>;
  }

  /** Deletes the row at the commit; a row that was added is forgotten. */
  remove(row: Mutable<E>): void {
    this.#unit.assertOpen();
    const { map } = this.#unit;
    const entry = map.ofRow(row);
    if (entry === undefined || entry.model !== this.#model) throw this.#strange("remove()");
    if (entry.state === "added") map.forget(entry);
    else entry.state = "removed";
  }

  #keyOfParent(property: string, parent: object): LateKey & { readonly value: unknown } {
    const entry = this.#unit.map.ofRow(parent);
    if (entry === undefined) throw this.#strange(`from (${property})`);
    const { from, to } = linkOf(this.#model, entry.model, "one", property);
    const referred = to[0]?.property ?? "";
    if (from[0]?.property !== property || to.length !== 1) {
      throw new SpringhouseError(
        "INVALID_ARGUMENT",
        `"${this.#model.name}": ${property} is not a foreign key to "${entry.model.name}".`,
        { fields: { entity: this.#model.name, property } },
      );
    }
    const value = entry.late.has(referred) ? undefined : entry.row[referred];
    return { parent: entry, property: referred, value };
  }

  #strange(what: string): SpringhouseError {
    return new SpringhouseError(
      "INVALID_ARGUMENT",
      `${what} of "${this.#model.name}" takes an object that this unit of work has given out.`,
      { fields: { entity: this.#model.name } },
    );
  }
}

function visible<E extends Entity>({ state, row }: Entry): Mutable<E> | undefined {
  return state === "removed" ? undefined : (row as Mutable<E>);
}
