import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { EventBus } from "../../src/repository/event-bus.ts";
import { executeManySql, executeSql, streamSql } from "../../src/repository/raw.ts";
import type { Scope } from "../../src/repository/scope.ts";
import { runTransaction, type Transaction } from "../../src/repository/transaction.ts";
import {
  Car,
  type entities,
  type Fixture,
  openFixture,
  storeKinds,
  Task,
  Week,
} from "./support.ts";

interface Events {
  readonly weekCreated: { readonly new: { readonly label: string } };
  readonly weekUpdated: unknown;
  readonly statisticsUpdated: { readonly weekId: number };
}
type Tx = Transaction<typeof entities, Events>;

describe.each(storeKinds)("transactions over the %s store", (kind) => {
  let fixture: Fixture;
  let scope: Scope;
  let heard: string[];

  beforeAll(async () => {
    fixture = await openFixture(kind);
  });

  beforeEach(async () => {
    await fixture.clear();
    heard = [];
    const bus = new EventBus<Events>();
    bus.on("weekCreated", ({ new: row }) => void heard.push(row.label));
    bus.on("statisticsUpdated", ({ weekId }) => void heard.push(`statistics ${weekId}`));
    scope = { ...fixture.scope, events: bus };
  });

  afterAll(() => fixture[Symbol.asyncDispose]());

  const run = <T>(work: (tx: Tx) => Promise<T>): Promise<T> => runTransaction(scope, work);
  const labels = async (): Promise<string[]> =>
    (await fixture.of(Week).list()).map(({ label }) => label);

  test("an event that is raised after the end is refused, however it ended", async () => {
    const ended: Tx[] = [];
    await run(async (tx) => {
      ended.push(tx);
      await tx.transaction(async (inner) => void ended.push(inner));
      tx.emit("statisticsUpdated", { weekId: 1 });
    });
    await run(async (tx) => {
      ended.push(tx);
      throw new Error("given up");
    }).catch(() => undefined);

    for (const tx of ended) {
      expect(() => tx.emit("statisticsUpdated", { weekId: 2 })).toThrow(
        expect.objectContaining({ code: "TRANSACTION_ENDED" }),
      );
    }
    expect([ended.length, heard]).toEqual([3, ["statistics 1"]]);
  });

  test("everything happens together, read inside by every way, and its value is given", async () => {
    const result = await run(async (tx) => {
      const week = await tx.repository(Week).create({ label: "a" });
      await tx.query.insertInto("weeks").values({ week_label: "b" }).execute();
      await tx.execute("INSERT INTO weeks (week_label) VALUES (?)", ["c"]);
      await tx.executeMany("INSERT INTO weeks (week_label) VALUES (?)", [["d"], ["e"]]);
      const streamed = await Array.fromAsync(
        tx.stream("SELECT week_label AS l FROM weeks WHERE id > ?", [3]),
      );
      expect(tx.repository(Week)).toBe(tx.repository(Week));
      return [week.id, await tx.repository(Week).count(), streamed];
    });

    expect(result).toEqual([1, 5, [{ l: "d" }, { l: "e" }]]);
    expect(await labels()).toEqual(["a", "b", "c", "d", "e"]);
  });

  test("many rows, listened to or wanted back, and a unit of work are part of it", async () => {
    await run(async (tx) => {
      await tx.repository(Week).createMany([{ label: "a" }, { label: "b" }]);
      const [c] = await tx.repository(Week).createMany([{ label: "c" }], { returning: true });
      const cars = [{ plate: "x" }, { plate: "y", doors: 2 }];
      await tx.repository(Car).createMany(cars);
      const unit = tx.unitOfWork();
      const week = await unit.repository(Week).get(c?.id ?? 0);
      if (week !== undefined) week.label = "C";
      await unit.commit();
    });

    expect(await labels()).toEqual(["a", "b", "C"]);
    expect(heard).toEqual(["a", "b", "c"]);
    expect(await fixture.of(Car).count()).toBe(2);
  });

  test("an error undoes everything and is given as it is", async () => {
    const failure = new Error("no");

    const work = run(async (tx) => {
      await tx.repository(Week).create({ label: "a" });
      throw failure;
    });

    await expect(work).rejects.toBe(failure);
    expect(await labels()).toEqual([]);
  });

  test("events wait for the commit and are dropped with a rollback", async () => {
    await run(async (tx) => {
      await tx.repository(Week).create({ label: "a" });
      tx.emit("statisticsUpdated", { weekId: 1 });
      expect(heard).toEqual([]);
    });
    const failing = run(async (tx) => {
      await tx.repository(Week).create({ label: "b" });
      throw new Error("no");
    });
    await expect(failing).rejects.toThrow("no");

    expect(heard).toEqual(["a", "statistics 1"]);
  });

  test("a nested transaction is a savepoint, with its own events", async () => {
    await run(async (tx) => {
      await tx.repository(Week).create({ label: "a" });
      await tx.transaction(async (inner) => {
        await inner.repository(Week).create({ label: "b" });
        const failing = inner.transaction(async (innermost) => {
          await innermost.repository(Week).create({ label: "c" });
          throw new Error("no");
        });
        await expect(failing).rejects.toThrow("no");
      });
      await tx.repository(Week).create({ label: "d" });
      expect(heard).toEqual([]);
    });

    expect(await labels()).toEqual(["a", "b", "d"]);
    expect(heard).toEqual(["a", "b", "d"]);
  });

  test("a violated constraint inside can be handled, and the rest goes on", async () => {
    await run(async (tx) => {
      await tx.repository(Week).create({ label: "a" });
      const twice = tx.repository(Week).create({ label: "a" });
      await expect(twice).rejects.toMatchObject({ code: "CONSTRAINT" });
      await tx.repository(Week).create({ label: "b" });
    });

    expect(await labels()).toEqual(["a", "b"]);
  });

  test("a misspelt or bad option is refused", async () => {
    const work = async (): Promise<number> => 1;

    const misspelt = (): Promise<number> => runTransaction(scope, work, { dedline: 5 } as never);
    const bad = (): Promise<number> => runTransaction(scope, work, { deadline: "soon" });

    expect(misspelt).toThrow("deadline");
    expect(bad).toThrow("not a duration");
  });

  test("raw SQL reads, writes, streams and takes many rows", async () => {
    const inserted = await executeSql(
      scope,
      "INSERT INTO weeks (week_label) VALUES (?), (?) RETURNING id",
      ["a", "b"],
      {},
    );
    async function* rows(): AsyncGenerator<[string]> {
      yield ["c"];
      yield ["d"];
    }
    const many = await executeManySql(
      scope,
      "INSERT INTO weeks (week_label) VALUES (?)",
      rows(),
      {},
    );
    await fixture.of(Task).create({ weekId: 1, title: "t", isPaid: true, createdAt: new Date(5) });
    const read = await executeSql(
      scope,
      "SELECT is_paid, created_at AS at, 7 / ? AS half FROM tasks WHERE is_paid = ? AND created_at = ?",
      [2, true, new Date(5)],
      {},
    );
    const streamed = await Array.fromAsync(
      streamSql(scope, "SELECT week_label FROM weeks", [], { chunkRows: 3 }),
    );

    expect(inserted).toEqual({ rows: [{ id: 1 }, { id: 2 }], changes: 2 });
    expect(many).toBe(2);
    expect(read).toEqual({ rows: [{ is_paid: true, at: new Date(5), half: 3 }], changes: 0 });
    expect(streamed).toHaveLength(4);
    await expect(executeSql(scope, "SELECT ?", [undefined], {})).rejects.toThrow("NULL");
  });
});

