/** What callers do that nobody should have to think of. */

import { expect, test } from "vitest";
import { openWeeks } from "./support.ts";

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
