/** Databases whose repositories keep what they read, beside the same without a cache. */

import { expect, onTestFinished } from "vitest";
import { entity, open, t } from "../../src/index.ts";
import type { OpenOptions } from "../../src/open/options.ts";
import { nextTurn } from "../coherence/support.ts";
import { temporaryPath } from "../sqlite/support.ts";

export const Week = entity("weeks", { id: t.int().primaryKey(), label: t.text() });
export const Task = entity("tasks", {
  id: t.int().primaryKey(),
  weekId: t.int().references("weeks.id", { onDelete: "cascade" }).index(),
  title: t.text().default(""),
  score: t.int().nullable(),
  ratio: t.real().nullable(),
  dueOn: t.date().nullable(),
  extra: t.json<unknown>().nullable(),
});
export const Note = entity("notes", {
  id: t.int().primaryKey(),
  at: t.timestamp().defaultNow(),
  bytes: t.blob().nullable(),
});
export const Media = entity("media", {
  id: t.uuid().primaryKey().defaultRandom(),
  type: t.enum(["movie", "series"]),
  title: t.text().default(""),
});
export const Movie = entity(
  "movies",
  { year: t.int().nullable() },
  { base: { entity: Media, set: { type: "movie" } } },
);

export const entities = [Week, Task, Note, Media, Movie] as const;
type Options = Pick<Partial<OpenOptions<typeof entities>>, "cache" | "permissions">;

/** Reads of repositories after which there is a cache, and somewhat more. */
const READS = 20;

/** Two opens of one file, with a cache and without, and two weeks with three tasks each. */
export async function openBoth(options: Options = {}, path = temporaryPath()) {
  const url = `sqlite:///${path}`;
  const plain = await open({ url, entities, cache: false });
  onTestFinished(() => plain.close());
  const db = await open({ url, entities, ...options });
  onTestFinished(() => db.close());
  await plain.repository(Week).createMany([
    { id: 1, label: "one" },
    { id: 2, label: "two" },
  ]);
  await plain
    .repository(Task)
    .createMany(
      [1, 1, 1, 2, 2, 2].map((weekId, at) => ({ weekId, title: "abc"[at % 3] as string })),
    );
  return { db, plain, path };
}

export type Db = Awaited<ReturnType<typeof openBoth>>["db"];

/** Reads until what is read is kept, for which a log is made first; at most so many turns. */
export async function untilKept(db: Db, turnsMax = 100_000): Promise<boolean> {
  const weeks = db.repository(Week);
  for (let turn = 0; turn < turnsMax; turn++) {
    for (let read = turn; read < READS; read++) await weeks.get(1);
    const row = await weeks.get(1);
    if (row === (await weeks.get(1))) return true;
    await nextTurn();
  }
  return false;
}

export async function openKept(options: Options = {}) {
  const opened = await openBoth(options);
  expect(await untilKept(opened.db)).toBe(true);
  return { ...opened, tasks: opened.db.repository(Task), weeks: opened.db.repository(Week) };
}
