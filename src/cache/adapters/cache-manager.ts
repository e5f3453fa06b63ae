/**
 * A category with the calls of cache-manager 7, so that code written for it moves over by the line
 * that makes the cache. Lives are milliseconds; 0 is no end, as it is there.
 *
 * Two things differ. Values are copied and frozen, unless the category has `values: "shared"`. And
 * there are no events: the cache tells of everything on its channels.
 */

import { assertMethods } from "../../core/arguments.ts";
import { refuseUnknownKeys } from "../../core/options.ts";
import { type Life, parseLifeMs } from "../life.ts";
import type { Load } from "../load.ts";
import type { CallOptions, ReadOptions } from "../options.ts";

/** What `createCache` of cache-manager takes. */
export interface CacheManagerOptions {
  /** The life of entries for which a call gives none. Default: that of the category. */
  readonly ttl?: Life;
  /** `wrap` loads anew behind a hit that has less than this left to live. Default: never. */
  readonly refreshThreshold?: Life;
}

/** A number, or how to make one of the value. */
export type OfValue<T> = number | ((value: T) => number);

/** The second form of the options of `wrap`. */
export interface WrapOptions<T> {
  readonly ttl?: OfValue<T>;
  readonly refreshThreshold?: OfValue<T>;
  /** Gives the value with the moment of its end. */
  readonly raw?: boolean;
}

/** A value, and when its life ends in UTC milliseconds, if ever. */
export interface RawValue<T> {
  readonly value: T;
  readonly expires?: number;
}

/** One entry of `mset`. */
export interface CacheManagerEntry<T> {
  readonly key: string;
  readonly value: T;
  readonly ttl?: number;
}

/** The calls of cache-manager. */
export interface CacheManagerLike {
  get<T>(key: string): Promise<T | undefined>;
  mget<T>(keys: readonly string[]): Promise<(T | undefined)[]>;
  /** When the life of a key ends, UTC milliseconds; `undefined` for never and for no such key. */
  ttl(key: string): Promise<number | undefined>;
  set<T>(key: string, value: T, ttl?: number): Promise<T>;
  mset<T>(list: readonly CacheManagerEntry<T>[]): Promise<CacheManagerEntry<T>[]>;
  del(key: string): Promise<boolean>;
  mdel(keys: readonly string[]): Promise<boolean>;
  clear(): Promise<boolean>;
  /** The value of a key; when there is none, `fn` makes it, once for all who ask. */
  wrap<T>(
    key: string,
    fn: () => Promise<T> | T,
    ttl?: OfValue<T>,
    refreshThreshold?: OfValue<T>,
  ): Promise<T>;
  wrap<T>(
    key: string,
    fn: () => Promise<T> | T,
    options: WrapOptions<T> & { readonly raw: true },
  ): Promise<RawValue<T>>;
  wrap<T>(key: string, fn: () => Promise<T> | T, options: WrapOptions<T>): Promise<T>;
}

/** The part of a category that is needed. */
export interface CacheManagerCategory {
  get(key: string): Promise<unknown>;
  getMany(keys: readonly string[]): Promise<unknown[]>;
  freshForMs(key: string): Promise<number | undefined>;
  resolve(
    key: string,
    load: Load<unknown>,
    options?: ReadOptions,
  ): Promise<{ readonly value: unknown; readonly source: string }>;
  set(key: string, value: unknown, options?: CallOptions): Promise<void>;
  drop(key: string): Promise<void>;
  dropMany(keys: readonly string[]): Promise<void>;
  clear(): Promise<void>;
}

const CATEGORY_METHODS: readonly (keyof CacheManagerCategory)[] = [
  "get",
  "getMany",
  "freshForMs",
  "resolve",
  "set",
  "drop",
  "dropMany",
  "clear",
];

/**
 * Gives a category the calls of cache-manager.
 *
 * @throws `INVALID_ARGUMENT` for an option that it does not know.
 * @example
 * // before: const cache = createCache({ ttl: 10_000, refreshThreshold: 3_000 });
 * const users = cacheManager(cache.category("users"), { ttl: 10_000, refreshThreshold: 3_000 });
 * await users.wrap("7", () => loadUser(7));
 */
export function cacheManager(
  category: CacheManagerCategory,
  options: CacheManagerOptions = {},
): CacheManagerLike {
  return new Facade(category, options);
}

class Facade implements CacheManagerLike {
  readonly #category: CacheManagerCategory;
  readonly #ttlMs: number | undefined;
  readonly #thresholdMs: number | undefined;
  /** Keys that are loaded anew behind a hit; as many as there are loads under way. */
  readonly #refreshing = new Set<string>();

