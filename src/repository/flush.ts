/**
 * Writing a unit of work: inserts, parents before children, then changes, then deletes, children
 * before parents, because a row must not go, and take others along, before they refer to another
 * one. Rows of tables that nothing refers to go first: what is unique about them is free for the
 * inserts then. Everything is checked and allowed before the transaction begins.
 */

import { SpringhouseError } from "../core/errors.ts";
import { ownCopy } from "../core/own-copy.ts";
import { forEachInSlices } from "../core/slices.ts";
import { validateInsert, validatePatch, validationError } from "../schema/validate.ts";
import type { Checked } from "../schema/validate-plan.ts";
import type { CallOptions, SqlValue, UnitOptions } from "../store/store.ts";
import type { Field } from "./field.ts";
import { inLevels, type Placed } from "./flush-order.ts";
import { changesOf, type Entry } from "./identity-map.ts";
import { CHUNK_ROWS, insertChunk } from "./insert.ts";
import type { Model, Row } from "./model.ts";
import { type Narrowing, permissionDenied } from "./permissions.ts";
import { planExists } from "./read.ts";
import { deleteRow } from "./remove.ts";
import { raiseChange } from "./row-events.ts";
import { authorize, type Scope, transact, withReasons } from "./scope.ts";
import { patchRow } from "./update.ts";

/** Stands for a key that is not known yet while the rest of the row is checked. */
const KEY_STANDS_IN = 1;

interface Insertion extends Placed {
  readonly values: Checked;
}

interface Change {
  readonly entry: Entry;
  readonly changes: Row;
  readonly narrowing: Narrowing;
}

interface Deletion extends Placed {
  readonly narrowing: Narrowing;
}

/** What is to be written, in order. */
interface Plan {
  readonly removals: readonly Deletion[];
  readonly inserts: readonly (readonly Insertion[])[];
  readonly updates: readonly Change[];
  readonly deletes: readonly Deletion[];
}

/**
 * Writes all entries in one transaction, then brings the objects up to date.
 *
 * @param expectations is asked when there is something to write.
 */
export async function flush(
  scope: Scope,
  entries: Iterable<Entry>,
  options: CallOptions,
  expectations: () => UnitOptions["expects"],
): Promise<void> {
  const plan = await planOf(scope, entries);
  const written = new Map<Entry, Row>();
  if (Object.values(plan).every(({ length }) => length === 0)) return;
  const expects = expectations();
  await transact(scope, { ...options, deadlineFor: "pauses", expects }, async (inner) => {
    for (const removal of plan.removals) await writeDelete(inner, removal);
    for (const group of plan.inserts) await writeInserts(inner, group, written);
    for (const { entry, changes, narrowing } of plan.updates) {
      const { model, key } = entry;
      written.set(entry, await patchRow(inner, model, key, changes, narrowing, {}));
    }
    for (const deletion of plan.deletes) await writeDelete(inner, deletion);
  });
  await forEachInSlices(written, ([{ row }, now]) => void Object.assign(row, now));
}

async function planOf(scope: Scope, entries: Iterable<Entry>): Promise<Plan> {
  const inserts: Insertion[] = [];
  const updates: Change[] = [];
  const deletes: Deletion[] = [];
  await forEachInSlices(entries, async (entry) => {
    if (entry.state === "added") inserts.push(await insertionOf(scope, entry));
    else if (entry.state === "removed") deletes.push(await deletionOf(scope, entry));
    else {
      const change = await changeOf(scope, entry);
      if (change !== undefined) updates.push(change);
    }
  });
  const tables = scope.models.catalog.creationOrder;
  const ranks = new Map(tables.map((facts, index) => [facts, index]));
  const rank = ({ facts }: Model): number => ranks.get(facts) ?? 0;
  const groups = await inLevels(deletes, { rank, onCircle: () => undefined });
  const ordered = groups.flat().reverse();
  const isFree = unreferred(scope);
  return {
    removals: ordered.filter(({ entry }) => isFree(entry.model)),
    inserts: await inLevels(inserts, { rank, onCircle: refuseCircle }),
    updates: updates.sort((a, b) => rank(a.entry.model) - rank(b.entry.model)),
    deletes: ordered.filter(({ entry }) => !isFree(entry.model)),
  };
}

/** Whether no foreign key leads to the tables of an entity. */
function unreferred({ models }: Scope): (model: Model) => boolean {
  const keys = models.catalog.entities.flatMap(({ foreignKeys }) => foreignKeys);
  const referred = new Set(keys.map(({ table }) => table));
  return ({ parts }) => !parts.some(({ facts }) => referred.has(facts.table));
}

