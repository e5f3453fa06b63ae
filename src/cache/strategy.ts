/**
 * How a category and the source of its values work together.
 *
 * `load` reads the source, `save` writes it. What a strategy does with them:
 *
 * | strategy | a read that misses | `set` and `drop` |
 * |---|---|---|
 * | `none` | calls `load`, if any, each time, keeps nothing | wait for `save`, if any |
 * | `cache-aside` | is the caller's, by `getOrSet` | change the cache |
 * | `read-through` | calls `load` | change the cache |
 * | `refresh-ahead` | calls `load`, and again before the end of a life | change the cache |
 * | `write-through` | calls `load`, if there is one | wait for `save`, then change the cache |
 * | `write-behind` | calls `load`, if there is one | change journal and cache; `save` follows |
 *
 * With `none` a category goes past its tiers straight to its source, whatever strategy it has
 * otherwise; its changes drop what the tiers have of the key, so that it does not come back.
 *
 * Changes of one key are saved one after the other. A `save` that takes longer than `hardTimeout`
 * counts as failed, and is told so by its signal: from then on it must not write.
 */

import { assertFunction } from "../core/arguments.ts";
import type { Clock } from "../core/clock.ts";
import { SpringhouseError } from "../core/errors.ts";
import type { Load, LoadContext } from "./load.ts";

/** The names of the strategies. */
export type StrategyName =
  | "none"
  | "cache-aside"
  | "read-through"
  | "write-through"
  | "write-behind"
  | "refresh-ahead";

/** A change of the source: a new value, or that there is none any more. */
export type SourceChange =
  | { readonly kind: "set"; readonly key: string; readonly value: unknown }
  | { readonly kind: "drop"; readonly key: string };

/**
 * Writes changes to the source, all of them or none; at most one for each key. After a crash the
 * same changes may come again, so that writing them twice must do no harm.
 */
export type Save = (
  changes: readonly SourceChange[],
  context: { readonly signal: AbortSignal },
) => Promise<void>;

/** A load of values of any type; the type of a method, so that a `Load<Week>` is one, too. */
type CategoryLoad = { load(context: LoadContext<unknown>): unknown }["load"];

/** What a category says of its source. */
export interface SourceOptions {
  /** How the category works with its source. Default: "cache-aside". */
  readonly strategy?: StrategyName;
  /** Makes the value of a key that is missing. */
  readonly load?: CategoryLoad;
  /** Writes changes to the source. */
  readonly save?: Save;
}

/** What the category does with its source. */
export interface Source {
  readonly strategy: StrategyName;
  readonly load: Load<unknown> | undefined;
  readonly save: Save | undefined;
}

const STRATEGIES: readonly StrategyName[] = [
  "none",
  "cache-aside",
  "read-through",
  "write-through",
  "write-behind",
  "refresh-ahead",
];
/** When a category refreshes ahead without saying when. */
export const REFRESH_AHEAD_PART = 0.8;

/** Checks that a strategy has what it needs. @throws `INVALID_ARGUMENT`. */
export function resolveSource(category: string, options: SourceOptions): Source {
  // The systems that Springhouse replaces write them with underscores.
  const { strategy: wanted = "cache-aside" } = options;
  const given = String(wanted).replaceAll("_", "-").toLowerCase();
  const strategy = STRATEGIES.find((name) => name === given);
  if (strategy === undefined) {
    throw refused(category, `strategy "${given}" is unknown. Known: ${STRATEGIES.join(", ")}`);
  }
  const { load, save } = options;
  if (load !== undefined) assertFunction(`category "${category}": load`, load);
  if (save !== undefined) assertFunction(`category "${category}": save`, save);
  if ((strategy === "read-through" || strategy === "refresh-ahead") && load === undefined) {
    throw refused(category, `strategy "${strategy}" needs load, which makes missing values`);
  }
  const writes = strategy === "write-through" || strategy === "write-behind";
  if (writes && save === undefined) {
    throw refused(
      category,
      `strategy "${strategy}" needs save, which writes changes to the source`,
    );
  }
  if (!writes && strategy !== "none" && save !== undefined) {
    throw refused(category, `save is not used by strategy "${strategy}"`);
  }
  if (strategy === "cache-aside" && load !== undefined) {
    throw refused(category, 'load needs strategy "read-through" (or another that reads)');
  }
  return { strategy, load: load as Load<unknown> | undefined, save };
}

/** Throws unless a read that brings no load can load anew. */
export function assertLoads(category: string, { load }: Source): void {
  if (load !== undefined) return;
  throw refused(
    category,
    "refresh loads anew, and there is no load. Give one to the call, " +
      "getOrSet(key, load, { refresh: true }), or to the category with a strategy that reads",
  );
}

/** Saves, or rejects when it takes longer than a load may. @throws `TIMEOUT`. */
export async function saveInTime(
  save: Save,
  changes: readonly SourceChange[],
  timeoutMs: number,
  clock: Clock,
): Promise<void> {
  const controller = new AbortController();
  const { signal } = controller;
  const over = Promise.withResolvers<never>();
  const giveUp = (): void => {
    const message = `save took longer than ${timeoutMs} ms. Make it faster, or raise hardTimeout.`;
    const error = new SpringhouseError("TIMEOUT", message, { fields: { timeoutMs } });
    over.reject(error);
    controller.abort(error);
  };
  using _timer = Number.isFinite(timeoutMs) ? clock.schedule(giveUp, timeoutMs, true) : undefined;
  await Promise.race([save(changes, { signal }), over.promise]);
}

/** Work on keys, one after the other for each of them, in the order in which it came. */
export class KeyTurns {
  readonly #last = new Map<string, Promise<void>>();

  async inTurn<T>(keys: readonly string[], work: () => Promise<T>): Promise<T> {
    const before = keys.map((key) => this.#last.get(key));
    const { promise: done, resolve } = Promise.withResolvers<void>();
    for (const key of keys) this.#last.set(key, done);
    try {
      await Promise.all(before);
      return await work();
    } finally {
      resolve();
      for (const key of keys) if (this.#last.get(key) === done) this.#last.delete(key);
    }
  }
}

function refused(category: string, why: string): SpringhouseError {
  return new SpringhouseError("INVALID_ARGUMENT", `Category "${category}": ${why}.`, {
    fields: { category },
  });
}