  constructor(category: CacheManagerCategory, options: CacheManagerOptions) {
    assertMethods("cacheManager: category", "a category of a cache", category, CATEGORY_METHODS);
    refuseUnknownKeys(options, ["ttl", "refreshThreshold"], "cacheManager");
    const { ttl, refreshThreshold } = options;
    this.#category = category;
    this.#ttlMs = ttl === undefined ? undefined : parseLifeMs(ttl, "ttl");
    this.#thresholdMs =
      refreshThreshold === undefined
        ? undefined
        : parseLifeMs(refreshThreshold, "refreshThreshold");
  }

  async get<T>(key: string): Promise<T | undefined> {
    return (await this.#category.get(key)) as T | undefined;
  }

  async mget<T>(keys: readonly string[]): Promise<(T | undefined)[]> {
    return (await this.#category.getMany(keys)) as (T | undefined)[];
  }

  async ttl(key: string): Promise<number | undefined> {
    return endIn(await this.#category.freshForMs(key));
  }

  async set<T>(key: string, value: T, ttl?: number): Promise<T> {
    const life = this.#lifeOf(ttl);
    if (value === undefined) await this.#category.drop(key);
    else await this.#category.set(key, value, life === undefined ? {} : { ttl: life });
    return value;
  }

  async mset<T>(list: readonly CacheManagerEntry<T>[]): Promise<CacheManagerEntry<T>[]> {
    const last = new Map(list.map((entry) => [entry.key, entry]));
    await Promise.all([...last.values()].map(({ key, value, ttl }) => this.set(key, value, ttl)));
    return [...list];
  }

  async del(key: string): Promise<boolean> {
    await this.#category.drop(key);
    return true;
  }

  async mdel(keys: readonly string[]): Promise<boolean> {
    await this.#category.dropMany(keys);
    return true;
  }

  async clear(): Promise<boolean> {
    await this.#category.clear();
    return true;
  }

  async wrap<T>(
    key: string,
    fn: () => Promise<T> | T,
    ttlOrOptions?: OfValue<T> | WrapOptions<T>,
    threshold?: OfValue<T>,
  ): Promise<never> {
    const { ttl, refreshThreshold, raw } = wrapOptions(ttlOrOptions, threshold);
    const load: Load<unknown> = async (context) => {
      const value = await fn();
      const life = this.#lifeOf(numberOf(ttl, value));
      if (life !== undefined) context.ttl(life);
      return value;
    };
    const { value, source } = await this.#category.resolve(key, load);
    const thresholdMs = numberOf(refreshThreshold, value as T) ?? this.#thresholdMs;
    if (source !== "load" && thresholdMs !== undefined) {
      const leftMs = await this.#category.freshForMs(key);
      if (leftMs !== undefined && leftMs < thresholdMs) void this.#refresh(key, load);
    }
    if (raw !== true) return value as never;
    const expires = await this.ttl(key);
    return (expires === undefined ? { value } : { value, expires }) as never;
  }

  /** A failure leaves what is there, and the cache tells of it. */
  async #refresh(key: string, load: Load<unknown>): Promise<void> {
    if (this.#refreshing.has(key)) return;
    this.#refreshing.add(key);
    try {
      await this.#category.resolve(key, load, { refresh: true });
    } catch {
    } finally {
      this.#refreshing.delete(key);
    }
  }

  /** cache-manager takes 0 for no end, and what is below for over. */
  #lifeOf(ttl: number | undefined): number | undefined {
    if (ttl === undefined) return this.#ttlMs;
    return ttl === 0 ? Number.POSITIVE_INFINITY : Math.max(0, ttl);
  }
}

function wrapOptions<T>(
  given: OfValue<T> | WrapOptions<T> | undefined,
  threshold: OfValue<T> | undefined,
): WrapOptions<T> {
  if (typeof given === "object") {
    refuseUnknownKeys(given, ["ttl", "refreshThreshold", "raw"], "wrap");
    return given;
  }
  return {
    ...(given === undefined ? {} : { ttl: given }),
    ...(threshold === undefined ? {} : { refreshThreshold: threshold }),
  };
}

function numberOf<T>(given: OfValue<T> | undefined, value: T): number | undefined {
  return typeof given === "function" ? given(value) : given;
}

function endIn(leftMs: number | undefined): number | undefined {
  if (leftMs === undefined || leftMs === Number.POSITIVE_INFINITY) return undefined;
  return Math.round(Date.now() + leftMs);
}
