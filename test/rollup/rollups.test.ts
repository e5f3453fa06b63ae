/** Rollups of an open database: read like entities, checked, made anew. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, expectTypeOf, it } from "vitest";
import { open } from "../../src/open.ts";
import { t } from "../../src/schema/column.ts";
import { entity } from "../../src/schema/entity.ts";
import { avg, count, countDistinct, max, sum, topK } from "../../src/schema/measure.ts";
import { rollup } from "../../src/schema/rollup.ts";
import type { KeyOf, RowOf, TablesOf } from "../../src/schema/types.ts";

const Week = entity("weeks", { id: t.int().primaryKey() });
const Task = entity("tasks", {
  id: t.int().primaryKey(),
  weekId: t.int().nullable().references("weeks.id", { onDelete: "cascade" }).index(),
  projectName: t.text().default(""),
  durationSeconds: t.int().default(0),
  score: t.real().nullable(),
  createdAt: t.timestamp().defaultNow(),
});
const WeekStatistics = rollup("week_statistics", Task, {
  by: { weekId: Task.weekId },
  measures: {
    totalTasks: count(),
    totalDurationSeconds: sum(Task.durationSeconds),
    avgScore: avg(Task.score),
    newest: max(Task.createdAt),
    longest: topK(Task.durationSeconds, 2, { of: Task.projectName }),
  },
});
const ProjectStatistics = rollup("project_statistics", Task, {
  by: { projectName: Task.projectName, weekId: Task.weekId },
  measures: { tasks: count(), scores: countDistinct(Task.score) },
  where: "duration_seconds > 0",
});

type Db = Awaited<ReturnType<typeof openDb>>;

let folder: string;
let path: string;
let db: Db;

function openDb() {
  return open({
    url: `sqlite:${path}`,
    entities: [Week, Task],
    rollups: [WeekStatistics, ProjectStatistics],
  });
}

/** Another program, which knows nothing of rollups. */
function foreign(sql: string): void {
  using other = new DatabaseSync(path);
  other.exec(sql);
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "springhouse-rollup-"));
  path = join(folder, "app.db");
  db = await openDb();
  await db.repository(Week).createMany([{ id: 1 }, { id: 2 }]);
});
afterEach(async () => {
  await db.close();
  rmSync(folder, { recursive: true });
});

async function fill(rows = 300): Promise<void> {
  const tasks = Array.from({ length: rows }, (_, index) => ({
    weekId: index % 3 === 0 ? null : index % 3,
    projectName: `p${index % 7}`,
    durationSeconds: index,
    score: index / 10,
  }));
  await db.repository(Task).createMany(tasks);
}

const ok = { ok: true, problems: [], wrong: [], isCut: false };

