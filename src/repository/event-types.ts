/** The events of a database, by name: what `db.on("taskCreated", …)` knows about its listener. */

import type { definition, Entity, KeyOf, RowOf } from "../schema/types.ts";
import type { EventName } from "./event-names.ts";

/** Names in events by table, where the singular of the table is not right. */
export type EventNames = Readonly<Record<string, string>>;

/** What a listener of `taskCreated` gets. */
export interface CreatedEvent<E extends Entity> extends EventSubject<E> {
  readonly new: RowOf<E>;
}

/** What a listener of `taskUpdated` gets. */
export interface UpdatedEvent<E extends Entity> extends EventSubject<E> {
  readonly old: RowOf<E>;
  readonly new: RowOf<E>;
}

/** What a listener of `taskDeleted` gets. */
export interface DeletedEvent<E extends Entity> extends EventSubject<E> {
  readonly old: RowOf<E>;
}

interface EventSubject<E extends Entity> {
  /** Name of the entity: its table. */
  readonly entity: string;
  readonly key: KeyOf<E>;
  /** Who did it: `db.as(user)`. */
  readonly actor?: string;
}

/** All events of these entities, and those that the program raises itself. */
export type EventsOf<
  Entities extends readonly Entity[],
  // biome-ignore lint/complexity/noBannedTypes: it is the empty set of names, not any object.
  Names extends EventNames = {},
> = {
  readonly [E in Entities[number] as `${NameOf<E, Names>}Created`]: CreatedEvent<E>;
} & {
  readonly [E in Entities[number] as `${NameOf<E, Names>}Updated`]: UpdatedEvent<E>;
} & {
  readonly [E in Entities[number] as `${NameOf<E, Names>}Deleted`]: DeletedEvent<E>;
};

type TableOf<E extends Entity> = E[typeof definition]["types"]["table"];

type NameOf<E extends Entity, Names extends EventNames> =
  TableOf<E> extends keyof Names ? Names[TableOf<E>] : EventName<TableOf<E>>;
