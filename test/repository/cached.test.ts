import { DatabaseSync } from "node:sqlite";
import { describe, expect, it, onTestFinished } from "vitest";
import { many, one, open } from "../../src/index.ts";
import { nextTurn } from "../coherence/support.ts";
import { entities, Note, openBoth, openKept, Task, untilKept, Week } from "./cached-support.ts";

describe("what a repository reads", () => {
  it("is kept until a commit changes it, and only then", async () => {
    const { db, plain, tasks } = await openKept();
    const first = await tasks.get(1);
    const list = await tasks.list({ where: { weekId: 1 } });

    await plain.repository(Task).patch(2, { title: "changed" });
    const same = await tasks.get(1);
    const [, second] = await tasks.list({ where: { weekId: 1 } });
    await db.execute("UPDATE tasks SET title = 'too' WHERE id = 1");

    expect(same).toBe(first);
    expect(list[1]?.title).toBe("b");
    expect(second?.title).toBe("changed");
    expect((await tasks.get(1))?.title).toBe("too");
    expect((await tasks.getMany([1, 9, 2])).map((row) => row?.title)).toEqual([
      "too",
      undefined,
      "changed",
    ]);
  });

  it("is kept for what is not there as well, until it is", async () => {
    const { tasks } = await openKept();

    const before = [await tasks.get(99), await tasks.exists(99), await tasks.count({ weekId: 1 })];
    await tasks.create({ id: 99, weekId: 1 });
    const after = [await tasks.get(99), await tasks.exists(99), await tasks.count({ weekId: 1 })];

    expect(before).toEqual([undefined, false, 3]);
    expect(after).toEqual([expect.objectContaining({ id: 99 }), true, 4]);
  });

  it("sees what others write, in the next turn", async () => {
    const { path, tasks } = await openKept();
    await tasks.get(1);
    using other = new DatabaseSync(path);

    other.exec("REPLACE INTO tasks (id, week_id, title) VALUES (1, 2, 'theirs')");
    await nextTurn();

    expect((await tasks.get(1))?.title).toBe("theirs");
    expect((await tasks.page({ where: { weekId: 2 }, total: true })).total).toBe(4);
  });

  it("is frozen, hit or miss, with a cache or without; lists, dates and bytes are one's own", async () => {
    const { db, plain, tasks } = await openKept();
    await tasks.create({ id: 50, weekId: 1, extra: { deep: [1] } });
    await db.repository(Note).create({ id: 1, at: new Date(5), bytes: new Uint8Array([7]) });

    for (const from of [plain, db, db]) {
      const row = await from.repository(Task).get(50);
      const [listed] = await from.repository(Task).list({ where: { id: 50 } });
      const [found] = await from.repository(Task).list({ include: { week: one(Week) } });
      const [week] = await from.repository(Week).list({ include: { tasks: many(Task) } });
      const frozen = [row, row?.extra, listed, found, found?.week, week?.tasks, week?.tasks[0]];
      expect(frozen.every((each) => Object.isFrozen(each))).toBe(true);
      const list = await from.repository(Task).list({ where: { id: 50 } });
      list.pop();
      const note = await from.repository(Note).get(1);
      note?.at.setTime(0);
      note?.bytes?.fill(0);
    }

    expect(await tasks.list({ where: { id: 50 } })).toHaveLength(1);
    expect(await db.repository(Note).get(1)).toEqual({
      id: 1,
      at: new Date(5),
      bytes: new Uint8Array([7]),
    });
  });

  it("gives each of those who wait for one read their own dates", async () => {
    const { db } = await openKept();
    await db.repository(Note).create({ id: 1, at: new Date(5) });
    const notes = db.repository(Note);

    const read = () => notes.list({ where: { at: { gte: new Date(0) } } });
    const [[one], [other]] = await Promise.all([read(), read()]);
    one?.at.setTime(0);

    expect(other?.at).toEqual(new Date(5));
  });

  it("is past the cache in a transaction, and nothing of it is kept", async () => {
    const { db, tasks } = await openKept();
    await tasks.get(1);

    await db
      .transaction(async (tx) => {
        await tx.repository(Task).patch(1, { title: "never" });
        expect((await tx.repository(Task).get(1))?.title).toBe("never");
        expect((await tasks.get(1))?.title).toBe("a");
        throw new Error("undone");
      })
      .catch(() => undefined);

    expect((await tasks.get(1))?.title).toBe("a");
  });

  it("belongs to the snapshot of a cached function inside of one, and to its footprint", async () => {
    const { db, tasks } = await openKept();
    let runs = 0;
    const titles = db.cached("titles", async (_, weekId: number) => {
      runs++;
      const rows = await tasks.list({ where: { weekId }, orderBy: { id: "asc" } });
      const [first] = await tasks.list({ where: { weekId }, include: { week: one(Week) } });
      return [first?.week?.label, ...rows.map(({ title }) => title)];
    });

    const before = await titles(1);
    await tasks.patch(4, { title: "not in it" });
    await titles(1);
    const runsBefore = runs;
    await tasks.patch(1, { title: "in it" });

    expect(before).toEqual(["one", "a", "b", "c"]);
    expect(runsBefore).toBe(1);
    expect(await titles(1)).toEqual(["one", "in it", "b", "c"]);
  });

  it("changes nothing about what is refused, nor about a condition that means something else", async () => {
    const { tasks } = await openKept();
    const ask = async (where: object) => (await tasks.list({ where })).map(({ id }) => id);
    expect(await ask({ weekId: 1 })).toEqual([1, 2, 3]);

    await expect(ask({ weekId: 1, [Symbol("or")]: [] })).rejects.toThrow(/symbol/);
    await expect(ask({ weekId: 1, title: undefined })).rejects.toThrow(/undefined/);
    await expect(ask({ "6:weekId#1,": 1 })).rejects.toThrow(/unknown field/);
    await expect(tasks.get("1" as never)).rejects.toThrow(/id/);
    await expect(tasks.list({ limit: "5" as never })).rejects.toThrow(/limit/);
    const descending = await tasks.list({ orderBy: { weekId: "desc", id: "asc" } });
    const ascending = await tasks.list({ orderBy: { id: "asc", weekId: "desc" } });
    expect(descending.map(({ id }) => id)).toEqual([4, 5, 6, 1, 2, 3]);
    expect(ascending.map(({ id }) => id)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it("asks for permission each time, and keeps apart what different answers allow", async () => {
    let asked = 0;
    const { db } = await openBoth({
      permissions: ({ actor, entity: name }) => {
        asked++;
        if (actor === "nobody") return false;
        return actor === "first" && name === "tasks" ? { where: { weekId: 1 } } : true;
      },
    });
    expect(await untilKept(db)).toBe(true);
    asked = 0;
    const idsOf = async (actor: string) =>
      (await db.as(actor).repository(Task).list()).map(({ id }) => id);

    for (let time = 0; time < 2; time++) {
      expect(await idsOf("first")).toEqual([1, 2, 3]);
      expect(await idsOf("second")).toEqual([1, 2, 3, 4, 5, 6]);
      expect(await db.as("first").repository(Task).get(4)).toBe(undefined);
      expect(await db.as("second").repository(Task).get(4)).toMatchObject({ id: 4 });
      await expect(idsOf("nobody")).rejects.toThrow(/refused/);
    }
    expect(asked).toBe(10);
  });

  it("is refused after the end, kept or not, and by a signal", async () => {
    const { db, tasks } = await openKept();
    await tasks.get(1);
    const reason = AbortSignal.abort();

    await expect(tasks.get(1, { signal: reason })).rejects.toThrow(/given up|abort/i);
    await db.close();

    await expect(tasks.get(1)).rejects.toThrow(/closed/);
    await expect(tasks.list()).rejects.toThrow(/closed/);
  });
});

describe("a file that is not to be written", () => {
  it("gets no log of a program that reads a few rows", async () => {
    const { db, path } = await openBoth();
    await db.repository(Week).get(1);
    await nextTurn();
    await db.close();

    using plain = new DatabaseSync(path);
    expect(plain.prepare("SELECT name FROM sqlite_schema WHERE name GLOB '*log*'").all()).toEqual(
      [],
    );
  });

  it("is read with a cache as soon as somebody else in the process may write it", async () => {
    const { path } = await openBoth();
    const readOnly = await open({ url: `sqlite:///${path}`, entities, readOnly: true });
    onTestFinished(() => readOnly.close());
    const alone = await untilKept(readOnly, 30);
    const writing = await open({ url: `sqlite:///${path}`, entities });
    onTestFinished(() => writing.close());

    expect(alone).toBe(false);
    expect(await untilKept(writing)).toBe(true);
    expect(await untilKept(readOnly)).toBe(true);
  });

  it("is read without a cache when it has no log, and with one when it has", async () => {
    const { db, path, plain } = await openBoth();
    await plain.close();
    await db.close();
    const readOnly = await open({ url: `sqlite:///${path}`, entities, readOnly: true });
    onTestFinished(() => readOnly.close());
    const without = await untilKept(readOnly, 30);
    await readOnly.close();

    const writing = await open({ url: `sqlite:///${path}`, entities });
    expect(await untilKept(writing)).toBe(true);
    await writing.close();
    const again = await open({ url: `sqlite:///${path}`, entities, readOnly: true });
    onTestFinished(() => again.close());

    expect(without).toBe(false);
    expect(await untilKept(again)).toBe(true);
  });
});