describe("a rollup", () => {
  it("is read by its key, as a list and through Kysely, with the types of its source", async () => {
    const at = new Date("2025-01-02T03:04:05.678Z");
    const tasks = db.repository(Task);
    await tasks.create({
      weekId: 1,
      projectName: "a",
      durationSeconds: 5,
      score: 1,
      createdAt: at,
    });
    await tasks.create({ weekId: 1, projectName: "b", durationSeconds: 7, createdAt: at });
    await tasks.create({ projectName: "c", createdAt: at });

    const week = await db.repository(WeekStatistics).get(1);
    const all = await db.repository(WeekStatistics).list({ orderBy: { totalTasks: "desc" } });
    const nobody = await db.repository(WeekStatistics).list({ where: { weekId: null } });
    const rows = await db.query
      .selectFrom("week_statistics")
      .select(["week_id", "total_tasks", "newest", "longest"])
      .where("week_id", "=", 1)
      .execute();

    expect(week).toEqual({
      weekId: 1,
      totalTasks: 2,
      totalDurationSeconds: 12,
      avgScore: 1,
      newest: at,
      longest: ["b", "a"],
    });
    expect(all.map(({ weekId }) => weekId)).toEqual([1, null]);
    expect(nobody).toMatchObject([{ totalTasks: 1, avgScore: null }]);
    expect(rows).toEqual([
      { week_id: 1, total_tasks: 2, newest: at.getTime(), longest: '["b","a"]' },
    ]);
    expectTypeOf(rows[0]?.newest).toEqualTypeOf<number | undefined>();
    expectTypeOf<KeyOf<typeof WeekStatistics>>().toEqualTypeOf<number>();
    expectTypeOf<RowOf<typeof WeekStatistics>>().toEqualTypeOf<{
      readonly weekId: number | null;
      readonly totalTasks: number;
      readonly totalDurationSeconds: number;
      readonly avgScore: number | null;
      readonly newest: Date;
      readonly longest: readonly string[];
    }>();
    type Sql = TablesOf<[typeof WeekStatistics]>["week_statistics"];
    expectTypeOf<keyof Sql>().toEqualTypeOf<
      "week_id" | "total_tasks" | "total_duration_seconds" | "avg_score" | "newest" | "longest"
    >();
  });

  it("pages through its groups, those of NULL among them", async () => {
    await fill();
    const found: (number | null)[] = [];
    let cursor: string | undefined;

    do {
      const page = await db
        .repository(WeekStatistics)
        .page({ limit: 1, ...(cursor === undefined ? {} : { cursor }) });
      found.push(...page.rows.map(({ weekId }) => weekId));
      cursor = page.next;
    } while (cursor !== undefined);

    expect(found).toEqual([null, 1, 2]);
  });

  it("loses a group with its rows, by cascade too", async () => {
    await fill();

    await db.repository(Week).delete(1);

    expect(await db.repository(WeekStatistics).get(1)).toBeUndefined();
    expect(await db.rollups.verify()).toMatchObject([ok, ok]);
  });

  it("is rolled back with the write", async () => {
    await fill();
    const before = await db.repository(WeekStatistics).list();

    const failed = db.transaction(async (tx) => {
      await tx.repository(Task).deleteMany({});
      expect(await tx.repository(WeekStatistics).list()).toEqual([]);
      throw new Error("no");
    });

    await expect(failed).rejects.toThrow("no");
    expect(await db.repository(WeekStatistics).list()).toEqual(before);
  });

  it("refuses to be written", async () => {
    const repository = db.repository(WeekStatistics);
    const refusal = { code: "INVALID_ARGUMENT", message: expect.stringContaining('write "tasks"') };

    await expect(repository.create({} as never)).rejects.toMatchObject(refusal);
    await expect(repository.deleteMany({})).rejects.toMatchObject(refusal);
    await using unit = db.unitOfWork();
    expect(() => unit.repository(WeekStatistics)).toThrow(/is a rollup/);
    await unit.rollback();
  });

  it("raises when a sum does not fit, and only for who reads the sum", async () => {
    foreign(`INSERT INTO tasks (week_id, duration_seconds) VALUES
      (1, 9223372036854775807), (1, 1), (2, 5)`);

    await expect(db.repository(WeekStatistics).get(1)).rejects.toThrow(/integer overflow/);
    expect(await db.repository(WeekStatistics).get(2)).toMatchObject({ totalDurationSeconds: 5 });
    expect(await db.repository(WeekStatistics).count()).toBe(2);
    foreign("UPDATE tasks SET duration_seconds = 7 WHERE id = 1");
    expect(await db.repository(WeekStatistics).get(1)).toMatchObject({ totalDurationSeconds: 8 });
  });
});

describe("verify", () => {
  it("finds nothing after writes of a program that knows nothing of rollups", async () => {
    await fill();

    foreign(`REPLACE INTO tasks SELECT id, 2, 'x', 1, 0.5, 0 FROM tasks WHERE id < 50;
      UPDATE tasks SET week_id = 1 WHERE week_id IS NULL; DELETE FROM tasks WHERE id % 9 = 0`);

    expect(await db.rollups.verify()).toMatchObject([
      { name: "week_statistics", ...ok },
      { name: "project_statistics", ...ok },
    ]);
    expect((await db.rollups.state()).map(({ state }) => state)).toEqual(["kept", "kept"]);
  });

  it("names every group that somebody has altered, added or taken away", async () => {
    await fill();

    foreign(`UPDATE springhouse_rollup_week_statistics SET ".rows" = 5 WHERE week_id = 1;
      DELETE FROM springhouse_rollup_week_statistics WHERE week_id IS NULL;
      INSERT INTO springhouse_rollup_week_statistics (week_id, ".rows") VALUES (7, 'many');
      UPDATE "springhouse_rollup_project_statistics.scores" SET ".rows" = 9
        WHERE project_name = 'p1' AND week_id = 1 AND ".value" = 0.1`);

    const [week, project] = await db.rollups.verify();

    expect(week?.wrong.map(({ key }) => key["week_id"]).sort()).toEqual([1, 7, null]);
    const added = week?.wrong.find(({ key }) => key["week_id"] === 7);
    expect(added).toMatchObject({ kept: { ".rows": "many" }, actual: undefined });
    expect(project).toMatchObject({
      ok: false,
      wrong: [{ key: { project_name: "p1", week_id: 1 }, kept: { ".rows": 9 } }],
    });
  });

  it("refuses a name that is no rollup with the one that is meant", async () => {
    await expect(db.rollups.verify(["week_statistic"])).rejects.toThrow(
      'There is no rollup "week_statistic". Did you mean "week_statistics"?',
    );
  });
});

