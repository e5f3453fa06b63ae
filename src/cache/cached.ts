/**
 * Plain functions with a cache around them.
 *
 * The key is the name of the function and a stable text of all its arguments, so that two calls
 * share a value exactly when they ask for the same.
 */

import { createHash } from "node:crypto";
import { assertFunction, assertMethods, assertText } from "../core/arguments.ts";
import { SpringhouseError } from "../core/errors.ts";
import { exactText } from "../core/exact-text.ts";
import { refuseUnknownKeys } from "../core/options.ts";
import { type Key, keyText } from "./key.ts";
import { LIFE_KEYS, type LifeOptions } from "./life.ts";
import type { Load } from "./load.ts";
import type { ReadOptions } from "./options.ts";

/** How to cache a function. */
export interface CachedOptions<Args extends readonly unknown[]> extends LifeOptions {
  /**
   * Stands before the arguments in the key; functions of one name in one category share values.
   * Default: the name of the function.
   */
  readonly name?: string;
  /** The key of a call, instead of all its arguments. */
  readonly key?: (...args: Args) => Key;
  /** The tags of a call. */
  readonly tags?: (...args: Args) => readonly string[];
}

/** A function with a cache around it. */
export interface CachedFunction<Args extends readonly unknown[], T> {
  (...args: Args): Promise<T>;
  /** The key of a call. */
  keyOf(...args: Args): string;
  /** Drops the value of a call. */
  drop(...args: Args): Promise<void>;
  /** Drops the values of all calls. */
  dropAll(): Promise<void>;
}

/** The part of a category that is needed. */
export interface CachingCategory {
  getOrSet(key: Key, load: Load<unknown>, options?: ReadOptions): Promise<unknown>;
  drop(key: Key): Promise<void>;
  dropPrefix(prefix: Key): Promise<void>;
}

/** Longer texts of arguments are hashed: a key is to be looked at, and kept by every tier. */
const ARGUMENTS_LENGTH_MAX = 200;
const CATEGORY_METHODS: readonly (keyof CachingCategory)[] = ["getOrSet", "drop", "dropPrefix"];
const OWN_KEYS = ["name", "key", "tags"];

/**
 * Puts a cache around a function. Without a category it is called straight through.
 *
 * @throws `INVALID_ARGUMENT` for a function without a name, when none is given.
 * @example
 * const weekAnalytics = cached(cache, loadWeekAnalytics, { ttl: "10m" });
 * await weekAnalytics(7, "hours");
 */
export function cached<F extends (...args: never[]) => unknown>(
  category: CachingCategory | undefined,
  run: F,
  options: CachedOptions<Parameters<F>> = {},
): CachedFunction<Parameters<F>, Awaited<ReturnType<F>>> {
  // Inferred from the function alone: a `key` or `tags` may take fewer arguments than it does.
  type Args = Parameters<F>;
  type T = Awaited<ReturnType<F>>;
  refuseUnknownKeys(options, [...LIFE_KEYS, ...OWN_KEYS], "cached");
  if (category !== undefined) {
    assertMethods("cached: category", "a category of a cache", category, CATEGORY_METHODS);
  }
  assertFunction("cached: run", run);
  const { name = run.name, key, tags, ...life } = options;
  assertText("cached: name", name);
  if (key !== undefined) assertFunction("cached: key", key);
  if (tags !== undefined) assertFunction("cached: tags", tags);
  if (name === "") {
    throw new SpringhouseError(
      "INVALID_ARGUMENT",
      'The function has no name to make keys of. Give one: cached(cache, fn, { name: "week" }).',
    );
  }
  const first = keyText([name]);
  const keyOf = (...args: Args): string =>
    `${first}:${key === undefined ? argumentsText(args) : keyText(key(...args))}`;
  const runIt = run as unknown as (...args: Args) => T;
  const call = async (...args: Args): Promise<T> => {
    if (category === undefined) return await runIt(...args);
    const read = tags === undefined ? life : { ...life, tags: tags(...args) };
    return (await category.getOrSet(keyOf(...args), () => runIt(...args), read)) as T;
  };
  return Object.assign(call, {
    keyOf,
    drop: async (...args: Args): Promise<void> => await category?.drop(keyOf(...args)),
    dropAll: async (): Promise<void> => await category?.dropPrefix([name]),
  });
}

/** Keys are brought to normal form C, which would make one of texts that only look the same. */
function argumentsText(args: readonly unknown[]): string {
  const text = exactText(args);
  if (text.length <= ARGUMENTS_LENGTH_MAX && text === text.normalize("NFC")) return text;
  return createHash("sha256").update(text).digest("base64url");
}
