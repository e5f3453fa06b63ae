/** What every test of the Store contract is given. */

import type { SqlValue, Statement, Store } from "../../../src/store/store.ts";

/** A backend under test. */
export interface StoreBackend {
  readonly name: string;
  /** Opens a store on an empty database of its own. */
  open(): Promise<Store>;
  /** The placeholder at a position, from 1. */
  mark(position: number): string;
}

/** A store with an empty table `items (id, name)`, and words to speak of it. */
export interface Fixture {
  readonly store: Store;
  /** Another store, with an `items` of its own. */
  open(): Promise<Store>;
  mark(position: number): string;
  /** Inserts a row. */
  readonly insert: string;
  put(id: number, name: string): Statement;
  byId(id: number): Statement;
  /** All rows in the order of their ids. */
  readonly all: Statement;
  rows(): Promise<readonly (readonly SqlValue[])[]>;
  /** The ids that a session sees. */
  ids(session: Pick<Store, "read">): Promise<SqlValue[]>;
}

/** Tests by their sentence. */
export type ContractTests = Readonly<Record<string, (fixture: Fixture) => Promise<void>>>;

/** Opens a store with an empty table. */
export async function openWithItems(backend: StoreBackend): Promise<Store> {
  const store = await backend.open();
  const schema = "CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT UNIQUE)";
  await store.write([{ sql: schema, parameters: [] }]);
  return store;
}

/** The fixture of one test. */
export function fixtureOf(store: Store, backend: StoreBackend): Fixture {
  const { mark } = backend;
  const insert = `INSERT INTO items (id, name) VALUES (${mark(1)}, ${mark(2)})`;
  const all = { sql: "SELECT id, name FROM items ORDER BY id", parameters: [] };
  return {
    store,
    open: () => openWithItems(backend),
    mark,
    insert,
    all,
    put: (id, name) => ({ sql: insert, parameters: [id, name] }),
    byId: (id) => ({ sql: `SELECT name FROM items WHERE id = ${mark(1)}`, parameters: [id] }),
    rows: async () => (await store.read(all)).rows,
    ids: async (session) => (await session.read(all)).rows.map(([id]) => id ?? null),
  };
}