describe("rebuild", () => {
  const drop = `DROP TRIGGER "springhouse_rollup_week_statistics.insert";
    INSERT INTO tasks (week_id, duration_seconds) VALUES (1, 1000), (2, 1000), (2, 1000);`;

  it("makes altered triggers again and counts what they have missed", async () => {
    await fill();
    foreign(drop);
    const [before] = await db.rollups.state();

    const [result] = await db.rollups.rebuild(["week_statistics"], { batchRows: 40 });

    expect(before).toMatchObject({
      state: "broken",
      problems: [expect.stringContaining("missing")],
    });
    expect(result).toMatchObject({
      rows: 303,
      resumed: false,
      repaired: ["trigger springhouse_rollup_week_statistics.insert"],
    });
    expect(await db.rollups.verify()).toMatchObject([ok, ok]);
    expect(await db.rollups.state()).toMatchObject([{ state: "kept" }, { state: "kept" }]);
  });

  it("goes on where an interrupted one stopped, and reads are right meanwhile", async () => {
    await fill();
    foreign(`UPDATE springhouse_rollup_project_statistics SET ".rows" = 0; ${drop}`);
    const expected = (): Promise<unknown> =>
      db.execute(`SELECT project_name, week_id, count(*) AS n FROM tasks
        WHERE duration_seconds > 0 GROUP BY 1, 2 ORDER BY 1, 2`);
    const kept = (): Promise<unknown> =>
      db.execute("SELECT project_name, week_id, tasks AS n FROM project_statistics ORDER BY 1, 2");
    const stop = new AbortController();
    const seen: number[] = [];
    const onProgress = ({ rows }: { readonly rows: number }): void => {
      seen.push(rows);
      if (rows > 120) stop.abort();
    };
    const options = { batchRows: 20, signal: stop.signal, onProgress };

    const stopped = db.rollups.rebuild(["project_statistics"], options);

    await expect(stopped).rejects.toMatchObject({ code: "ABORTED" });
    expect(await db.rollups.state()).toMatchObject([
      { state: "rebuilding" },
      { state: "rebuilding" },
    ]);
    await db.repository(Task).deleteMany({ projectName: "p3" });
    expect(await kept()).toEqual(await expected());
    const [result] = await db.rollups.rebuild(["project_statistics"], { batchRows: 20 });
    expect(result).toMatchObject({ resumed: true, repaired: [] });
    expect(result?.rows).toBeLessThan(250);
    expect(await kept()).toEqual(await expected());
    expect(await db.rollups.verify(["project_statistics"])).toMatchObject([ok]);
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  });

  it("is shared by two that run at once, while others write", async () => {
    await fill();
    foreign(`UPDATE springhouse_rollup_week_statistics SET ".rows" = 0`);
    const rebuild = (): Promise<unknown> => db.rollups.rebuild(undefined, { batchRows: 10 });
    const clear = (): Promise<unknown> => db.repository(Task).deleteMany({ projectName: "p2" });

    await Promise.all([rebuild(), rebuild(), fill(50), clear()]);

    expect(await db.rollups.verify()).toMatchObject([ok, ok]);
    expect(await db.rollups.state()).toMatchObject([{ state: "kept" }, { state: "kept" }]);
  });

  it("makes everything again that somebody has dropped", async () => {
    await fill();
    foreign(`DROP VIEW week_statistics; DROP TABLE springhouse_rollup_week_statistics;
      DROP TABLE springhouse_replaced_tasks`);

    await db.rollups.rebuild();

    expect(await db.rollups.verify()).toMatchObject([ok, ok]);
    await db.close();
    db = await openDb();
    expect(await db.repository(WeekStatistics).get(1)).toMatchObject({ totalTasks: 100 });
  });

  it("makes its triggers the newest again, before those that write the source", async () => {
    await fill();
    foreign(`CREATE TRIGGER mine AFTER INSERT ON tasks WHEN NEW.id < 1000 BEGIN
      INSERT INTO tasks (id, week_id) VALUES (NEW.id + 1000 + random() % 1000000000, 2); END`);
    const [before] = await db.rollups.state();

    await db.rollups.rebuild();
    foreign("REPLACE INTO tasks (id, week_id, duration_seconds) VALUES (1, 1, 5), (2, 1, 5)");

    expect(before?.problems).toEqual(["trigger mine writes, and is newer than those of rollups"]);
    expect(await db.rollups.verify()).toMatchObject([ok, ok]);
    expect(await db.rollups.state()).toMatchObject([{ state: "kept" }, { state: "kept" }]);
  });

  it("tells of a trigger that it cannot see through", async () => {
    foreign(`CREATE TRIGGER mine BEFORE INSERT ON tasks BEGIN
      DELETE FROM tasks WHERE id = NEW.id; END`);

    expect(await db.rollups.state()).toMatchObject([
      { state: "broken", problems: ["trigger mine writes tasks before a row of it is written"] },
      { state: "broken" },
    ]);
  });
});