test("beside a transaction of the real store, reads see what is committed", async () => {
  await using fixture = await openFixture("sqlite");

  const seen = await runTransaction(fixture.scope, async (tx) => {
    await tx.repository(Week).create({ label: "a" });
    return fixture.of(Week).count();
  });

  expect(seen).toBe(0);
  expect(await fixture.of(Week).count()).toBe(1);
});

test("the real store refuses a write beside its own transaction", async () => {
  await using fixture = await openFixture("sqlite");
  const events = new EventBus();

  const work = runTransaction({ ...fixture.scope, events }, async () => {
    await fixture.of(Week).create({ label: "a" });
  });

  await expect(work).rejects.toMatchObject({ code: "TRANSACTION_REENTRY" });
});

test("a transaction of the real store ends at its deadline, and then takes nothing", async () => {
  await using fixture = await openFixture("sqlite");
  let late: Promise<unknown> | undefined;

  const work = runTransaction<typeof entities, Events, void>(
    fixture.scope,
    async (tx) => {
      await tx.repository(Week).create({ label: "a" });
      const { promise, resolve } = Promise.withResolvers<void>();
      setTimeout(resolve, 60);
      await promise;
      late = tx.repository(Week).create({ label: "b" });
      await late;
    },
    { deadline: 20 },
  );

  await expect(work).rejects.toMatchObject({ code: "TRANSACTION_TIMEOUT" });
  expect(await fixture.of(Week).count()).toBe(0);
});
