/** What is tested: a database with a cache before it, and what it is measured by. */

import { DatabaseSync } from "node:sqlite";
import { TrackedSession } from "../../src/coherence/tracked-session.ts";
import { systemClock } from "../../src/core/clock.ts";
import { Caching } from "../../src/open/caching.ts";
import { createCatalog } from "../../src/schema/catalog.ts";
import { openSqliteStore } from "../../src/store/sqlite/store.ts";
import type { SqlValue } from "../../src/store/store.ts";
import type { ExactRow } from "./values.ts";

export type Rows = readonly (readonly SqlValue[])[];

/** A database with a cache before it. */
export interface Subject extends AsyncDisposable {
  /** Runs a statement by our writer. */
  run(sql: string): Promise<void>;
  /** The result of a query, through the cache. */
  ask(sql: string): Promise<Rows>;
  /** How often a query was run for its result. */
  runs(): number;
  /** The result if the cache has it and may give it. */
  peek(sql: string): Rows | undefined;
  /** Why results are not kept. */
  notKept(sql: string): string | undefined;
}

/** More than a file has queries; so that nothing is dropped for want of room. */
const ENTRIES_MAX = 100_000;

/** Opens a new file with our store. */
export async function openSubject(path: string): Promise<Subject> {
  const store = await openSqliteStore({ url: `sqlite:///${path}`, profile: "fast" });
  const limits = { maxEntries: ENTRIES_MAX, maxBytes: "1GB" } as const;
  const caching = new Caching(store, createCatalog([]), systemClock, limits);
  const session = new TrackedSession(store);
  let runs = 0;
  const read = async (sql: string): Promise<Rows> => {
    runs++;
    return (await session.read({ sql, parameters: [] })).rows;
  };
  const ask = caching.cached("ask", read, {});
  return {
    async run(sql) {
      if (store.isWrite(sql)) await store.write([{ sql, parameters: [] }]);
      else await store.read({ sql, parameters: [] });
    },
    ask,
    runs: () => runs,
    peek: (sql) => ask.peek(sql),
    notKept: (sql) => ask.explain(sql).notKept,
    async [Symbol.asyncDispose]() {
      caching.close(path);
      await store.close();
    },
  };
}

/** A connection that knows nothing of Springhouse. */
export class Witness implements Disposable {
  readonly #connection: DatabaseSync;

  constructor(path: string) {
    this.#connection = new DatabaseSync(path, { readOnly: true, returnArrays: true });
  }

  /** The rows that the file has now. */
  ask(sql: string): readonly ExactRow[] {
    const statement = this.#connection.prepare(sql);
    statement.setReadBigInts(true);
    return statement.all() as unknown as ExactRow[];
  }

  [Symbol.dispose](): void {
    this.#connection.close();
  }
}
