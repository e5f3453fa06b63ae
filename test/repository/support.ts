/** Entities and open databases for the tests of repositories. */

import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { withAudit } from "../../src/capture/audit.ts";
import type { Clock } from "../../src/core/clock.ts";
import type { EventSink, NamedEvent } from "../../src/repository/event-sink.ts";
import { Models } from "../../src/repository/models.ts";
import { Repository } from "../../src/repository/repository.ts";
import type { Scope } from "../../src/repository/scope.ts";
import { createCatalog } from "../../src/schema/catalog.ts";
import { t } from "../../src/schema/column.ts";
import { createStatements, physicalSchema } from "../../src/schema/ddl.ts";
import { entity } from "../../src/schema/entity.ts";
import type { Entity } from "../../src/schema/types.ts";
import { openSqliteStore } from "../../src/store/sqlite/store.ts";
import type { Session, Statement, Store } from "../../src/store/store.ts";
import { openDirectStore } from "../support/direct-store.ts";

export const Week = entity("weeks", {
  id: t.int().primaryKey(),
  label: t.text({ maxLength: 100 }).unique().column("week_label"),
});

export const Task = entity(
  "tasks",
  {
    id: t.int().primaryKey(),
    weekId: t.int().references("weeks.id", { onDelete: "cascade" }).index(),
    title: t.text({ minLength: 1, maxLength: 200 }),
    state: t.enum(["open", "done"]).default("open"),
    score: t.int({ min: 0, max: 100 }).default(0),
    ratio: t.real().nullable(),
    isPaid: t.boolean().default(false),
    dueOn: t.date().nullable(),
    extra: t.json<unknown>().nullable(),
    createdAt: t.timestamp().defaultNow(),
    updatedAt: t.timestamp().defaultNow().onUpdateNow(),
  },
  { uniques: [{ on: ["weekId", "title"] }], audit: true, search: ["title"] },
);

export const Member = entity(
  "task_members",
  {
    taskId: t.int().references("tasks.id", { onDelete: "cascade" }),
    name: t.text(),
    role: t.text().nullable(),
  },
  { primaryKey: ["taskId", "name"] },
);

export const Media = entity("media", {
  id: t.uuid().primaryKey().defaultRandom(),
  type: t.enum(["movie", "series", "episode"]),
  title: t.text({ minLength: 1, maxLength: 500, trim: true }),
  status: t.enum(["pending", "ready"]).default("pending"),
  updatedAt: t.timestamp().defaultNow().onUpdateNow(),
});

export const Movie = entity(
  "movies",
  { year: t.int().nullable(), director: t.text().default("") },
  { base: { entity: Media, set: { type: "movie" } } },
);

export const Vehicle = entity("vehicles", {
  id: t.int().primaryKey(),
  kind: t.text(),
  plate: t.text().unique(),
});

export const Car = entity(
  "cars",
  { doors: t.int().default(4), ownerId: t.uuid().nullable().references("media.id") },
  { base: { entity: Vehicle, set: { kind: "car" } } },
);

export const entities = [Week, Task, Member, Media, Movie, Vehicle, Car] as const;
export const catalog = createCatalog(entities);

/** A clock that stands still until it is told to move. */
export class TestClock implements Clock {
  ms = Date.UTC(2025, 10, 20);
  nowMs(): number {
    return this.ms;
  }
  monotonicMs(): number {
    return this.ms;
  }
  schedule(): Disposable {
    throw new Error("Nothing here waits.");
  }
}

/** An open database with all tables. */
export interface Fixture extends AsyncDisposable {
  readonly store: Store;
  readonly scope: Scope;
  readonly clock: TestClock;
  /** Statements since the last look, in order: one entry for each read, write and stream. */
  readonly statements: string[];
  /** Events raised, in order. */
  readonly events: NamedEvent[];
  /** Empties all tables but the audit log, and forgets statements and events. */
  clear(): Promise<void>;
  of<E extends Entity>(declared: E, change?: Partial<Scope>): Repository<E>;
}

export type StoreKind = "direct" | "sqlite";

export const storeKinds: readonly StoreKind[] = ["direct", "sqlite"];

export async function openFixture(kind: StoreKind = "direct"): Promise<Fixture> {
  const folder = await mkdtemp(join(tmpdir(), "springhouse-repository-"));
  const store =
    kind === "direct"
      ? openDirectStore(":memory:")
      : await openSqliteStore({ url: `sqlite:${join(folder, "test.db")}` });
  const schema = withAudit(physicalSchema(catalog, "sqlite"), catalog);
  await store.write(createStatements(schema).map((sql) => ({ sql, parameters: [] })));
  const clock = new TestClock();
  const statements: string[] = [];
  const events: NamedEvent[] = [];
  const scope: Scope = {
    session: recorded(store, statements),
    models: new Models(catalog, "sqlite"),
    limits: { size: 50, sizeMax: 1_000 },
    events: sinkOf((event) => events.push(event)),
    hasOwnEvents: true,
    validation: { clock, randomUuid: randomUUID },
    actor: undefined,
    permissions: undefined,
  };
  return {
    store,
    scope,
    clock,
    statements,
    events,
    async clear() {
      const tables = catalog.creationOrder.toReversed().map((facts) => facts.table);
      await store.write(tables.map((table) => ({ sql: `DELETE FROM ${table}`, parameters: [] })));
      statements.length = 0;
      events.length = 0;
    },
    of: (declared, change) => new Repository(declared, { ...scope, ...change }),
    async [Symbol.asyncDispose]() {
      await store.close();
      await rm(folder, { recursive: true });
    },
  };
}

/** Takes all events, or what `isListened` says. */
export function sinkOf(take: (event: NamedEvent) => void, isListened = true): EventSink {
  return {
    wants: () => isListened,
    raise: (name, event) => take({ name, event }),
    async raiseAll(events) {
      for (const event of events) take(event);
    },
  };
}

/** The same session, with every statement written down. */
function recorded(session: Session, statements: string[]): Session {
  const note = ({ sql }: Statement): void => void statements.push(sql);
  return {
    dialect: session.dialect,
    isWrite: (sql) => session.isWrite(sql),
    read(statement, options) {
      note(statement);
      return session.read(statement, options);
    },
    stream(statement, options) {
      note(statement);
      return session.stream(statement, options);
    },
    write(unit, options) {
      unit.forEach(note);
      return session.write(unit, options);
    },
    writeMany(sql, rows, options) {
      statements.push(sql);
      return session.writeMany(sql, rows, options);
    },
    transaction: (run, options) =>
      session.transaction(
        (inner) => run({ ...recorded(inner, statements), depth: inner.depth }),
        options,
      ),
  };
}
