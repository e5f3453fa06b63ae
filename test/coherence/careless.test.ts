/** What callers do that nobody should have to think of. */

import { expect, test } from "vitest";
import { openWeeks, Task } from "./support.ts";

test("arguments that the caller changes while the function waits are the ones that were given", async () => {
  const { db } = await openWeeks();
  const ofWeek = db.cached(
    "ofWeek",
    async (q, { week }: { readonly week: number }) =>
      (await q.selectFrom("tasks").select("id").where("week_id", "=", week).execute()).length,
  );
  const ofWeeks = db.cached("ofWeeks", async (_, weeks: Iterable<number>) => [...weeks]);
  const given = { week: 1 };
  const weeks = new Set([1]);

  const first = ofWeek(given);
  given.week = 3;
  const second = ofWeeks(weeks);
  weeks.add(2);

  expect([await first, await second]).toEqual([2, [1]]);
  expect(await ofWeek({ week: 1 })).toBe(2);
  expect(await ofWeeks(new Set([1]))).toEqual([1]);
});

test("arguments of a live query are the ones that were given", async () => {
  const { db } = await openWeeks();
  const ofWeek = db.cached("ofWeek", (q, { week }: { readonly week: number }) =>
    q.selectFrom("tasks").select("id").where("week_id", "=", week).execute(),
  );
  const given = { week: 1 };

  const live = db.live(ofWeek, given);
  given.week = 3;

  for await (const rows of live) {
    expect(rows).toHaveLength(2);
    break;
  }
});

test("a cached function of a closed database says that it is closed", async () => {
  const { db } = await openWeeks({ freshness: "strict" });
  const all = db.cached("all", (q) => q.selectFrom("tasks").selectAll().execute());
  await all();

  await db.close();

  await expect(all()).rejects.toMatchObject({ code: "CLOSED" });
});

test("what cannot be a key is refused in words that fit a function", async () => {
  const { db } = await openWeeks();
  const any = db.cached("any", async (_, given: unknown) => String(given));

  const cases = [() => 1, new (class Own {})(), new Proxy({}, {})].map(async (each) => any(each));

  const messages = (await Promise.allSettled(cases)).map((each) =>
    each.status === "rejected" ? [each.reason.code, each.reason.message] : each.value,
  );
  const text = (what: string) =>
    `The arguments of a cached function are its key. ${what} cannot be part of a key. Pass data: ` +
    "plain objects, lists, texts, numbers, bytes, dates, maps and sets.";
  expect(messages).toEqual([
    ["INVALID_ARGUMENT", text("A function")],
    ["INVALID_ARGUMENT", text("An instance of Own")],
    ["INVALID_ARGUMENT", text("One of them (#<Object> could not be cloned.)")],
  ]);
});

test("a result that is no data is refused with its function and its place", async () => {
  const { db } = await openWeeks();
  const bad = db.cached("bad", async () => ({ rows: [{ run: () => 1 }] }));

  await expect(bad()).rejects.toMatchObject({
    code: "INVALID_ARGUMENT",
    message:
      'A function at rows.0.run cannot be the result of the cached function "bad". Give data: ' +
      "plain objects, lists, texts, numbers, bytes, dates, maps and sets.",
  });
});

test("a freshness that there is not is named", async () => {
  const { db } = await openWeeks();
  const freshness = "fast" as "turn";

  expect(() => db.cached("any", async () => 1, { freshness })).toThrow(
    'cached: freshness must be one of "strict", "turn", "exclusive", not "fast".',
  );
});

test("a transaction in a cached function is refused as one, though it only reads", async () => {
  const { db } = await openWeeks();
  const read = db.cached("read", () => db.transaction((tx) => tx.repository(Task).count()));

  await expect(read()).rejects.toMatchObject({
    code: "CACHED_WRITE",
    message: expect.stringMatching(/^The cached function "read" opens a transaction\. /),
  });
});

test("a PRAGMA is not kept, and does not count as a write", async () => {
  const { db } = await openWeeks();
  const version = db.cached("version", () => db.execute("pragma user_version"));

  expect((await version()).rows).toEqual([{ user_version: 0 }]);
  expect(version.explain().notKept).toBe(
    "The statement is no query: a PRAGMA tells of the file or of a connection, and not of rows.",
  );
});
