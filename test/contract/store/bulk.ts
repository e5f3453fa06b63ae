/** Of the Store contract: Reads and writes of many rows. */

import { expect } from "vitest";
import type { SqlValue } from "../../../src/store/store.ts";
import type { ContractTests } from "./fixture.ts";

export const stream: ContractTests = {
  "gives all rows in chunks": async ({ store, all, insert }) => {
    await store.writeMany(
      insert,
      Array.from({ length: 1_050 }, (_, id) => [id, `v${id}`]),
    );
    const sizes: number[] = [];
    const ids: SqlValue[] = [];
    for await (const chunk of store.stream(all, { chunkRows: 500 })) {
      sizes.push(chunk.rows.length);
      for (const [id] of chunk.rows) ids.push(id ?? null);
    }

    expect(sizes).toEqual([500, 500, 50]);
    expect(ids).toEqual(Array.from({ length: 1_050 }, (_, id) => id));
  },

  "sees one state of the database, whatever is written meanwhile": async ({
    store,
    put,
    all,
    insert,
  }) => {
    await store.writeMany(
      insert,
      Array.from({ length: 1_050 }, (_, id) => [id, `v${id}`]),
    );
    let seen = 0;
    for await (const chunk of store.stream(all, { chunkRows: 100 })) {
      seen += chunk.rows.length;
      await store.write([put(10_000 + seen, `late ${seen}`)]);
    }

    expect(seen).toBe(1_050);
  },

  "frees everything when the loop is left": async ({ store, all, insert, rows }) => {
    await store.writeMany(
      insert,
      Array.from({ length: 1_050 }, (_, id) => [id, `v${id}`]),
    );
    for (let round = 0; round < 30; round++) {
      for await (const chunk of store.stream(all, { chunkRows: 10 })) {
        expect(chunk.rows.length).toBe(10);
        break;
      }
    }

    expect((await rows()).length).toBe(1_050);
  },

  "ends when its signal fires": async ({ store, all, insert }) => {
    await store.writeMany(
      insert,
      Array.from({ length: 1_050 }, (_, id) => [id, `v${id}`]),
    );
    const controller = new AbortController();
    let chunks = 0;
    const reading = (async () => {
      for await (const chunk of store.stream(all, { chunkRows: 10, signal: controller.signal })) {
        chunks += chunk.rows.length > 0 ? 1 : 0;
        if (chunks === 3) controller.abort();
      }
    })();

    await expect(reading).rejects.toMatchObject({ code: "ABORTED" });
    expect(chunks).toBe(3);
  },

  "of nothing has the columns all the same": async ({ store, insert }) => {
    await store.writeMany(
      insert,
      Array.from({ length: 1_050 }, (_, id) => [id, `v${id}`]),
    );
    const chunks = [];
    const none = { sql: "SELECT id FROM items WHERE id < 0", parameters: [] };
    for await (const chunk of store.stream(none)) chunks.push(chunk);

    expect(chunks).toMatchObject([{ rows: [], columns: [{ name: "id" }] }]);
  },
};

export const writeMany: ContractTests = {
  "writes rows from any iterable and counts them": async ({ store, insert, rows }) => {
    async function* source(): AsyncGenerator<readonly SqlValue[]> {
      for (let id = 0; id < 1_200; id++) yield [id, `v${id}`];
    }
    const progress: number[] = [];

    const written = await store.writeMany(insert, source(), {
      onProgress: (count) => progress.push(count),
    });

    expect(written).toBe(1_200);
    expect((await rows()).length).toBe(1_200);
    expect(progress.at(-1)).toBe(1_200);
    expect(progress.toSorted((a, b) => a - b)).toEqual(progress);
  },

  "is one transaction: a bad row late in it leaves no trace": async ({ store, insert, rows }) => {
    const source = [...Array.from({ length: 2_000 }, (_, id) => [id, `v${id}`]), [5, "again"]];

    await expect(store.writeMany(insert, source)).rejects.toMatchObject({ code: "CONSTRAINT" });

    expect(await rows()).toEqual([]);
  },

  "leaves no trace when its source throws": async ({ store, insert, rows }) => {
    function* source(): Generator<readonly SqlValue[]> {
      for (let id = 0; id < 1_500; id++) yield [id, `v${id}`];
      throw new Error("the file ends here");
    }

    await expect(store.writeMany(insert, source())).rejects.toThrow("the file ends here");

    expect(await rows()).toEqual([]);
  },

  "can be aborted, and lets its source go": async ({ store, insert, rows }) => {
    const controller = new AbortController();
    let released = false;
    function* source(): Generator<readonly SqlValue[]> {
      try {
        for (let id = 0; ; id++) {
          if (id === 3_000) controller.abort();
          yield [id, `v${id}`];
        }
      } finally {
        released = true;
      }
    }

    const writing = store.writeMany(insert, source(), { signal: controller.signal });

    await expect(writing).rejects.toMatchObject({ code: "ABORTED" });
    expect(released).toBe(true);
    expect(await rows()).toEqual([]);
  },

  "of no rows writes none": async ({ store, insert }) => {
    expect(await store.writeMany(insert, [])).toBe(0);
  },
};
