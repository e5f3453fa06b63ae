/**
 * The Store contract as a suite that any backend can be run through.
 *
 * @example
 * describeStore({ name: "SQLite", open: () => openSqliteStore({ url: ":memory:" }), mark: () => "?" });
 */

import { afterAll, beforeAll, beforeEach, describe, it } from "vitest";
import type { Store } from "../../src/store/store.ts";
import { stream, writeMany } from "./store/bulk.ts";
import { fixtureOf, openWithItems, type StoreBackend } from "./store/fixture.ts";
import { closedStore, nestedTransaction } from "./store/nested.ts";
import { transaction } from "./store/transactions.ts";
import { read, unit } from "./store/units.ts";

const GROUPS = {
  "a unit": unit,
  "a read": read,
  "a stream": stream,
  writeMany,
  "a transaction": transaction,
  "a nested transaction": nestedTransaction,
  "a closed store": closedStore,
};

/** Runs the contract against a backend. */
export function describeStore(backend: StoreBackend): void {
  let store: Store;

  // One store for all tests: they also show that none of them leaves it in a bad state.
  beforeAll(async () => {
    store = await openWithItems(backend);
  });
  afterAll(() => store.close());
  beforeEach(async () => {
    await store.write([{ sql: "DELETE FROM items", parameters: [] }]);
  });

  for (const [group, tests] of Object.entries(GROUPS)) {
    describe(`${backend.name}: ${group}`, () => {
      for (const [sentence, run] of Object.entries(tests)) {
        it(sentence, () => run(fixtureOf(store, backend)));
      }
    });
  }
}
