/**
 * Domain events of rows: `taskCreated`, `taskUpdated`, `taskDeleted`. A write of a detail entity is
 * an event of its base as well, with the base's part of the row.
 */

import type { EntityFacts } from "../schema/facts.ts";
import type { Model, Row } from "./model.ts";
import type { Scope } from "./scope.ts";

/** What happened to a row, as the end of an event's name. */
export type Change = "Created" | "Updated" | "Deleted";

/**
 * What listeners get. `old` is absent for a creation, `new` for a deletion. Both are copies: what a
 * listener does to them reaches nobody else's row.
 */
export interface RowEvent {
  /** Name of the entity: its table. */
  readonly entity: string;
  readonly key: unknown;
  readonly old?: Row;
  readonly new?: Row;
  /** Who did it: `db.as(user)`. */
  readonly actor?: string;
}

/** Whether anybody listens to this change of this entity, or of its base. */
export function isWanted(scope: Scope, model: Model, change: Change): boolean {
  const base = baseOf(scope, model);
  return (
    scope.events.wants(model.eventName + change) ||
    (base !== undefined && scope.events.wants(base.eventName + change))
  );
}

/** Raises the events of one row. At least one of the images is given. */
export function raiseChange(
  scope: Scope,
  model: Model,
  change: Change,
  images: { readonly old?: Row | undefined; readonly new?: Row | undefined },
): void {
  raise(scope, model, change, images.old, images.new);
  const base = baseOf(scope, model);
  if (base === undefined) return;
  const [before, after] = [projected(base.facts, images.old), projected(base.facts, images.new)];
  raise(scope, base, change, before, after);
}

function raise(
  { events, actor }: Scope,
  model: Model,
  change: Change,
  before: Row | undefined,
  after: Row | undefined,
): void {
  const name = model.eventName + change;
  if (!events.wants(name)) return;
  const event: RowEvent = {
    entity: model.name,
    key: model.keyOf(after ?? before ?? {}),
    ...(before === undefined ? {} : { old: structuredClone(before) }),
    ...(after === undefined ? {} : { new: structuredClone(after) }),
    ...(actor === undefined ? {} : { actor }),
  };
  events.raise(name, event);
}

function baseOf({ models }: Scope, { facts }: Model): Model | undefined {
  return facts.base === undefined ? undefined : models.ofFacts(facts.base.facts);
}

function projected({ columns }: EntityFacts, row: Row | undefined): Row | undefined {
  if (row === undefined) return undefined;
  return Object.fromEntries(columns.map(({ property }) => [property, row[property]]));
}
