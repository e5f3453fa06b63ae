/**
 * Writing a unit of work: inserts, parents before children, then changes, then deletes, children
 * before parents. Everything is checked and allowed before the transaction begins.
 */

import { SpringhouseError } from "../core/errors.ts";
import { validateInsert, validatePatch } from "../schema/validate.ts";
import type { Checked } from "../schema/validate-plan.ts";
import type { CallOptions } from "../store/store.ts";
import { changesOf, type Entry } from "./identity-map.ts";
import { CHUNK_ROWS, insertChunk } from "./insert.ts";
import type { Model, Row } from "./model.ts";
import type { Narrowing } from "./permissions.ts";
import { deleteRow } from "./remove.ts";
import { raiseChange } from "./row-events.ts";
import { authorize, type Scope, transact, withReasons } from "./scope.ts";
import { patchRow } from "./update.ts";

/** Stands for a key that is not known yet while the rest of the row is checked. */
const KEY_STANDS_IN = 1;

interface Insertion {
  readonly entry: Entry;
  readonly values: Checked;
}

interface Change {
  readonly entry: Entry;
  readonly changes: Row;
  readonly narrowing: Narrowing;
}

/** What is to be written, in order. */
interface Plan {
  readonly inserts: readonly Insertion[];
  readonly updates: readonly Change[];
  readonly deletes: readonly Change[];
}

/** Writes all entries in one transaction, then brings the objects up to date. */
export async function flush(
  scope: Scope,
  entries: readonly Entry[],
  options: CallOptions,
): Promise<void> {
  const plan = await planOf(scope, entries);
  const written = new Map<Entry, Row>();
  await transact(scope, options, async (inner) => {
    await writeInserts(inner, plan.inserts, written);
    for (const { entry, changes, narrowing } of plan.updates) {
      const { model, key } = entry;
      written.set(entry, await patchRow(inner, model, key, changes, narrowing, {}));
    }
    for (const { entry, narrowing } of plan.deletes) {
      await deleteRow(inner, entry.model, entry.key, narrowing, {});
    }
  });
  for (const [{ row }, now] of written) Object.assign(row, now);
}

async function planOf(scope: Scope, entries: readonly Entry[]): Promise<Plan> {
  const order = new Map(scope.models.catalog.creationOrder.map((facts, index) => [facts, index]));
  const rank = ({ model }: Entry): number => order.get(model.facts) ?? 0;
  const inOrder = [...entries].sort((a, b) => rank(a) - rank(b));
  const inserts: Insertion[] = [];
  const updates: Change[] = [];
  const deletes: Change[] = [];
  for (const entry of inOrder) {
    if (entry.state === "added") inserts.push(await insertionOf(scope, entry));
    else if (entry.state === "removed") deletes.unshift(await deletionOf(scope, entry));
    else {
      const change = await changeOf(scope, entry);
      if (change !== undefined) updates.push(change);
    }
  }
  return { inserts, updates, deletes };
}

/** The object may have been changed since it was added, so it is checked now. */
async function insertionOf(scope: Scope, entry: Entry): Promise<Insertion> {
  const { model, row } = entry;
  await authorize(scope, model, { action: "create", changes: row });
  const values = await validateInsert(
    model.facts,
    withStandIns(row, entry.late.keys()),
    scope.validation,
  );
  return { entry, values };
}

async function changeOf(scope: Scope, entry: Entry): Promise<Change | undefined> {
  const { model, key } = entry;
  const changes = changesOf(entry);
  if (Object.keys(changes).length === 0) return undefined;
  await validatePatch(model.facts, changes, scope.validation);
  const narrowing = await authorize(scope, model, { action: "update", key, changes });
  return { entry, changes, narrowing };
}

async function deletionOf(scope: Scope, entry: Entry): Promise<Change> {
  const { model, key } = entry;
  return {
    entry,
    changes: {},
    narrowing: await authorize(scope, model, { action: "delete", key }),
  };
}

/** The row with something in the place of each key that is not known yet. */
export function withStandIns(row: Row, properties: Iterable<string>): Row {
  const standIns = [...properties].map((property) => [property, KEY_STANDS_IN]);
  return { ...row, ...Object.fromEntries(standIns) };
}

/** Rows of one entity go together, unless one of them refers to another. */
async function writeInserts(
  scope: Scope,
  inserts: readonly Insertion[],
  written: Map<Entry, Row>,
): Promise<void> {
  const byRow = new Map<Row, Entry>(inserts.map(({ entry }) => [entry.row, entry]));
  let batch: Insertion[] = [];
  for (const insertion of inserts) {
    const { entry } = insertion;
    const isSameEntity = batch[0] === undefined || batch[0].entry.model === entry.model;
    const needsBatch = [...entry.late.values()].some(({ parent }) =>
      batch.some((each) => each.entry.row === parent),
    );
    if (!isSameEntity || needsBatch || batch.length >= CHUNK_ROWS) {
      await writeBatch(scope, batch, written);
      batch = [];
    }
    batch.push({ entry, values: withLateKeys(insertion, byRow, written) });
  }
  await writeBatch(scope, batch, written);
}

async function writeBatch(
  scope: Scope,
  batch: readonly Insertion[],
  written: Map<Entry, Row>,
): Promise<void> {
  const model = batch[0]?.entry.model;
  if (model === undefined) return;
  const values = batch.map((insertion) => insertion.values);
  const rows = await withReasons(scope, model, () => insertChunk(scope, model, values));
  rows.forEach((row, index) => {
    written.set((batch[index] as Insertion).entry, row);
    raiseChange(scope, model, "Created", { new: row });
  });
}

function withLateKeys(
  { entry, values }: Insertion,
  byRow: ReadonlyMap<Row, Entry>,
  written: ReadonlyMap<Entry, Row>,
): Checked {
  const known = [...entry.late].map(([property, { parent, property: referred }]) => {
    const parentEntry = byRow.get(parent);
    const row = parentEntry === undefined ? undefined : written.get(parentEntry);
    if (row !== undefined) return [property, row[referred]];
    throw lateKeyMissing(entry.model, property);
  });
  return { ...values, ...Object.fromEntries(known) };
}

function lateKeyMissing(model: Model, property: string): SpringhouseError {
  return new SpringhouseError(
    "INVALID_ARGUMENT",
    `"${model.name}": the row that ${property} refers to is not written before this one. ` +
      "It was removed from the unit of work, or the two refer to each other.",
    { fields: { entity: model.name, property } },
  );
}
