/** How the log of changes is made, and what it stands in nobody's way of. */

import { DatabaseSync } from "node:sqlite";
import { describe, expect, it, onTestFinished } from "vitest";
import { count, entity, open, rollup, t } from "../../src/index.ts";
import { temporaryPath } from "../sqlite/support.ts";
import { nextTurn, openWeeks } from "./support.ts";

describe("the preparation of the log", () => {
  it("needs nothing of the main thread while it holds the write lock", async () => {
    const { db, path } = await openWeeks();
    // It blocks the main thread for a second when somebody else holds the lock meanwhile.
    const plain = new DatabaseSync(path, { timeout: 1_000 });
    onTestFinished(() => plain.close());
    plain.exec("PRAGMA synchronous = OFF");
    const count = db.cached("count", (q) =>
      q
        .selectFrom("tasks")
        .select((e) => e.fn.countAll().as("n"))
        .execute(),
    );
    let done = false;

    const first = count().finally(() => {
      done = true;
    });
    while (!done) {
      plain.exec("UPDATE weeks SET label = 'x' WHERE id = 1");
      await nextTurn();
    }

    expect(await first).toEqual([{ n: 4 }]);
    expect(plain.prepare("SELECT count(*) AS n FROM springhouse_log").get()?.["n"]).not.toBe(0);
    expect(plain.prepare("SELECT 1 FROM sqlite_schema WHERE name LIKE '%log_test%'").all()).toEqual(
      [],
    );
  });
});

describe("the triggers of the log", () => {
  it("let a table be altered by db.execute", async () => {
    const { db } = await openWeeks();
    const labels = db.cached("labels", () => db.execute("SELECT * FROM weeks"));
    expect((await labels()).rows).toHaveLength(2);

    await db.execute("ALTER TABLE weeks DROP COLUMN label");

    expect((await labels()).rows).toEqual([{ id: 1 }, { id: 2 }]);
  });

  it("are not what keeps a column that something declared needs", async () => {
    const Task = entity(
      "tasks",
      { id: t.int().primaryKey(), week: t.int(), note: t.text().nullable() },
      { audit: true },
    );
    const Weeks = rollup("weeks", Task, { by: { week: Task.week }, measures: { tasks: count() } });
    const path = temporaryPath();
    const db = await open({ url: `sqlite:///${path}`, entities: [Task], rollups: [Weeks] });
    onTestFinished(() => db.close());
    const all = db.cached("all", () => db.execute("SELECT * FROM tasks"));
    await all();

    const failed = db.execute("ALTER TABLE tasks DROP COLUMN note");

    await expect(failed).rejects.toMatchObject({
      code: "SQL",
      message: expect.stringMatching(/^trigger springhouse_audit_tasks_\w+ needs .* migration/s),
    });
    await db.repository(Task).create({ id: 1, week: 1, note: "kept" });
    expect((await all()).rows).toEqual([{ id: 1, week: 1, note: "kept" }]);
  });
});
