import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sessionAs } from "../../src/repository/actor.ts";
import { AuditReader } from "../../src/repository/audit-log.ts";
import { Models } from "../../src/repository/models.ts";
import { executeManySql, executeSql } from "../../src/repository/raw.ts";
import { Repository } from "../../src/repository/repository.ts";
import type { Scope } from "../../src/repository/scope.ts";
import { runTransaction } from "../../src/repository/transaction.ts";
import { createCatalog } from "../../src/schema/catalog.ts";
import type { TablesOf } from "../../src/schema/types.ts";
import { kyselyFor } from "../../src/store/kysely.ts";
import type { Session, Statement } from "../../src/store/store.ts";
import { catalog, type Fixture, openFixture, sinkOf, storeKinds, Task, Week } from "./support.ts";

describe.each(storeKinds)("the acting user over the %s store", (kind) => {
  let fixture: Fixture;
  let scope: Scope;
  let log: AuditReader;

  beforeEach(async () => {
    fixture = await openFixture(kind);
    const { models } = fixture.scope;
    const events = sinkOf(() => {}, false);
    const session = sessionAs(fixture.scope.session, models, "ann");
    scope = { ...fixture.scope, events, actor: "ann", session };
    log = new AuditReader(fixture.scope);
    await fixture.of(Week).create({ label: "w1" });
  });

  afterEach(async () => {
    const left = await fixture.store.read({
      sql: "SELECT * FROM springhouse_actor",
      parameters: [],
    });
    expect(left.rows).toEqual([]);
    await fixture[Symbol.asyncDispose]();
  });

  const users = async (): Promise<(string | null)[]> =>
    (await log.list()).rows.map(({ userId }) => userId).toReversed();

  test("stands in the log of every way to write, and of nothing else", async () => {
    const tasks = new Repository(Task, scope);

    await tasks.create({ weekId: 1, title: "a" });
    await tasks.createMany([{ weekId: 1, title: "b" }]);
    await tasks.createMany([{ weekId: 1, title: "c" }], { returning: true });
    await fixture.of(Task).patch(1, { score: 1 });
    await tasks.patch(1, { score: 2 });
    await tasks.upsert({ id: 1, weekId: 1, title: "a", score: 3 });
    await executeSql(scope, "UPDATE tasks SET score = 4 WHERE id = ?", [1], {});
    await executeManySql(scope, "UPDATE tasks SET score = ? WHERE id = 1", [[5]], {});
    await runTransaction(scope, async (tx) => {
      await tx.execute("UPDATE tasks SET score = 6 WHERE id = 1");
    });
    const query = kyselyFor<TablesOf<[typeof Task]>>(scope.session, catalog);
    await query.updateTable("tasks").set({ score: 7 }).where("id", "=", 1).execute();
    await query.transaction().execute(async (tx) => {
      await tx.updateTable("tasks").set({ score: 8 }).where("id", "=", 1).execute();
    });
    await tasks.delete(1);
    await fixture.of(Task).delete(2);

    expect(await users()).toEqual([
      "ann",
      "ann",
      "ann",
      null,
      "ann",
      "ann",
      "ann",
      "ann",
      "ann",
      "ann",
      "ann",
      "ann",
      null,
    ]);
  });

  test("is gone with a write that failed", async () => {
    const tasks = new Repository(Task, scope);
    await expect(tasks.create({ weekId: 9, title: "a" })).rejects.toMatchObject({
      code: "CONSTRAINT",
    });

    await fixture.of(Task).create({ weekId: 1, title: "b" });

    expect(await users()).toEqual([null]);
  });

  test("the log is read by row, actor, action and time, newest first", async () => {
    const tasks = new Repository(Task, scope);
    await tasks.create({ weekId: 1, title: "a" });
    await tasks.create({ weekId: 1, title: "b" });
    await fixture.of(Task).patch(1, { title: "c" });

    const ofRow = await log.list({ entity: Task, key: 1 });
    const byActor = await log.list({ entity: Task, actor: "ann" });
    const updates = await log.list({ action: "update" });
    const early = await log.list({ until: new Date(0) });
    const late = await log.list({ since: new Date(0), limit: 1 });
    const rest = await log.list({ since: new Date(0), cursor: late.next as string });

    expect(ofRow.rows.map(({ action }) => action)).toEqual(["update", "create"]);
    expect(ofRow.rows[0]?.changes).toMatchObject({ title: { old: "a", new: "c" } });
    expect(byActor.rows.map(({ entityId }) => entityId)).toEqual(["2", "1"]);
    expect(updates.rows).toHaveLength(1);
    expect(early.rows).toEqual([]);
    expect([...late.rows, ...rest.rows].map(({ id }) => id)).toEqual([3, 2, 1]);
  });

  test("a question that cannot be answered is refused", async () => {
    expect(() => log.list({ key: 1 } as never)).toThrow("entity");
    expect(() => log.list({ entitty: Task } as never)).toThrow("entity");
  });
});

test("without an audited entity there is no log", async () => {
  await using fixture = await openFixture();
  const models = new Models(createCatalog([Week]), "sqlite");
  const log = new AuditReader({ ...fixture.scope, models });

  expect(() => log.list()).toThrow("There is no audit log");
});

test("nothing is said where nothing is audited", async () => {
  await using fixture = await openFixture();
  const { session } = fixture.scope;
  const plain = new Models(createCatalog([Week]), "sqlite");

  expect(sessionAs(session, plain, "ann")).toBe(session);
});

test("on PostgreSQL the actor is a setting of the transaction", async () => {
  await using fixture = await openFixture();
  const units: (readonly Statement[])[] = [];
  const recorder: Session = {
    ...fixture.scope.session,
    write: async (unit) => {
      units.push(unit);
      return unit.map(() => ({ columns: [], rows: [], changes: 0 }));
    },
  };
  const statement = { sql: "DELETE FROM tasks", parameters: [] };

  const acting = sessionAs(recorder, new Models(catalog, "postgres"), "ann");
  const results = await acting.write([statement]);
  await acting.write([]);

  const sql = "SELECT set_config('springhouse.user_id', $1, true)";
  expect(results.length).toBe(1);
  expect(units).toEqual([[{ sql, parameters: ["ann"] }, statement, { sql, parameters: [""] }], []]);
});
