/** Results that are too large for one message. */

import { describe, expect, it } from "vitest";
import { NUMBERS, open, openNumbers } from "./open-database.ts";
import { failureOf, sql } from "./support.ts";

describe("a large result", () => {
  it("arrives whole and in order, whoever computes it", async () => {
    const database = await openNumbers(5_000);
    const ids = Array.from({ length: 5_000 }, (_, index) => [index + 1]);

    const read = await database.read(sql("SELECT id FROM t ORDER BY id"));
    const [written] = await database.write([sql("UPDATE t SET v = '' RETURNING id")]);
    const snapshot = await database.snapshot((at) => at.read(sql("SELECT id FROM t ORDER BY id")));

    expect(read.rows).toEqual(ids);
    expect(snapshot.rows).toEqual(ids);
    expect(written?.changes).toBe(5_000);
    expect(written?.rows.toSorted((a, b) => Number(a[0]) - Number(b[0]))).toEqual(ids);
  });

  it("does not mix with the results of its neighbours in a group", async () => {
    const database = await openNumbers(1_500);

    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, n) => {
        return database.write([sql(`SELECT id, ${n} FROM t ORDER BY id`), sql(`SELECT ${n}`)]);
      }),
    );

    for (const [n, [long, short]] of answers.entries()) {
      expect(long?.rows.length).toBe(1_500);
      expect(long?.rows.every(([, value]) => value === n)).toBe(true);
      expect(short?.rows).toEqual([[n]]);
    }
  });

  it("can be given up while it is read, and the thread is free again", async () => {
    const database = await openNumbers(200_000, { pool: { maxSize: 1 } });
    const controller = new AbortController();
    const reading = failureOf(database.read(sql("SELECT * FROM t"), { signal: controller.signal }));

    setImmediate(() => controller.abort());

    expect(await reading).toMatchObject({ code: "ABORTED" });
    expect((await database.read(sql("SELECT count(*) FROM t"))).rows).toEqual([[200_000]]);
  });

  it("keeps integers beyond 2^53 exact wherever they stand in it", async () => {
    const database = await open();
    await database.write([
      sql("CREATE TABLE t (id INTEGER PRIMARY KEY, v INT)"),
      sql(`${NUMBERS(1_500)} INSERT INTO t SELECT i, 9007199254740990 + i FROM n`),
    ]);

    const { rows } = await database.read(sql("SELECT v FROM t ORDER BY id"));

    expect(rows[0]).toEqual([9_007_199_254_740_991]);
    expect(rows[1]).toEqual([9_007_199_254_740_992n]);
    expect(rows[1_499]).toEqual([9_007_199_254_742_490n]);
  });
});
