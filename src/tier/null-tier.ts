/**
 * A tier that keeps nothing: to switch a cache off without changing what stands above it, and to
 * measure what it is worth.
 */

import { throwIfAborted } from "../core/abort.ts";
import { assertText } from "../core/arguments.ts";
import { SpringhouseError } from "../core/errors.ts";
import type {
  ExpireOptions,
  KeysQuery,
  SetOutcome,
  SweepResult,
  Tier,
  TierCallOptions,
  TierEntry,
  TierStatistics,
} from "./tier.ts";

/**
 * Makes a tier that forgets at once. Entries count as stored and every read as a miss.
 *
 * @param name how it is called in statistics and events. Default: "null".
 * @example
 * const tiers = process.env.NO_CACHE ? [nullTier()] : [memoryTier(), fileTier()];
 */
export function nullTier(name: string = "null"): Tier {
  assertText("nullTier: name", name);
  return new NullTier(name);
}

/** Told apart by those who keep what is on its way to a tier. */
export class NullTier implements Tier {
  readonly name: string;
  #misses = 0;
  #sets = 0;
  #isClosed = false;

  constructor(name: string) {
    this.name = name;
  }

  async getMany(keys: readonly string[], options?: TierCallOptions): Promise<undefined[]> {
    this.#begin("getMany", options);
    this.#misses += keys.length;
    return keys.map(() => undefined);
  }

  async lookMany(keys: readonly string[], options?: TierCallOptions): Promise<undefined[]> {
    this.#begin("lookMany", options);
    return keys.map(() => undefined);
  }

  async setMany(entries: readonly TierEntry[], options?: TierCallOptions): Promise<SetOutcome[]> {
    this.#begin("setMany", options);
    this.#sets += entries.length;
    return entries.map(() => "stored");
  }

  async expireMany(_keys: readonly string[], options?: ExpireOptions): Promise<number> {
    this.#begin("expireMany", options);
    return 0;
  }

  async dropMany(_keys: readonly string[], options?: TierCallOptions): Promise<number> {
    this.#begin("dropMany", options);
    return 0;
  }

  async dropTags(_tags: readonly string[], options?: TierCallOptions): Promise<void> {
    this.#begin("dropTags", options);
  }

  async dropPrefix(_prefix: string, options?: TierCallOptions): Promise<number> {
    this.#begin("dropPrefix", options);
    return 0;
  }

  async *keys(_query?: KeysQuery, options?: TierCallOptions): AsyncGenerator<readonly string[]> {
    this.#begin("keys", options);
    yield* [];
  }

  async clear(options?: TierCallOptions): Promise<void> {
    this.#begin("clear", options);
  }

  async sweep(options?: TierCallOptions): Promise<SweepResult> {
    this.#begin("sweep", options);
    return { expired: 0, reclaimed: 0 };
  }

  statistics(): TierStatistics {
    return {
      entries: 0,
      bytes: 0,
      hits: 0,
      misses: this.#misses,
      sets: this.#sets,
      drops: 0,
      evictions: 0,
      expirations: 0,
      refusals: 0,
      errors: 0,
    };
  }

  resetStatistics(): void {
    this.#misses = 0;
    this.#sets = 0;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #begin(what: string, options: TierCallOptions | undefined): void {
    throwIfAborted(options?.signal, `${what} of the tier "${this.name}"`);
    if (!this.#isClosed) return;
    throw new SpringhouseError("CLOSED", `The tier "${this.name}" is closed. Open it again.`);
  }
}
