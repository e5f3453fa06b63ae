import { AsyncResource } from "node:async_hooks";
import { describe, expect, it } from "vitest";
import { warningsOf } from "../support/warnings.ts";
import { nextTurn, openWeeks, Week } from "./support.ts";

/** A queue as many libraries have it: what is pushed runs in the context that made the queue. */
function makeQueue(): <T>(job: () => Promise<T>) => Promise<T> {
  const context = new AsyncResource("queue");
  return (job) => context.runInAsyncScope(job);
}

describe("a cached function that loses its asynchronous context", () => {
  it("reads as itself all the same by the query builder that it is given", async () => {
    const { db } = await openWeeks();
    const queue = makeQueue();
    const labels = db.cached("labels", (q) =>
      queue(() => q.selectFrom("weeks").select("label").where("id", "=", 1).execute()),
    );
    await labels();

    await db.repository(Week).patch(1, { label: "new" });

    expect(labels.peek()).toBe(undefined);
    expect(await labels()).toEqual([{ label: "new" }]);
    expect(labels.explain().reads).toHaveLength(1);
  });

  it("is not kept when nothing of what it reads is known to be its own", async () => {
    const { db } = await openWeeks();
    const queue = makeQueue();
    const inner = db.cached("inner", (q) => q.selectFrom("weeks").selectAll().execute());
    await inner();
    const reads: Readonly<Record<string, () => Promise<unknown>>> = {
      query: () => db.query.selectFrom("weeks").selectAll().execute(),
      repository: () => db.repository(Week).list(),
      execute: () => db.execute("SELECT * FROM weeks"),
      nested: () => inner(),
      stream: () => Array.fromAsync(db.stream("SELECT * FROM weeks")),
    };
    const warnings = warningsOf();

    for (const [name, read] of Object.entries(reads)) {
      const lost = db.cached(name, () => queue(read));
      await lost();
      expect(lost.peek(), name).toBe(undefined);
      expect(lost.explain().notKept, name).toContain("AsyncResource.bind()");
    }

    expect(warnings.map(({ code }) => code)).toEqual(Object.keys(reads).map(() => "NOT_CACHED"));
  });

  it("is kept when it has no need to read", async () => {
    const { db } = await openWeeks();
    const constant = db.cached("constant", async () => 7);
    await constant();

    expect(constant.peek()).toBe(7);
  });
});

describe("a cached function that asks what no commit changes", () => {
  it("is not kept: neither peek() nor a live query tells what was read", async () => {
    const { db } = await openWeeks();
    const inner = db.cached("inner", (q) => q.selectFrom("weeks").selectAll().execute());
    await inner();
    const peeking = db.cached("peeking", async () => inner.peek()?.length);
    const living = db.cached("living", async () => {
      for await (const rows of db.live(inner)) return rows.length;
      return 0;
    });

    expect([await peeking(), await living()]).toEqual([2, 2]);

    await db.repository(Week).create({ id: 3 });
    await inner();
    expect([await peeking(), await living()]).toEqual([3, 3]);
    expect(peeking.explain().notKept).toContain("peek");
    expect(living.explain().notKept).toContain("live query");
  });
});

describe("a run that fails", () => {
  it("fails those who came before a commit, and not those who know of it", async () => {
    const { db } = await openWeeks();
    const { promise: opened, resolve: openGate } = Promise.withResolvers<void>();
    const label = db.cached("label", async (q) => {
      const week = await q.selectFrom("weeks").selectAll().executeTakeFirstOrThrow();
      await opened;
      if (week.label === "") throw new Error("There is no label.");
      return week.label;
    });
    await db.cached("warm", (q) => q.selectFrom("weeks").selectAll().execute())();
    const before = label();
    before.catch(() => undefined);
    await nextTurn();
    await db.repository(Week).patch(1, { label: "first" });
    const after = label();
    openGate();

    await expect(before).rejects.toThrow("There is no label.");
    expect(await after).toBe("first");
  });
});
