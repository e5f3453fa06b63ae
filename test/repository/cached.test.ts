import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { entity, many, one, open, t } from "../../src/index.ts";
import type { OpenOptions } from "../../src/open/options.ts";
import { nextTurn } from "../coherence/support.ts";
import { temporaryPath } from "../sqlite/support.ts";

const Week = entity("weeks", { id: t.int().primaryKey(), label: t.text() });
const Task = entity("tasks", {
  id: t.int().primaryKey(),
  weekId: t.int().references("weeks.id", { onDelete: "cascade" }).index(),
  title: t.text().default(""),
  score: t.int().nullable(),
  ratio: t.real().nullable(),
  dueOn: t.date().nullable(),
  extra: t.json<unknown>().nullable(),
});
const Note = entity("notes", {
  id: t.int().primaryKey(),
  at: t.timestamp().defaultNow(),
  bytes: t.blob().nullable(),
});
const Media = entity("media", {
  id: t.uuid().primaryKey().defaultRandom(),
  type: t.enum(["movie", "series"]),
  title: t.text().default(""),
});
const Movie = entity(
  "movies",
  { year: t.int().nullable() },
  { base: { entity: Media, set: { type: "movie" } } },
);

const entities = [Week, Task, Note, Media, Movie] as const;
type Options = Partial<OpenOptions<typeof entities>>;

/** Reads of repositories after which there is a cache, and somewhat more. */
const READS = 20;

/** Two opens of one file, with a cache and without, and two weeks with three tasks each. */
async function openBoth(options: Options = {}, path = temporaryPath()) {
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

type Db = Awaited<ReturnType<typeof openBoth>>["db"];

/** Reads until what is read is kept. */
async function untilKept(db: Db, turnsMax = 2_000): Promise<boolean> {
  const weeks = db.repository(Week);
  for (let turn = 0; turn < turnsMax; turn++) {
    for (let read = 0; read < READS; read++) await weeks.get(1);
    const row = await weeks.get(1);
    if (row === (await weeks.get(1))) return true;
    await nextTurn();
  }
  return false;
}

async function openKept(options: Options = {}) {
  const opened = await openBoth(options);
  expect(await untilKept(opened.db)).toBe(true);
  return { ...opened, tasks: opened.db.repository(Task), weeks: opened.db.repository(Week) };
}

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

const small = fc.integer({ min: 0, max: 3 });
const letter = fc.constantFrom("", "a", "b", "ab");
const half = fc.constantFrom(null, 0, 0.5, 1);

function said(value: fc.Arbitrary<unknown>, ...names: string[]): fc.Arbitrary<object> {
  return fc.tuple(fc.constantFrom(...names), value).map(([name, given]) => ({ [name]: given }));
}

const ORDERED = ["eq", "ne", "gt", "gte", "lt", "lte"];
const condition = fc.letrec<{ where: object }>((tie) => ({
  where: fc.oneof(
    { maxDepth: 3, depthIdentifier: "where" },
    { weight: 4, arbitrary: fc.record({ weekId: fc.integer({ min: 1, max: 2 }) }) },
    fc.record({ score: said(small, ...ORDERED) }),
    fc.record({ score: said(fc.array(fc.option(small), { maxLength: 3 }), "in", "notIn") }),
    fc.record({ ratio: said(half, "eq", "ne") }),
    fc.record({ title: said(letter, "startsWith", "endsWith", "contains", "like", "gt", "lte") }),
    fc.array(tie("where"), { maxLength: 2 }).map((or) => ({ or })),
    fc.tuple(tie("where"), tie("where")).map((and) => ({ and })),
    tie("where").map((not) => ({ not })),
  ),
})).where;

const values = fc.record(
  { weekId: fc.integer({ min: 1, max: 2 }), title: letter, score: fc.option(small), ratio: half },
  { requiredKeys: [] },
);
const key = fc.integer({ min: 1, max: 8 });
const write = fc.oneof(
  fc.record({ kind: fc.constant("upsert" as const), id: key, values }),
  fc.record({ kind: fc.constant("patch" as const), id: key, values }),
  fc.record({ kind: fc.constant("delete" as const), id: key }),
  fc.record({ kind: fc.constant("replace" as const), id: key, values }),
);

type Write = typeof write extends fc.Arbitrary<infer W> ? W : never;

async function apply(db: Db, change: Write): Promise<void> {
  const tasks = db.repository(Task);
  const { id } = change;
  if (change.kind === "delete") await tasks.delete(id);
  else if (change.kind === "upsert") await tasks.upsert({ weekId: 1, ...change.values, id });
  else if (change.kind === "patch") {
    if (await tasks.exists(id)) await tasks.patch(id, change.values);
  } else {
    const { weekId = 2, title = "b", score = null, ratio = null } = change.values;
    const sql = "REPLACE INTO tasks (id, week_id, title, score, ratio) VALUES (?, ?, ?, ?, ?)";
    await db.execute(sql, [id, weekId, title, score, ratio]);
  }
}

describe("after each of many writes", () => {
  it("everything that is kept is what the database gives", { timeout: 60_000 }, async () => {
    const { db, plain } = await openKept();
    let hits = 0;

    await fc.assert(
      fc.asyncProperty(
        fc.array(condition, { minLength: 1, maxLength: 6 }),
        fc.array(write, { minLength: 1, maxLength: 8 }),
        async (conditions, writes) => {
          let before: readonly unknown[] = [];
          for (const change of writes) {
            const read = async (from: Db) => {
              const tasks = from.repository(Task);
              const results: unknown[] = [];
              for (const where of conditions) {
                results.push(await tasks.list({ where }), await tasks.count(where));
                results.push(await tasks.page({ where, limit: 2, orderBy: { title: "desc" } }));
              }
              for (let id = 1; id <= 8; id++) results.push(await tasks.get(id));
              results.push(await tasks.getMany([3, 1, 8]), await tasks.exists(2));
              return results;
            };
            const kept = await read(db);
            hits += kept.filter(
              (result, at) => result !== undefined && result === before[at],
            ).length;
            expect(kept).toEqual(await read(plain));
            before = kept;
            await apply(plain, change);
          }
        },
      ),
      { numRuns: 60 },
    );

    // Rows by key and pages are the same objects when they come from memory.
    expect(hits).toBeGreaterThan(500);
  });

  it("an entity with a base is too", { timeout: 60_000 }, async () => {
    const { db, plain } = await openKept();
    const ids = [1, 2, 3].map((at) => `9c5b94b1-35ad-49bb-b118-8e8fc24abf8${at}`);
    for (const id of ids) await plain.repository(Movie).create({ id, title: "a", year: 1 });
    const writes = [
      () => plain.repository(Movie).patch(ids[0] as string, { title: "b" }),
      () => plain.repository(Movie).patch(ids[1] as string, { year: null }),
      () => plain.execute("UPDATE media SET title = 'c' WHERE id = ?", [ids[2]]),
      () => plain.execute("UPDATE movies SET year = 7 WHERE id = ?", [ids[0]]),
      () => plain.repository(Movie).delete(ids[1] as string),
    ];
    const read = async (from: Db) => {
      const movies = from.repository(Movie);
      return [
        await movies.list({ where: { title: "a" } }),
        await movies.count({ year: { gte: 1 } }),
        await movies.list({ where: { not: { year: 1 } } }),
        await Promise.all(ids.map((id) => movies.get(id))),
      ];
    };

    for (const change of writes) {
      await read(db);
      await change();
      expect(await read(db)).toEqual(await read(plain));
    }
  });
});
