/** Of the Store contract: Units and single reads. */

import { expect } from "vitest";
import type { ContractTests } from "./fixture.ts";

export const unit: ContractTests = {
  "gives one result for each of its statements": async ({ store, put, all }) => {
    const [first, second, third] = await store.write([
      put(1, "a"),
      all,
      { sql: "DELETE FROM items RETURNING name", parameters: [] },
    ]);

    expect(first).toMatchObject({ changes: 1, rows: [] });
    expect(second).toMatchObject({ changes: 0, rows: [[1, "a"]] });
    expect(third).toMatchObject({ changes: 1, rows: [["a"]] });
  },

  "leaves no trace when one of its statements fails": async ({ store, put, rows }) => {
    await store.write([put(1, "a")]);

    await expect(store.write([put(2, "b"), put(3, "a")])).rejects.toMatchObject({
      code: "CONSTRAINT",
    });

    expect(await rows()).toEqual([[1, "a"]]);
  },

  "that fails takes none of those with it that were written at the same time": async ({
    store,
    put,
    rows,
  }) => {
    const outcomes = await Promise.allSettled(
      Array.from({ length: 50 }, (_, id) => store.write([put(id, id % 10 === 9 ? "x" : `v${id}`)])),
    );

    const failed = outcomes.flatMap(({ status }, id) => (status === "rejected" ? [id] : []));
    expect(failed).toEqual([19, 29, 39, 49]);
    expect((await rows()).length).toBe(46);
  },

  "is applied in the order in which it was written": async ({ store, put, rows, mark }) => {
    await store.write([put(1, "0")]);
    const sql = `UPDATE items SET name = ${mark(1)} WHERE id = 1`;

    await Promise.all(
      Array.from({ length: 100 }, (_, n) => store.write([{ sql, parameters: [`${n}`] }])),
    );

    expect(await rows()).toEqual([[1, "99"]]);
  },

  "of nothing does nothing": async ({ store }) => {
    expect(await store.write([])).toEqual([]);
  },

  "whose signal has fired is withdrawn": async ({ store, put, rows }) => {
    const signal = AbortSignal.abort();

    await expect(store.write([put(1, "a")], { signal })).rejects.toMatchObject({
      code: "ABORTED",
    });

    expect(await rows()).toEqual([]);
  },

  "of many statements is one unit all the same": async ({ store, put, rows }) => {
    const many = Array.from({ length: 3_000 }, (_, id) => put(id, `v${id}`));

    await expect(store.write([...many, put(1, "again")])).rejects.toMatchObject({
      code: "CONSTRAINT",
    });
    expect(await rows()).toEqual([]);

    expect((await store.write(many)).length).toBe(3_000);
    expect((await rows()).length).toBe(3_000);
  },
};

export const read: ContractTests = {
  "sees every write that was done before it": async ({ store, put, all, byId }) => {
    for (let id = 0; id < 20; id++) {
      await store.write([put(id, `v${id}`)]);
      expect((await store.read(byId(id))).rows).toEqual([[`v${id}`]]);
      expect((await store.read(all)).rows.length).toBe(id + 1);
    }
  },

  "names its columns and where they come from": async ({ store }) => {
    const { columns } = await store.read({
      sql: "SELECT name AS label, id + 1 AS next FROM items AS i",
      parameters: [],
    });

    expect(columns).toEqual([
      { name: "label", table: "items", column: "name" },
      { name: "next", table: null, column: null },
    ]);
  },

  "gives large integers as bigint and others as number": async ({ store }) => {
    const sql = "SELECT CAST(9007199254740993 AS BIGINT), 42";

    expect((await store.read({ sql, parameters: [] })).rows).toEqual([
      [9_007_199_254_740_993n, 42],
    ]);
  },

  "that would write is refused": async ({ store, put, rows }) => {
    await expect(store.read(put(1, "a"))).rejects.toMatchObject({ code: "STATEMENT_REFUSED" });

    expect(await rows()).toEqual([]);
  },

  "that fails leaves the store usable": async ({ store, rows }) => {
    const wrong = { sql: "SELECT * FROM nothing", parameters: [] };

    await expect(store.read(wrong)).rejects.toMatchObject({ code: "SQL" });

    expect(await rows()).toEqual([]);
  },
};
