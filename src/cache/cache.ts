/**
 * The cache: categories over tiers. It is its own default category.
 *
 * @example
 * const cache = createCache({ tiers: [memoryTier(), sqliteTier()], defaults: { ttl: "5m" } });
 * const week = await cache.getOrSet(["week", 7], () => loadWeek(7), { tags: ["weeks"] });
 * await cache.dropTag("weeks");
 */

import { SpringhouseError } from "../core/errors.ts";
import { shown } from "../core/shown.ts";
import { CategoryCache } from "./category.ts";
import { CacheCore } from "./core.ts";
import { type CacheOptions, DEFAULT_CATEGORY, type ResolvedCategory } from "./options.ts";
import { type CacheStatistics, cacheStatistics } from "./statistics.ts";

/**
 * Makes a cache.
 *
 * @throws `INVALID_ARGUMENT` for options that cannot work, naming them.
 */
export function createCache(options: CacheOptions = {}): Cache {
  return new Cache(new CacheCore(options));
}

/** A cache. Made by `createCache`. */
export class Cache extends CategoryCache implements AsyncDisposable {
  readonly #categories = new Map<string, CategoryCache>();
  readonly #names: readonly string[];
  /** Resolves with the number of keys that `warmStart` has read; 0 without it. */
  readonly warmStarted: Promise<number>;

  constructor(core: CacheCore) {
    const { categories } = core.options;
    super(core, categoryNamed(categories, DEFAULT_CATEGORY));
    this.#names = categories.map(({ name }) => name);
    for (const category of categories) {
      const isDefault = category.name === DEFAULT_CATEGORY;
      const made = isDefault ? this : new CategoryCache(core, category);
      for (const name of [category.name, ...category.aliases]) this.#put(name, made);
    }
    this.warmStarted = core.warmStart();
    // Whoever does not wait for it is to hear of its failure by the tier's own errors.
    this.warmStarted.catch(() => undefined);
  }

  /** The names of the categories. */
  get categories(): readonly string[] {
    return this.#names;
  }

  /** A category, by its name or an alias. @throws `INVALID_ARGUMENT` naming those there are. */
  category<T = unknown>(name: string): CategoryCache<T> {
    const category = this.#categories.get(name);
    if (category !== undefined) return category as CategoryCache<T>;
    throw new SpringhouseError(
      "INVALID_ARGUMENT",
      `Unknown cache category: ${shown(name)}. Known: ${this.#names.join(", ")}.`,
      { fields: { category: name, known: this.#names } },
    );
  }

  /** Drops the entries of a tag in all categories, in a time that does not grow with them. */
  async dropTag(tag: string): Promise<void> {
    await this.core.dropTags([tag]);
  }

  async dropTags(tags: readonly string[]): Promise<void> {
    await this.core.dropTags(tags);
  }

  /** Drops everything of all categories. */
  override async clear(): Promise<void> {
    await this.core.clear();
  }

  /** Counters of all categories together, and of each tier. */
  cacheStatistics(): CacheStatistics {
    return cacheStatistics(this.core);
  }

  override resetStatistics(): void {
    for (const [shelf] of this.core.categories) shelf.resetCounts();
    for (const tier of this.core.tiers) tier.resetStatistics();
  }

  /** Sends what waits and closes the tiers. Idempotent. */
  async close(): Promise<void> {
    await this.core.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #put(name: string, category: CategoryCache): void {
    if (this.#categories.has(name)) {
      const message = `Two categories have the name or alias "${name}".`;
      throw new SpringhouseError("INVALID_ARGUMENT", message, { fields: { category: name } });
    }
    this.#categories.set(name, category);
  }
}

function categoryNamed(categories: readonly ResolvedCategory[], name: string): ResolvedCategory {
  const found = categories.find((category) => category.name === name);
  if (found === undefined) throw new SpringhouseError("ASSERTION", `This is a bug: no ${name}`);
  return found;
}
