import { describe, expect, it } from "vitest";
import { nextTurn, openPlainly, openWeeks, Task } from "./support.ts";

async function openRows() {
  const { db, path } = await openWeeks();
  const counted = { runs: 0 };
  const rows = db.cached("rows", (q, weekId: number) => {
    counted.runs++;
    return q
      .selectFrom("tasks")
      .select(["id", "seconds"])
      .where("week_id", "=", weekId)
      .orderBy("id")
      .execute();
  });
  return { db, path, counted, rows };
}

describe("a live query", () => {
  it("gives the present result, and then each that differs", async () => {
    const { db, path, rows } = await openRows();
    const seen: number[][] = [];

    for await (const each of db.live(rows, 1)) {
      seen.push(each.map(({ seconds }) => seconds));
      if (seen.length === 1) await db.repository(Task).patch(1, { seconds: 11 });
      if (seen.length === 2) openPlainly(path).exec("REPLACE INTO tasks VALUES (2, 1, '', 22)");
      if (seen.length === 3) break;
    }

    expect(seen).toEqual([
      [10, 20],
      [11, 20],
      [11, 22],
    ]);
  });

  it("does not give a result that is equal, nor run for what it did not read", async () => {
    const { db, counted, rows } = await openRows();
    const iterator = db.live(rows, 1).values();
    await iterator.next();

    const next = iterator.next();
    await db.repository(Task).patch(3, { seconds: 1 });
    await nextTurn();
    expect(counted.runs).toBe(1);
    await db.execute("UPDATE tasks SET seconds = seconds + 1 WHERE id = 1");
    await db.execute("UPDATE tasks SET seconds = 10 WHERE id = 1");
    await db.repository(Task).patch(1, { seconds: 77 });

    const values: number[] = [];
    let { value } = await next;
    for (; value?.[0]?.seconds !== 77; { value } = await iterator.next()) {
      values.push(value?.[0]?.seconds ?? 0);
    }
    expect(new Set(values).size).toBe(values.length);
    await iterator.return();
  });

  it("skips what a slow consumer has missed", async () => {
    const { db, rows } = await openRows();
    const iterator = db.live(rows, 1).values();
    await iterator.next();

    for (let seconds = 100; seconds < 120; seconds++) {
      await db.repository(Task).patch(1, { seconds });
      await nextTurn();
    }
    const values = [];
    while (values.at(-1) !== 119) {
      const { value } = await iterator.next();
      values.push(value?.[0]?.seconds);
    }

    expect(values.length).toBeLessThan(4);
    await iterator.return();
  });

  it("gives differences by key against what the consumer took last", async () => {
    const { db, rows } = await openRows();
    await db.repository(Task).createMany([5, 6, 7, 8].map((id) => ({ id, weekId: 1 })));
    const iterator = db.live(rows, 1).changes();
    const { value: first } = await iterator.next();
    expect(first).toMatchObject({ kind: "full" });

    await db.transaction(async (tx) => {
      await tx.repository(Task).delete(1);
      await tx.repository(Task).patch(2, { seconds: 21 });
      await tx.repository(Task).create({ id: 9, weekId: 1 });
    });

    expect((await iterator.next()).value).toEqual({
      kind: "diff",
      removed: [1],
      inserted: [{ id: 9, seconds: 0 }],
      updated: [{ id: 2, seconds: 21 }],
    });
    await iterator.return();
  });

  it("gives whole results where rows lack the key, as its guide says", async () => {
    const { db, rows } = await openRows();
    await db.repository(Task).createMany([5, 6, 7, 8].map((id) => ({ id, weekId: 1 })));
    const iterator = db.live(rows, 1).changes({ key: "nope" });
    await iterator.next();

    await db.repository(Task).patch(2, { seconds: 21 });

    const { value } = await iterator.next();
    expect(value).toMatchObject({ kind: "full", value: await rows(1) });
    await iterator.return();
  });

  it("shares one run among equal queries", async () => {
    const { db, counted, rows } = await openRows();
    const iterators = Array.from({ length: 5 }, () => db.live(rows, 1).values());
    await Promise.all(iterators.map((iterator) => iterator.next()));
    expect(counted.runs).toBe(1);

    const next = Promise.all(iterators.map((iterator) => iterator.next()));
    await db.repository(Task).patch(1, { seconds: 1 });
    await next;

    expect(counted.runs).toBe(2);
    await Promise.all(iterators.map((iterator) => iterator.return()));
  });

  it("ends by its signal, by the failure of its function, and when the database is closed", async () => {
    const { db, rows } = await openRows();
    const failing = db.cached("failing", async () => {
      throw new Error("no");
    });
    const controller = new AbortController();
    const aborted = db.live(rows, 1).values({ signal: controller.signal });
    const closed = db.live(rows, 1).values();
    await aborted.next();
    await closed.next();

    const ends = [aborted.next(), closed.next()].map((end) => end.catch((error) => error.code));
    await expect(db.live(failing).values().next()).rejects.toThrow("no");
    controller.abort();
    await db.close();

    expect(await Promise.all(ends)).toEqual(["ABORTED", "CLOSED"]);
  });
});
