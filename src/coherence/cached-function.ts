/** Cached functions as their users have them: called like any function, and asked of themselves. */

import type { CachedResults } from "./cached.ts";
import type { Explanation } from "./explain.ts";

/** A cached function. Made by `db.cached`. */
export interface CachedFunction<Args extends readonly unknown[], Result> {
  /**
   * The result for these arguments: from memory, or by running the function on a snapshot. Results
   * are frozen; dates and bytes in them are the caller's own.
   *
   * @throws what the function throws; `CACHED_WRITE` when it writes; `INVALID_ARGUMENT` for
   * arguments that cannot be a key, and for results that are not data.
   */
  (...args: Args): Promise<Result>;
  /** The result if memory may give it at this moment, at once; runs nothing. */
  peek(...args: Args): Result | undefined;
  /** What is known of the result for these arguments, and what became of the one before. */
  explain(...args: Args): Explanation;
  /** The name under which it was made. */
  readonly functionName: string;
}

const results = new WeakMap<object, CachedResults>();

/** Makes the function. */
export function cachedFunction<Args extends readonly unknown[], Result>(
  own: CachedResults,
): CachedFunction<Args, Result> {
  const call = (...args: Args): Promise<Result> => own.read(args) as Promise<Result>;
  const asked = {
    peek: (...args: Args): Result | undefined => own.peek(args) as Result | undefined,
    explain: (...args: Args): Explanation => own.explain(args),
    functionName: own.name,
  };
  const made = Object.assign(call, asked);
  results.set(made, own);
  return made;
}

/** The results of a cached function; undefined for any other function. */
export function resultsOf(given: unknown): CachedResults | undefined {
  return typeof given === "function" ? results.get(given) : undefined;
}
