/**
 * One category of a cache, as its users have it. A hit in memory is answered here at once; all
 * other reads go to the reader, all changes to the shelf.
 */

import { throwIfAborted } from "../core/abort.ts";
import { assertFunction, assertList, assertTexts, wrongArgument } from "../core/arguments.ts";
import { mapAtOnce } from "../core/slices.ts";
import { Changes } from "./changes.ts";
import { cacheChannels } from "./channels.ts";
import type { CacheCore } from "./core.ts";
import { entriesOf, type OwnEntry } from "./entries.ts";
import { type Explanation, explain, freshForMs } from "./explain.ts";
import type { Resolved } from "./flight.ts";
import { type Journal, loadManyPast, loadPast } from "./journal.ts";
import { type Key, keyText } from "./key.ts";
import type { Load, LoadMany } from "./load.ts";
import type { Loader, ReadCall } from "./loading.ts";
import { type LoadedAs, type Lookup, lookupOf } from "./lookup.ts";
import { type CallOptions, callLife, type ReadOptions, type ResolvedCategory } from "./options.ts";
import { Reader } from "./reader.ts";
import { type RefreshOptions, readOptionsOf, startRefresh } from "./refresh.ts";
import type { Shelf } from "./shelf.ts";
import { type CategoryStatistics, categoryStatistics } from "./statistics.ts";
import { assertLoads } from "./strategy.ts";
import { type SettleBatch, type WarmOptions, type WarmResult, warm } from "./warm.ts";

/** Which keys to list. */
export interface ListOptions {
  /** The key of whole parts that they begin with. */
  readonly prefix?: Key;
  readonly tag?: string;
  readonly signal?: AbortSignal | undefined;
}

/** Keys that are read in one turn of the event loop; more are read in slices. */
const KEYS_AT_ONCE = 100;

/** Entries of one kind: one way to keep them, one set of keys. */
export class CategoryCache<T = unknown> {
  /** Its name. */
  readonly name: string;
  protected readonly core: CacheCore;
  readonly #options: ResolvedCategory;
  readonly #shelf: Shelf;
  readonly #reader: Reader;
  readonly #call: ReadCall;
  /** The load of the category, for reads that bring none. */
  readonly #loader: Loader | undefined;
  readonly #journal: Journal | undefined;
  readonly #changes: Changes;

