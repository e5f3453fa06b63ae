/** Of the Store contract: Interactive transactions. */

import { expect } from "vitest";
import type { StoreTransaction } from "../../../src/store/store.ts";
import type { ContractTests } from "./fixture.ts";

export const transaction: ContractTests = {
  "commits when its function returns, and gives what it returned": async ({ store, put, ids }) => {
    const result = await store.transaction(async (transaction) => {
      await transaction.write([put(1, "a")]);
      expect(await ids(transaction)).toEqual([1]);
      expect(await ids(store)).toEqual([]);
      return "done";
    });

    expect(result).toBe("done");
    expect(await ids(store)).toEqual([1]);
  },

  "is rolled back when its function throws": async ({ store, put, ids }) => {
    const failing = store.transaction(async (transaction) => {
      await transaction.write([put(1, "a")]);
      throw new Error("changed my mind");
    });

    await expect(failing).rejects.toThrow("changed my mind");
    expect(await ids(store)).toEqual([]);
  },

  "goes on after a failed unit, without what that unit did": async ({ store, put, ids }) => {
    await store.transaction(async (transaction) => {
      await transaction.write([put(1, "a")]);
      const failing = transaction.write([put(2, "b"), put(3, "a")]);
      await expect(failing).rejects.toMatchObject({ code: "CONSTRAINT" });
      await transaction.write([put(4, "d")]);
    });

    expect(await ids(store)).toEqual([1, 4]);
  },

  "cannot be used after its end": async ({ store, put, all }) => {
    const kept = await store.transaction(async (transaction) => transaction);
    const ended = { code: "TRANSACTION_ENDED" };

    await expect(kept.write([put(1, "a")])).rejects.toMatchObject(ended);
    await expect(kept.read(all)).rejects.toMatchObject(ended);
    await expect(kept.transaction(async () => 1)).rejects.toMatchObject(ended);
    await expect(kept.writeMany("DELETE FROM items", [[]])).rejects.toMatchObject(ended);
    await expect(kept.stream(all)[Symbol.asyncIterator]().next()).rejects.toMatchObject(ended);
  },

  "is what the code inside of it runs in, however deep": async ({ store }) => {
    const deep = async (): Promise<StoreTransaction | undefined> => {
      await Promise.resolve();
      return store.current;
    };

    await store.transaction(async (transaction) => {
      expect(await deep()).toBe(transaction);
      await transaction.transaction(async (inner) => {
        expect(await deep()).toBe(inner);
        expect(inner.depth).toBe(transaction.depth + 1);
      });
      expect(await deep()).toBe(transaction);
    });

    expect(store.current).toBeUndefined();
  },

  "refuses writes through its own store, which would wait for it": async ({
    store,
    put,
    insert,
    ids,
  }) => {
    const refused = { code: "TRANSACTION_REENTRY" };

    await store.transaction(async () => {
      await expect(store.write([put(1, "a")])).rejects.toMatchObject(refused);
      await expect(store.writeMany(insert, [])).rejects.toMatchObject(refused);
      await expect(store.transaction(async () => 1)).rejects.toMatchObject(refused);
    });

    await store.write([put(1, "a")]);
    expect(await ids(store)).toEqual([1]);
  },

  "does not count for code that outlives it": async ({ store, put, ids }) => {
    const gate = Promise.withResolvers<void>();
    let later: Promise<unknown> = Promise.resolve();

    await store.transaction(async () => {
      later = gate.promise.then(() => store.write([put(1, "late")]));
    });
    gate.resolve();
    await later;

    expect(await ids(store)).toEqual([1]);
  },

  "takes its turn among the writes": async ({ store, put, ids }) => {
    const order: string[] = [];
    const note = (name: string) => (): number => order.push(name);

    await Promise.all([
      store.write([put(1, "a")]).then(note("first")),
      store.transaction((transaction) => transaction.write([put(2, "b")])).then(note("second")),
      store.write([put(3, "c")]).then(note("third")),
      store.transaction((transaction) => transaction.write([put(4, "d")])).then(note("fourth")),
    ]);

    expect(order).toEqual(["first", "second", "third", "fourth"]);
    expect(await ids(store)).toEqual([1, 2, 3, 4]);
  },

  "is rolled back at its deadline": async ({ store, put, ids }) => {
    const { promise: never } = Promise.withResolvers<void>();

    const late = store.transaction(
      async (transaction) => {
        await transaction.write([put(1, "a")]);
        await never;
      },
      { deadlineMs: 30 },
    );

    await expect(late).rejects.toMatchObject({ code: "TRANSACTION_TIMEOUT" });
    await store.write([put(2, "b")]);
    expect(await ids(store)).toEqual([2]);
  },

  "is rolled back when its signal fires": async ({ store, put, ids }) => {
    const controller = new AbortController();

    const aborted = store.transaction(
      async (transaction) => {
        await transaction.write([put(1, "a")]);
        controller.abort();
        await transaction.write([put(2, "b")]);
      },
      { signal: controller.signal },
    );

    await expect(aborted).rejects.toMatchObject({ code: "ABORTED" });
    expect(await ids(store)).toEqual([]);
  },
};
