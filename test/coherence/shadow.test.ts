import { describe, expect, it } from "vitest";
import type { CachedFunction } from "../../src/coherence/cached-function.ts";
import { warningsOf } from "../support/warnings.ts";
import { openPlainly, openWeeks, Task } from "./support.ts";

type Opened = Awaited<ReturnType<typeof openWeeks>>["db"];

/** Calls a function until one more of its hits was checked; while one is, others are not. */
async function checked(db: Opened, call: CachedFunction<[], unknown>): Promise<void> {
  const count = (): number =>
    db.cacheStatistics().functions[call.functionName]?.shadow.checked ?? 0;
  const before = count();
  while (count() === before) {
    await call();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** The number of tasks and what a variable says; reads the variable, which no footprint sees. */
function countAnd(db: Opened, closure: { value: number }, shadow?: number) {
  const options = shadow === undefined ? {} : { shadow };
  return db.cached(
    "count",
    async (q) => {
      const rows = await q.selectFrom("tasks").select("id").where("week_id", "=", 1).execute();
      return [rows.length, closure.value];
    },
    options,
  );
}

describe("shadow mode", () => {
  it("finds a function that reads a variable, drops the result and says so", async () => {
    const { db } = await openWeeks();
    const warnings = warningsOf();
    const closure = { value: 1 };
    const count = countAnd(db, closure, 1);
    await checked(db, count);
    expect(warnings).toEqual([]);

    closure.value = 2;
    expect(await count()).toEqual([2, 1]);
    await checked(db, count);

    expect(warnings).toMatchObject([{ code: "CACHE_WRONG", fields: { name: "count" } }]);
    expect(db.cacheStatistics().functions["count"]?.shadow).toEqual({ checked: 2, different: 1 });
    expect(await count()).toEqual([2, 2]);
  });

  it("finds it in a function inside of another one", async () => {
    const { db } = await openWeeks({ shadow: 1 });
    const warnings = warningsOf();
    const closure = { value: 1 };
    const count = countAnd(db, closure, 0);
    const outer = db.cached("outer", () => count());
    await outer();

    closure.value = 2;
    await checked(db, outer);

    expect(warnings).toMatchObject([{ code: "CACHE_WRONG", fields: { name: "outer" } }]);
    expect(db.cacheStatistics().functions["count"]?.shadow.checked).toBe(0);
  });

  it("says nothing of a result that a write has made old meanwhile", async () => {
    const { db, path } = await openWeeks({ shadow: 1, freshness: "exclusive" });
    const warnings = warningsOf();
    const count: CachedFunction<[], number[]> = countAnd(db, { value: 1 });
    const plain = openPlainly(path);
    await count();

    for (let id = 10; id < 30; id++) {
      expect(await count()).toHaveLength(2);
      // Before the check has its snapshot, or after it.
      if (id % 2 === 0) await new Promise((resolve) => setImmediate(resolve));
      plain.exec(`INSERT INTO tasks VALUES (${id}, 1, '', 0)`);
      await db.repository(Task).patch(4, { seconds: id });
      await count();
    }

    await db.close();
    expect(warnings).toEqual([]);
  });

  it("checks the share of the hits that it is told, and one at a time", async () => {
    const { db } = await openWeeks({ shadow: 0.5 });
    let [running, most, runs] = [0, 0, 0];
    const slow = db.cached("slow", async (q) => {
      runs++;
      most = Math.max(most, ++running);
      const rows = await q.selectFrom("weeks").selectAll().execute();
      running--;
      return rows;
    });
    for (let call = 0; call < 200; call++) await slow();
    await checked(db, slow);

    expect(most).toBe(1);
    expect(runs).toBeLessThan(100);
  });

  it("bears a function that fails when it is run again, and ends with the database", async () => {
    const { db } = await openWeeks({ shadow: 1 });
    const warnings = warningsOf();
    let runs = 0;
    const once = db.cached("once", async () => {
      if (++runs > 1) throw new Error("not again");
      return 1;
    });
    await once();
    await once();
    await db.close();

    expect(runs).toBe(2);
    expect(warnings).toEqual([]);
  });

  it("takes nothing but a share", async () => {
    const { db } = await openWeeks();

    for (const shadow of [-1, 1.5, Number.NaN, "all"]) {
      const options = { shadow: shadow as number };
      expect(() => db.cached("any", async () => 1, options)).toThrow(/a share of the hits/);
      await expect(openWeeks(options)).rejects.toThrow(/a share of the hits/);
    }
  });
});

describe("statistics of cached functions", () => {
  it("tell of hits, misses, what was dropped, and why something was not kept", async () => {
    const { db } = await openWeeks();
    warningsOf();
    const count = countAnd(db, { value: 1 });
    const random = db.cached("random", () => db.execute("SELECT random() AS r FROM tasks"));
    await count();
    await count();
    await random();
    expect(db.cacheStatistics().functions["count"]).toMatchObject({ entries: 1 });
    expect(db.cacheStatistics().functions["count"]?.bytes).toBeGreaterThan(300);
    await db.repository(Task).create({ weekId: 1 });
    count.explain();

    const { functions, tiers } = db.cacheStatistics();
    expect(tiers).toEqual({});
    expect(functions["count"]).toMatchObject({
      hits: 1,
      misses: 1,
      hitRate: 1 / 2,
      found: 0,
      entries: 0,
      bytes: 0,
      dropped: 1,
      evicted: 0,
      notKept: 0,
      notKeptReason: undefined,
    });
    expect(functions["random"]).toMatchObject({ entries: 0, bytes: 0, notKept: 1 });
    expect(functions["random"]?.notKeptReason).toMatch(/random/);
  });
});
