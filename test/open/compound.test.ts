/** Values of a compound SELECT: each column holds values of all parts. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Database } from "../../src/open/database.ts";
import { open } from "../../src/open.ts";
import { t } from "../../src/schema/column.ts";
import { entity } from "../../src/schema/entity.ts";

const columns = { id: t.int().primaryKey(), isPaid: t.boolean(), paidAt: t.timestamp() };
const Bill = entity("bills", columns);
const Order = entity("orders", columns);

describe("a compound SELECT", () => {
  let db: Database<readonly [typeof Bill, typeof Order]>;

  beforeAll(async () => {
    db = await open({ url: "sqlite::memory:", entities: [Bill, Order] });
    await db.repository(Bill).create({ id: 1, isPaid: true, paidAt: new Date(5) });
    await db.repository(Order).create({ id: 7, isPaid: false, paidAt: new Date(6) });
  });
  afterAll(() => db.close());

  it("is decoded where all parts have columns of the same kind", async () => {
    const wanted = [
      { isPaid: true, at: new Date(5) },
      { isPaid: false, at: new Date(6) },
    ];
    const part = (table: string): string =>
      `SELECT is_paid AS "isPaid", paid_at AS at FROM ${table}`;

    const { rows } = await db.execute(`${part("bills")} UNION ALL ${part("orders")} ORDER BY at`);
    const built = await db.query
      .selectFrom("bills")
      .select(["is_paid as isPaid", "paid_at as at"])
      .unionAll(db.query.selectFrom("orders").select(["is_paid as isPaid", "paid_at as at"]))
      .orderBy("at")
      .execute();

    expect(rows).toEqual(wanted);
    expect(built).toEqual(wanted);
  });

  it.each([
    ["SELECT is_paid AS v FROM bills UNION ALL SELECT id FROM orders", [1, 7]],
    ["SELECT id AS v FROM orders UNION SELECT is_paid FROM bills ORDER BY v", [1, 7]],
    ["SELECT is_paid AS v FROM bills UNION ALL SELECT 9", [1, 9]],
    ["SELECT paid_at AS v FROM bills UNION ALL SELECT 'never' LIMIT 2", [5, "never"]],
  ])("keeps the stored values where they differ: %s", async (sql, values) => {
    const read = (await db.execute(sql)).rows;
    const inside = await db.transaction(async (tx) => (await tx.execute(sql)).rows);
    const streamed = await Array.fromAsync(db.stream(sql));

    for (const rows of [read, inside, streamed])
      expect(rows.map((row) => row["v"])).toEqual(values);
  });
});
