import { describe, expect, it, onTestFinished } from "vitest";
import { count, entity, max, open, rollup, sum, t } from "../../src/index.ts";
import { temporaryPath } from "../sqlite/support.ts";
import { openPlainly } from "./support.ts";

const Task = entity("tasks", {
  id: t.int().primaryKey(),
  weekId: t.int().index(),
  project: t.text().default(""),
  seconds: t.int().default(0),
  note: t.text().default(""),
});
const Statistics = rollup("week_statistics", Task, {
  by: { week: Task.weekId },
  measures: { tasks: count(), total: sum(Task.seconds), longest: max(Task.seconds) },
});
const Breakdown = rollup("week_projects", Task, {
  by: { weekId: Task.weekId, project: { column: Task.project, collate: "nocase" } },
  measures: { total: sum(Task.seconds) },
  where: "seconds > 0",
});

async function openStatistics() {
  const path = temporaryPath();
  const db = await open({
    url: `sqlite:///${path}`,
    entities: [Task],
    rollups: [Statistics, Breakdown],
    cache: { freshness: "strict" },
  });
  onTestFinished(() => db.close());
  await db.repository(Task).createMany([
    { id: 1, weekId: 1, project: "Atlas", seconds: 10 },
    { id: 2, weekId: 2, project: "Atlas", seconds: 20 },
  ]);
  return { db, path };
}

describe("a cached function that reads a rollup", () => {
  it("is dropped by what changes the group that it read, and by nothing else", async () => {
    const { db, path } = await openStatistics();
    const week = db.cached("week", (q, id: number) =>
      q.selectFrom("week_statistics").selectAll().where("week", "=", id).executeTakeFirst(),
    );
    expect(await week(1)).toMatchObject({ tasks: 1, total: 10, longest: 10 });

    await db.repository(Task).create({ id: 3, weekId: 2, seconds: 5 });
    await db.repository(Task).patch(1, { note: "of no matter", project: "Borealis" });
    expect(week.peek(1)).toMatchObject({ total: 10 });
    expect(week.explain(1).reads).toEqual(["tasks(week_id, id, seconds) where week_id = 1"]);

    openPlainly(path).exec("REPLACE INTO tasks VALUES (2, 1, 'Atlas', 7, '')");
    expect(week.peek(1)).toBe(undefined);
    expect(await week(1)).toMatchObject({ tasks: 2, total: 17 });
    openPlainly(path).exec("UPDATE tasks SET week_id = 9 WHERE id = 2");
    expect(await week(1)).toMatchObject({ tasks: 1, total: 10 });
  });

  it("is kept when it reads by plain SQL, by table", async () => {
    const { db } = await openStatistics();
    const all = db.cached("all", () =>
      db.execute("SELECT sum(total) AS total FROM week_statistics NATURAL JOIN week_statistics"),
    );
    expect((await all()).rows).toEqual([{ total: 30 }]);
    expect(all.explain()).toMatchObject({ tier: "memory", reads: ["tasks(*)"] });

    await db.repository(Task).patch(1, { seconds: 0 });

    expect(all.peek()).toBe(undefined);
    expect((await all()).rows).toEqual([{ total: 20 }]);
  });

  it("does not take a key that is not told by bytes for the column", async () => {
    const { db } = await openStatistics();
    const atlas = db.cached("atlas", (q, project: string) =>
      q.selectFrom("week_projects").selectAll().where("project", "=", project).execute(),
    );
    expect(await atlas("Atlas")).toHaveLength(2);

    await db.repository(Task).create({ id: 4, weekId: 1, project: "ATLAS", seconds: 1 });

    expect(await atlas("Atlas")).toMatchObject([{ total: 11 }, { total: 20 }]);
  });
});
