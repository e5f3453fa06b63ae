import { DatabaseSync } from "node:sqlite";
import { onTestFinished } from "vitest";
import { entity, open, t } from "../../src/index.ts";
import type { CachingOptions } from "../../src/open/caching-options.ts";
import { temporaryPath } from "../sqlite/support.ts";

export const Week = entity("weeks", {
  id: t.int().primaryKey(),
  label: t.text().default(""),
});

export const Task = entity("tasks", {
  id: t.int().primaryKey(),
  weekId: t.int().references("weeks.id", { onDelete: "cascade" }).index(),
  project: t.text().default(""),
  seconds: t.int().default(0),
});

/** A database with two weeks, 1 and 2, of two tasks each; closed when the test is over. */
export async function openWeeks(cache: CachingOptions = {}, path = temporaryPath()) {
  const db = await open({ url: `sqlite:///${path}`, entities: [Week, Task], cache });
  onTestFinished(() => db.close());
  await db.repository(Week).createMany([{ id: 1 }, { id: 2 }]);
  await db.repository(Task).createMany([
    { id: 1, weekId: 1, project: "Atlas", seconds: 10 },
    { id: 2, weekId: 1, project: "Borealis", seconds: 20 },
    { id: 3, weekId: 2, project: "Atlas", seconds: 30 },
    { id: 4, weekId: 2, project: "Cygnus", seconds: 40 },
  ]);
  return { db, path };
}

/** A connection that knows nothing of Springhouse. */
export function openPlainly(path: string): DatabaseSync {
  // Our writer may be at work in the background.
  const connection = new DatabaseSync(path, { timeout: 10_000 });
  onTestFinished(() => {
    if (connection.isOpen) connection.close();
  });
  return connection;
}

/** Ends the turn of the event loop. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