  /** Made by `createCache`. */
  constructor(core: CacheCore, options: ResolvedCategory) {
    this.name = options.name;
    this.core = core;
    this.#options = options;
    this.#shelf = core.makeShelf(options);
    this.#reader = new Reader(this.#shelf);
    this.#call = {
      life: options.life,
      tags: this.#fullTags(options.tags),
      signal: undefined,
      refresh: false,
      allowStale: false,
      lease: options.lease,
      bypass: options.source.strategy === "none",
    };
    const { strategy, save, load } = options.source;
    this.#journal =
      strategy === "write-behind" && save !== undefined
        ? core.makeJournal(this.#shelf, save)
        : undefined;
    this.#loader =
      load === undefined && this.#journal === undefined
        ? undefined
        : this.#asLoader((load ?? (() => undefined)) as Load<T>);
    this.#changes = new Changes({
      shelf: this.#shelf,
      reader: this.#reader,
      source: options.source,
      journal: this.#journal,
      assertOpen: () => core.assertOpen(),
    });
    core.register(this.#shelf, this.#reader);
  }

  /**
   * The value that memory has, without waiting; `undefined` when it has none. A hit is counted and
   * a miss is not: the read that follows it counts that.
   */
  peek(key: Key): T | undefined {
    const { memory } = this.#shelf;
    if (memory === undefined) return undefined;
    // Keys are kept in normal form, so one that is found needs none of it.
    let value = typeof key === "string" ? memory.findValue(key) : undefined;
    if (value === undefined) value = memory.findValueExactly(keyText(key));
    if (value === undefined) this.core.assertOpen();
    else if (cacheChannels.hit.hasSubscribers) {
      this.#shelf.tell("hit", keyText(key), this.#shelf.memoryName);
    }
    return value as T | undefined;
  }

  /** The value of a key; `undefined` when there is none. */
  get(key: Key, options?: ReadOptions): Promise<T | undefined> {
    if (options === undefined && typeof key === "string") {
      const settled = this.#settled(key);
      if (settled !== undefined) return settled;
    }
    return this.#one(key, this.#loader, options).then(({ value }) => value as T | undefined);
  }

  /** The same with where it came from; tells a miss from every value. */
  async lookup(key: Key, options?: ReadOptions): Promise<Lookup<T>> {
    return lookupOf(await this.#one(key, this.#loader, options));
  }

  /** The values of several keys, in their order; one call of each tier for 500 of them. */
  async getMany(keys: readonly Key[], options?: ReadOptions): Promise<(T | undefined)[]> {
    assertList("getMany: keys", keys);
    const resolved = await this.#many(keys, this.#loader, options);
    return resolved.map(({ value }) => value as T | undefined);
  }

  /** Whether there is a fresh value. Reads and loads nothing, and counts nothing in any tier. */
  async has(key: Key): Promise<boolean> {
    return (await this.freshForMs(key)) !== undefined;
  }

  /** How long the value of a key is fresh from now on; `undefined` without one. */
  freshForMs(key: Key): Promise<number | undefined> {
    this.core.assertOpen();
    return freshForMs(this.#shelf, keyText(key));
  }

  /**
   * The value of a key; when there is none, `load` makes it. However many callers miss it at the
   * same time, it is loaded once.
   *
   * @throws what `load` throws, `TIMEOUT`, `ABORTED`, `INVALID_ARGUMENT`, `CLOSED`.
   * @example await cache.getOrSet(["week", 7], ({ signal }) => api.week(7, { signal }))
   */
  getOrSet<U extends T = T>(
    key: Key,
    load: Load<T, U>,
    options?: ReadOptions,
  ): Promise<LoadedAs<T, U>> {
    if (options === undefined && typeof key === "string") {
      const settled = this.#settled(key);
      if (settled !== undefined) return settled as Promise<LoadedAs<T, U>>;
    }
    if (typeof load !== "function") {
      return Promise.reject(wrongArgument("getOrSet: load", "a function", load));
    }
    const loader = this.#asLoader(load);
    return this.#one(key, loader, options).then(({ value }) => value as LoadedAs<T, U>);
  }

  /** The same with where the value came from. */
  async resolve<U extends T = T>(
    key: Key,
    load: Load<T, U>,
    options?: ReadOptions,
  ): Promise<Lookup<LoadedAs<T, U>>> {
    return lookupOf(await this.#one(key, this.#asLoader(load), options));
  }

  /**
   * The values of several keys, in their order. Those that are missing are loaded by one call of
   * `load`, but for those that somebody else loads already. What was loaded is kept even when the
   * load of another key failed.
   */
  async getOrSetMany<U extends T = T>(
    keys: readonly Key[],
    load: LoadMany<U>,
    options?: ReadOptions,
  ): Promise<(LoadedAs<T, U> | undefined)[]> {
    assertList("getOrSetMany: keys", keys);
    const resolved = await this.#many(keys, this.#asManyLoader(load), options);
    return resolved.map(({ value }) => value as LoadedAs<T, U> | undefined);
  }

  /** Keeps a value. `undefined` is no value. */
  async set(key: Key, value: T, options?: CallOptions): Promise<void> {
    await this.setMany([[key, value]], options);
  }

  /** Keeps several values; none of them when one cannot be kept. */
  async setMany(entries: Iterable<readonly [Key, T]>, options?: CallOptions): Promise<void> {
    const { life, tags, signal } = this.#callOf(options, "set");
    throwIfAborted(signal, "The change of the cache");
    const { values } = this.#options;
    const own = (value: unknown): unknown => this.core.ownValue(value, values);
    const kept = { kept: true, ttlMs: undefined, tags, etag: undefined, loadMs: 0 };
    const prepare = (pause: () => Promise<void>): OwnEntry[] | Promise<OwnEntry[]> =>
      entriesOf(entries, own, pause);
    await this.#changes.make<OwnEntry>({
      tags,
      prepare,
      keyOf: ([key]) => key,
      toSource: ([key, value]) => ({ kind: "set", key, value }),
      apply: ([key, value], isDropped) => {
        // Without a cache, too: what a tier has of before must not come back with it.
        if (isDropped || this.#call.bypass) this.#shelf.drop(key);
        else this.#shelf.keep(key, { ...kept, value }, life);
      },
    });
  }

  /** Drops a key everywhere. */
  async drop(key: Key): Promise<void> {
    await this.dropMany([key]);
  }

  async dropMany(keys: readonly Key[]): Promise<void> {
    this.core.assertOpen();
    assertList("dropMany: keys", keys);
    await this.#changes.make<string>({
      tags: [],
      prepare: (pause) => mapAtOnce(keys, keyText, pause),
      keyOf: (key) => key,
      toSource: (key) => ({ kind: "drop", key }),
      apply: (key) => this.#shelf.drop(key),
    });
  }

  /** Drops a key of whole parts and all below: "week:1" takes "week:1:tasks", not "week:10". */
  async dropPrefix(prefix: Key): Promise<void> {
    this.core.assertOpen();
    const text = keyText(prefix);
    this.#reader.fencePrefix(text);
    this.#shelf.dropPrefix(text);
    await this.#shelf.flushed();
  }

  /** Ends the freshness of a key and keeps its value for when nothing better can be had. */
  async expire(key: Key): Promise<void> {
    this.core.assertOpen();
    const text = keyText(key);
    this.#reader.fence(text);
    this.#shelf.expire(text);
    await this.#shelf.flushed();
  }

  /** Drops everything of this category. */
  async clear(): Promise<void> {
    this.core.assertOpen();
    this.#reader.fenceAll();
    this.#shelf.clear();
    await this.#shelf.flushed();
  }

  /** The keys, of all tiers, in chunks. */
  async *keys(options: ListOptions = {}): AsyncGenerator<string[], void, undefined> {
    yield* this.core.keysOf(this.#shelf, options);
  }

  /** Loads what is missing of these keys, so that those who come find it. */
  async warm(
    keys: readonly Key[],
    load: LoadMany<T>,
    options: WarmOptions = {},
  ): Promise<WarmResult> {
    assertList("warm: keys", keys);
    const loader = this.#asManyLoader(load);
    const settle: SettleBatch = async (batch, read) =>
      await Promise.allSettled(await this.#reader.resolveMany(batch, loader, this.#readOf(read)));
    const kept = { flush: () => this.#shelf.flushed(), has: (key: Key) => this.has(key) };
    this.core.assertOpen();
    return await warm(settle, kept, keys, options);
  }

  /** Loads a key anew, again and again, before its time is over. */
  refreshAhead(key: Key, load: Load<T>, options: RefreshOptions = {}): Disposable {
    this.#callOf(readOptionsOf(options));
    const loader = this.#asLoader(load);
    const text = keyText(key);
    const refresh = async (read: ReadOptions): Promise<void> => {
      const { stale, error } = await this.#reader.renew(text, loader, this.#readOf(read));
      if (stale) throw error;
    };
    return startRefresh(refresh, () => this.core.closed, this.#shelf, options);
  }

  /** Everything known of a key: where it is, how old, for how long, and what its load took. */
  async explain(key: Key): Promise<Explanation> {
    this.core.assertOpen();
    return await explain(this.#shelf, this.#reader, keyText(key), this.core);
  }

  statistics(): CategoryStatistics {
    return categoryStatistics(this.#shelf, this.#reader.flights);
  }

  resetStatistics(): void {
    this.#shelf.resetCounts();
  }

  /** Waits until what was written behind is saved, or its `save` has failed. */
  async flush(): Promise<void> {
    this.core.assertOpen();
    await this.#journal?.flush();
    await this.#shelf.flushed();
  }

  /** A hit in memory that needs no more than a look. */
  #settled(key: string): Promise<T> | undefined {
    const settled = this.#shelf.memory?.findSettled(key);
    if (settled === undefined) return undefined;
    if (cacheChannels.hit.hasSubscribers) this.#shelf.tell("hit", key, this.#shelf.memoryName);
    return settled as Promise<T>;
  }

  async #one(
    key: Key,
    loader: Loader | undefined,
    options: ReadOptions | undefined,
  ): Promise<Resolved> {
    const [resolved] = await this.#many([key], loader, options);
    return resolved as Resolved;
  }

  async #many(
    keys: readonly Key[],
    loader: Loader | undefined,
    options: ReadOptions | undefined,
  ): Promise<readonly Resolved[]> {
    const call = this.#readOf(options);
    if (call.refresh && loader === this.#loader) assertLoads(this.name, this.#options.source);
    if (keys.length > KEYS_AT_ONCE) return await this.#reader.resolveAll(keys, loader, call);
    return await Promise.all(this.#reader.resolve(keys.map(keyText), loader, call));
  }

  #readOf(options: ReadOptions | undefined): ReadCall {
    const call = this.#callOf(options);
    throwIfAborted(call.signal, "The read of the cache");
    return call;
  }

  #callOf(options: ReadOptions | undefined, verb: "read" | "set" = "read"): ReadCall {
    this.core.assertOpen();
    if (options === undefined) return this.#call;
    const life = callLife(options, verb, this.#options.life, `A call of category "${this.name}"`);
    const { tags = [], signal, refresh = false, allowStale = false, tierTtl } = options;
    assertTexts("tags", tags);
    if (tierTtl !== undefined) this.core.assertTiers(Object.keys(tierTtl), this.name);
    return {
      ...this.#call,
      life,
      tags: [...this.#call.tags, ...this.#fullTags(tags)],
      signal,
      refresh,
      allowStale,
      // What another process loads meanwhile may have been read before this call.
      lease: this.#call.lease && !refresh,
    };
  }

  #asLoader(load: Load<T>): Loader {
    assertFunction("load", load);
    return { kind: "one", load: loadPast(this.#journal, load as Load<unknown>) };
  }

  #asManyLoader(load: LoadMany<T>): Loader {
    assertFunction("load", load);
    return { kind: "many", load: loadManyPast(this.#journal, load as LoadMany<unknown>) };
  }

  #fullTags(tags: readonly string[]): readonly string[] {
    return tags.map((tag) => this.core.fullTag(tag));
  }
}
