/**
 * Domain events of rows: `taskCreated`, `taskUpdated`, `taskDeleted`. A write of a detail entity is
 * an event of its base as well, with the base's part of the row.
 */

import type { EntityFacts } from "../schema/facts.ts";
import type { NamedEvent } from "./event-sink.ts";
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

/** A row before and after a change; at least one of them is given. */
export interface Images {
  readonly old?: Row | undefined;
  readonly new?: Row | undefined;
}

/** Raises the events of one row. */
export function raiseChange(scope: Scope, model: Model, change: Change, images: Images): void {
  for (const { name, event } of eventsOf(scope, model, change, images)) {
    scope.events.raise(name, event);
  }
}

/**
 * Raises the events of many rows, in slices and in order. Each row is asked for when its turn
 * comes, and must not be given to anybody else before the promise resolves.
 */
export function raiseChanges(
  scope: Scope,
  model: Model,
  change: Change,
  rows: Iterable<Images>,
): Promise<void> {
  function* events(): Generator<NamedEvent> {
    for (const images of rows) yield* eventsOf(scope, model, change, images);
  }
  return isWanted(scope, model, change) ? scope.events.raiseAll(events()) : Promise.resolve();
}

/** One for the entity and one for its base, as far as somebody wants them. */
function eventsOf(
  scope: Scope,
  model: Model,
  change: Change,
  images: Images,
): readonly NamedEvent[] {
  const own = eventOf(scope, model, change, images);
  const base = baseOf(scope, model);
  if (base === undefined) return own;
  const ofBase = {
    old: projected(base.facts, images.old),
    new: projected(base.facts, images.new),
  };
  return [...own, ...eventOf(scope, base, change, ofBase)];
}

function eventOf(
  { events, actor }: Scope,
  model: Model,
  change: Change,
  { old: before, new: after }: Images,
): readonly NamedEvent[] {
  const name = model.eventName + change;
  if (!events.wants(name)) return [];
  const event: RowEvent = {
    entity: model.name,
    key: model.keyOf(after ?? before ?? {}),
    ...(before === undefined ? {} : { old: structuredClone(before) }),
    ...(after === undefined ? {} : { new: structuredClone(after) }),
    ...(actor === undefined ? {} : { actor }),
  };
  return [{ name, event }];
}

function baseOf({ models }: Scope, { facts }: Model): Model | undefined {
  return facts.base === undefined ? undefined : models.ofFacts(facts.base.facts);
}

function projected({ columns }: EntityFacts, row: Row | undefined): Row | undefined {
  if (row === undefined) return undefined;
  return Object.fromEntries(columns.map(({ property }) => [property, row[property]]));
}
