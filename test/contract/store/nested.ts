/** Of the Store contract: Transactions in transactions, and the end of a store. */

import { expect } from "vitest";
import type { StoreTransaction } from "../../../src/store/store.ts";
import type { ContractTests } from "./fixture.ts";

export const nestedTransaction: ContractTests = {
  "is rolled back alone": async ({ store, put, ids }) => {
    await store.transaction(async (outer) => {
      await outer.write([put(1, "a")]);
      const failing = outer.transaction(async (inner) => {
        await inner.write([put(2, "b")]);
        await inner.transaction((innermost) => innermost.write([put(3, "c")]));
        expect(await ids(inner)).toEqual([1, 2, 3]);
        throw new Error("not this part");
      });
      await expect(failing).rejects.toThrow("not this part");
      await outer.transaction((inner) => inner.write([put(4, "d")]));
    });

    expect(await ids(store)).toEqual([1, 4]);
  },

  "is rolled back with its parent": async ({ store, put, ids }) => {
    const failing = store.transaction(async (outer) => {
      await outer.transaction((inner) => inner.write([put(1, "a")]));
      throw new Error("nothing of it");
    });

    await expect(failing).rejects.toThrow("nothing of it");
    expect(await ids(store)).toEqual([]);
  },

  "waits for its elder sibling": async ({ store, put, ids }) => {
    const order: string[] = [];
    const child = (name: string, id: number) => async (inner: StoreTransaction) => {
      order.push(`${name} begins`);
      await inner.write([put(id, name)]);
      if (name === "b") throw new Error("b fails");
      order.push(`${name} ends`);
    };

    await store.transaction(async (outer) => {
      await Promise.allSettled([
        outer.transaction(child("a", 1)),
        outer.transaction(child("b", 2)),
        outer.transaction(child("c", 3)),
      ]);
    });

    expect(order).toEqual(["a begins", "a ends", "b begins", "c begins", "c ends"]);
    expect(await ids(store)).toEqual([1, 3]);
  },

  "keeps what its parent writes meanwhile out of its own fate": async ({ store, put, ids }) => {
    await store.transaction(async (outer) => {
      const failing = outer.transaction(async (inner) => {
        await inner.write([put(1, "inner")]);
        throw new Error("inner fails");
      });
      const meanwhile = outer.write([put(2, "outer")]);
      await expect(failing).rejects.toThrow("inner fails");
      await meanwhile;
    });

    expect(await ids(store)).toEqual([2]);
  },

  "refuses its parent inside, which would wait for its end": async ({ store, put, all, ids }) => {
    const refused = { code: "TRANSACTION_REENTRY" };

    await store.transaction(async (outer) => {
      await outer.transaction(async (inner) => {
        await expect(outer.write([put(1, "a")])).rejects.toMatchObject(refused);
        await expect(outer.read(all)).rejects.toMatchObject(refused);
        await expect(outer.transaction(async () => 1)).rejects.toMatchObject(refused);
        await inner.write([put(2, "b")]);
      });
      await outer.write([put(3, "c")]);
    });

    expect(await ids(store)).toEqual([2, 3]);
  },

  "that is still open when its parent returns takes the parent down": async ({
    store,
    put,
    ids,
  }) => {
    const gate = Promise.withResolvers<void>();
    let child: Promise<unknown> = Promise.resolve();

    const careless = store.transaction(async (outer) => {
      child = outer.transaction(async (inner) => {
        await inner.write([put(1, "a")]);
        await gate.promise;
      });
      child.catch(() => undefined);
    });

    await expect(careless).rejects.toMatchObject({ code: "TRANSACTION_ENDED" });
    gate.resolve();
    await expect(child).rejects.toMatchObject({ code: "TRANSACTION_ENDED" });
    expect(await ids(store)).toEqual([]);
  },

  "writes many rows as a part that can fail alone": async ({ store, insert, ids }) => {
    await store.transaction(async (outer) => {
      expect(
        await outer.writeMany(insert, [
          [1, "a"],
          [2, "b"],
        ]),
      ).toBe(2);
      const failing = outer.writeMany(insert, [
        [3, "c"],
        [4, "a"],
      ]);
      await expect(failing).rejects.toMatchObject({ code: "CONSTRAINT" });
    });

    expect(await ids(store)).toEqual([1, 2]);
  },

  "streams what the transaction has written": async ({ store, all, insert, ids }) => {
    await store.transaction(async (outer) => {
      await outer.writeMany(
        insert,
        Array.from({ length: 30 }, (_, id) => [id, `v${id}`]),
      );
      let seen = 0;
      for await (const { rows } of outer.stream(all, { chunkRows: 7 })) seen += rows.length;
      expect(seen).toBe(30);
      for await (const { rows } of outer.stream(all, { chunkRows: 7 })) {
        expect(rows.length).toBe(7);
        break;
      }
      await outer.write([{ sql: "DELETE FROM items", parameters: [] }]);
    });

    expect(await ids(store)).toEqual([]);
  },
};

export const closedStore: ContractTests = {
  "has finished what was under way, and refuses the rest": async ({ put, all, insert, open }) => {
    const store = await open();
    const writes = Array.from({ length: 40 }, (_, id) => store.write([put(id, `v${id}`)]));
    const reads = Array.from({ length: 5 }, () => store.read(all));
    const transaction = store.transaction((inner) => inner.write([put(100, "t")]));

    await Promise.all([store.close(), store.close()]);

    expect(
      (await Promise.allSettled([...writes, ...reads, transaction])).map((o) => o.status),
    ).toEqual(Array(46).fill("fulfilled"));
    const closed = { code: "CLOSED" };
    await expect(store.write([put(200, "x")])).rejects.toMatchObject(closed);
    await expect(store.read(all)).rejects.toMatchObject(closed);
    await expect(store.writeMany(insert, [])).rejects.toMatchObject(closed);
    await expect(store.transaction(async () => 1)).rejects.toMatchObject(closed);
    await expect(store.stream(all)[Symbol.asyncIterator]().next()).rejects.toMatchObject(closed);
    await store.close();
  },
};
