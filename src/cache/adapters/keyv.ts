/**
 * A category as a storage adapter of Keyv, versions 5 and 6, so that what stands on Keyv moves over
 * with its store. Nothing of Keyv is loaded.
 *
 * Keyv 5 puts its namespace in front of the keys and tells the adapter of it by setting
 * `namespace`. Keyv 6 wraps an adapter of this form and does the same with a prefix of its own, as
 * long as the adapter has no property `namespace`: so there is none until Keyv 5 makes one.
 *
 * Expiry is in milliseconds, and an entry without any is kept until there is no room for it, as
 * Keyv means it. A failed call rejects, and Keyv makes its own event of that.
 */

import { assertMethods } from "../../core/arguments.ts";
import { refuseUnknownKeys } from "../../core/options.ts";
import { type Life, parseLifeMs } from "../life.ts";

/** How to serve Keyv. */
export interface KeyvStoreOptions {
  /** The life of entries for which Keyv gives none. Default: `Infinity`, as with Keyv itself. */
  readonly ttl?: Life;
}

/** One entry of `setMany`. */
export interface KeyvStoreEntry {
  readonly key: string;
  readonly value: unknown;
  readonly ttl?: number | undefined;
}

/** What Keyv calls. */
export interface KeyvStore {
  /** Set by Keyv 5; `clear` and `iterator` keep to it. */
  namespace?: string | undefined;
  /** Keyv 5 iterates only over stores that it knows by name. */
  readonly opts: Record<string, unknown>;
  get(key: string): Promise<unknown>;
  getMany(keys: readonly string[]): Promise<unknown[]>;
  set(key: string, value: unknown, ttl?: number): Promise<boolean>;
  setMany(entries: readonly KeyvStoreEntry[]): Promise<boolean[]>;
  /** @returns whether there was an entry. */
  delete(key: string): Promise<boolean>;
  /** @returns whether there was an entry for each of the keys. */
  deleteMany(keys: readonly string[]): Promise<boolean>;
  has(key: string): Promise<boolean>;
  hasMany(keys: readonly string[]): Promise<boolean[]>;
  /** Drops the entries of the namespace; without one, whatever `clear` of the category drops. */
  clear(): Promise<void>;
  iterator(namespace?: string): AsyncGenerator<[string, unknown], void, undefined>;
  /** Waits for what is being written. The cache stays open: it is not Keyv's to close. */
  disconnect(): Promise<void>;
  /** There are no events: what fails rejects. */
  on(event: string, listener: (...parameters: never[]) => void): KeyvStore;
}

/** The part of a category that is needed, whatever its values are said to be. */
export interface KeyvCategory {
  get(key: string): Promise<unknown>;
  getMany(keys: readonly string[]): Promise<unknown[]>;
  setMany(
    entries: Iterable<readonly [string, never]>,
    options?: { readonly ttl?: Life },
  ): Promise<void>;
  has(key: string): Promise<boolean>;
  dropMany(keys: readonly string[]): Promise<void>;
  dropPrefix(prefix: string): Promise<void>;
  clear(): Promise<void>;
  keys(options?: { readonly prefix?: string }): AsyncIterable<readonly string[]>;
  flush(): Promise<void>;
}

const CATEGORY_METHODS: readonly (keyof KeyvCategory)[] = [
  "get",
  "getMany",
  "setMany",
  "has",
  "dropMany",
  "dropPrefix",
  "clear",
  "keys",
  "flush",
];

/**
 * Makes a storage adapter of a category. Give Keyv a category of its own: it writes texts.
 *
 * @throws `INVALID_ARGUMENT` for an option that it does not know.
 * @example const keyv = new Keyv({ store: keyvStore(cache.category("http")) });
 */
export function keyvStore(category: KeyvCategory, options: KeyvStoreOptions = {}): KeyvStore {
  assertMethods("keyvStore: category", "a category of a cache", category, CATEGORY_METHODS);
  refuseUnknownKeys(options, ["ttl"], "keyvStore");
  const { ttl = Number.POSITIVE_INFINITY } = options;
  const ttlMs = parseLifeMs(ttl, "ttl");
  const hasMany = (keys: readonly string[]): Promise<boolean[]> =>
    Promise.all(keys.map((key) => category.has(key)));
  const setMany = async (entries: readonly KeyvStoreEntry[]): Promise<boolean[]> => {
    for (const [life, some] of byLife(entries, ttlMs)) {
      await category.setMany(
        some.map(({ key, value }) => [key, value as never]),
        { ttl: life },
      );
    }
    return entries.map(() => true);
  };
  const deleteMany = async (keys: readonly string[]): Promise<boolean> => {
    const had = await hasMany(keys);
    await category.dropMany(keys);
    return had.every(Boolean);
  };
  // Keyv 6 tells adapters from maps by their methods being declared async.
  const store: KeyvStore = {
    opts: { dialect: "sqlite", url: "springhouse:" },
    get: async (key) => await category.get(key),
    getMany: async (keys) => await category.getMany(keys),
    set: async (key, value, ttl) => (await setMany([{ key, value, ttl }])).every(Boolean),
    setMany,
    delete: async (key) => await deleteMany([key]),
    deleteMany,
    has: async (key) => await category.has(key),
    hasMany: async (keys) => await hasMany(keys),
    clear: async () => {
      if (store.namespace === undefined) await category.clear();
      else await category.dropPrefix(store.namespace);
    },
    iterator: (namespace = store.namespace) => entriesOf(category, namespace),
    disconnect: async () => await category.flush(),
    on: () => store,
  };
  return store;
}

/** Entries by their life; of two with one key the last. */
function byLife(
  entries: readonly KeyvStoreEntry[],
  otherwiseMs: number,
): Map<number, KeyvStoreEntry[]> {
  const last = new Map(entries.map((entry) => [entry.key, entry]));
  // What Keyv holds to be over is not kept.
  return Map.groupBy(last.values(), ({ ttl }) => Math.max(0, ttl ?? otherwiseMs));
}

async function* entriesOf(
  category: KeyvCategory,
  namespace: string | undefined,
): AsyncGenerator<[string, unknown], void, undefined> {
  const list = namespace === undefined ? {} : { prefix: namespace };
  for await (const keys of category.keys(list)) {
    const values = await category.getMany(keys);
    for (const [index, key] of keys.entries()) {
      if (values[index] !== undefined) yield [key, values[index]];
    }
  }
}
