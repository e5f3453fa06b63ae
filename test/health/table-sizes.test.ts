/** Rows of tables, without counting them all. */

import { describe, expect, it } from "vitest";
import { formatRows, tableSizes } from "../../src/health/table-sizes.ts";
import type { SqliteStore } from "../../src/store/sqlite/store.ts";
import { openStore, sql } from "./support.ts";

const NEVER = new AbortController().signal;

async function fill(store: SqliteStore, table: string, ids: string): Promise<void> {
  await store.write([
    sql(`CREATE TABLE ${table} (id INTEGER PRIMARY KEY, v)`),
    sql(`WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
      INSERT INTO ${table} SELECT ${ids}, 'x' FROM n`),
  ]);
}

async function sizesOf(store: SqliteStore): Promise<Record<string, unknown>> {
  const sizes = await tableSizes(store, () => 0.5, NEVER);
  return Object.fromEntries(sizes.map((size) => [size.table, size]));
}

describe("the sizes of tables", () => {
  it("are exact up to 1,000 rows, and where rows are never deleted", async () => {
    const store = await openStore();
    await fill(store, "grown", "i");
    await store.write([sql("INSERT INTO t SELECT i.value, '' FROM json_each('[1,7,9]') i")]);

    expect(await sizesOf(store)).toEqual({
      grown: { table: "grown", rows: 5_000, isExact: false },
      t: { table: "t", rows: 3, isExact: true },
    });
  });

  it("are estimates where every other row is gone", async () => {
    const store = await openStore();
    await fill(store, "thinned", "i");
    await store.write([sql("DELETE FROM thinned WHERE id % 3 = 0")]);

    const { rows } = (await sizesOf(store))["thinned"] as { rows: number };

    expect(rows).toBeGreaterThan(2_500);
    expect(rows).toBeLessThan(4_200);
  });

  it("come from ANALYZE where rowids are sparse, or there are none, else are unknown", async () => {
    const store = await openStore();
    await fill(store, "sparse", "i * 1000003");
    await store.write([
      sql("CREATE TABLE keyed (id INTEGER PRIMARY KEY) WITHOUT ROWID"),
      sql("INSERT INTO keyed SELECT id FROM sparse"),
    ]);

    const before = await sizesOf(store);
    await store.write([sql("ANALYZE")]);
    const after = await sizesOf(store);

    expect(before["sparse"]).toMatchObject({ rows: undefined });
    expect(before["keyed"]).toMatchObject({ rows: undefined });
    expect(after["sparse"]).toMatchObject({ rows: 5_000, isExact: false });
    expect(after["keyed"]).toMatchObject({ rows: 5_000, isExact: false });
  });

  it("take a name of the rowid that no column has taken", async () => {
    const store = await openStore();
    await store.write([
      sql('CREATE TABLE odd ("rowid" TEXT, "_ROWID_" TEXT, "a ""b""" TEXT)'),
      sql(`WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
        INSERT INTO odd SELECT 'x', 'y', 'z' FROM n`),
    ]);

    expect((await sizesOf(store))["odd"]).toMatchObject({ rows: 2_000 });
  });

  it("leave out what is no table of the user, and put the largest first", async () => {
    const store = await openStore();
    await store.write([
      sql("CREATE VIRTUAL TABLE pages USING fts5 (text)"),
      sql("CREATE TABLE springhouse_meta (key TEXT PRIMARY KEY, value TEXT)"),
      sql("CREATE TABLE z (v)"),
      sql("INSERT INTO z VALUES (1)"),
    ]);

    const sizes = await tableSizes(store, Math.random, NEVER);

    expect(sizes.map(({ table }) => table)).toEqual(["z", "t"]);
  });

  it("are written so that an estimate is seen to be one", () => {
    const write = (rows: number | undefined, isExact: boolean) =>
      formatRows({ table: "t", rows, isExact });

    expect(write(1, true)).toBe("1 row");
    expect(write(1_234_567, false)).toBe("about 1,234,567 rows");
    expect(write(undefined, false)).toBe("more than 1,000 rows");
  });
});