/** The object may have been changed since it was added, so it is checked now. */
async function insertionOf(scope: Scope, entry: Entry): Promise<Insertion> {
  const { model, late } = entry;
  const row = ownCopy(entry.row);
  await authorize(scope, model, { action: "create", changes: row });
  const checked = validateInsert(model.facts, withStandIns(row, late.keys()), scope.validation);
  const values = await checked;
  const storedOf = ({ property, encode }: Field): SqlValue | undefined =>
    late.has(property) || values[property] === undefined ? undefined : encode(values[property]);
  return { entry, values, storedOf };
}

async function changeOf(scope: Scope, entry: Entry): Promise<Change | undefined> {
  const { model, key } = entry;
  const changes = ownCopy(changesOf(entry));
  if (Object.keys(changes).length === 0) return undefined;
  refuseUndefined(model, changes);
  await validatePatch(model.facts, changes, scope.validation);
  const narrowing = await authorize(scope, model, { action: "update", key, changes });
  return { entry, changes, narrowing };
}

/** A patch takes undefined for untouched; here somebody has taken a value away. */
function refuseUndefined(model: Model, changes: Row): void {
  const issues = Object.entries(changes)
    .filter(([property, value]) => value === undefined && model.byProperty.has(property))
    .map(([property]) => ({ path: [property], message: "is undefined; give null for NULL" }));
  if (issues.length > 0) throw validationError(model.facts, issues);
}

async function deletionOf(scope: Scope, entry: Entry): Promise<Deletion> {
  const { model, key, snapshot } = entry;
  const narrowing = await authorize(scope, model, { action: "delete", key });
  const storedOf = ({ property }: Field): SqlValue | undefined =>
    snapshot[model.fields.findIndex((each) => each.property === property)];
  return { entry, narrowing, storedOf };
}

/** A row that is gone is as it should be; one that is still there was not ours to delete. */
async function writeDelete(scope: Scope, { entry, narrowing }: Deletion): Promise<void> {
  const { model, key } = entry;
  if (await deleteRow(scope, model, key, narrowing, {})) return;
  if (narrowing === undefined) return;
  const exists = planExists(scope, model, model.keyValues(key), undefined, {});
  if (!(await exists.run())) return;
  const { actor } = scope;
  throw permissionDenied(model, { entity: model.name, action: "delete", key, actor });
}

/** The row with something in the place of each key that is not known yet. */
export function withStandIns(row: Row, properties: Iterable<string>): Row {
  const standIns = [...properties].map((property) => [property, KEY_STANDS_IN]);
  return { ...row, ...Object.fromEntries(standIns) };
}

/** Rows of one level: what they refer to has been written. */
async function writeInserts(
  scope: Scope,
  group: readonly Insertion[],
  written: Map<Entry, Row>,
): Promise<void> {
  for (let at = 0; at < group.length; at += CHUNK_ROWS) {
    const batch = group.slice(at, at + CHUNK_ROWS);
    const { model } = (batch[0] as Insertion).entry;
    const values = batch.map((insertion) => withLateKeys(insertion, written));
    const rows = await withReasons(scope, model, () => insertChunk(scope, model, values));
    rows.forEach((row, index) => {
      written.set((batch[index] as Insertion).entry, row);
      raiseChange(scope, model, "Created", { new: row });
    });
  }
}

function withLateKeys({ entry, values }: Insertion, written: ReadonlyMap<Entry, Row>): Checked {
  if (entry.late.size === 0) return values;
  const known = [...entry.late].map(([property, { parent, property: referred }]) => {
    const row = written.get(parent);
    if (row !== undefined) return [property, row[referred]];
    throw lateKeyMissing(entry.model, property);
  });
  return { ...values, ...Object.fromEntries(known) };
}

function lateKeyMissing(model: Model, property: string): SpringhouseError {
  return new SpringhouseError(
    "INVALID_ARGUMENT",
    `"${model.name}": the row that ${property} refers to was removed from the unit of work.`,
    { fields: { entity: model.name, property } },
  );
}

function refuseCircle({ entry: { model } }: Insertion): never {
  throw new SpringhouseError(
    "INVALID_ARGUMENT",
    `"${model.name}": rows that are added refer to each other in a circle, so none can be the ` +
      "first. Add one of them with null, commit, and set its reference afterwards.",
    { fields: { entity: model.name } },
  );
}
