import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Db, Movie, openKept, Task } from "./cached-support.ts";

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
