/**
 * Cached functions and live queries of one open database: where their results lie, and what ends
 * when it is closed.
 */

import type { Kysely } from "kysely";
import { NO_VERSION } from "../change/expectation.ts";
import { versionText } from "../change/version-text.ts";
import { CachedResults, ownArguments } from "../coherence/cached.ts";
import { type CachedFunction, cachedFunction, resultsOf } from "../coherence/cached-function.ts";
import { CachedReads } from "../coherence/cached-reads.ts";
import type { Freshness } from "../coherence/change-feed.ts";
import type { Coherence } from "../coherence/coherence.ts";
import { LiveQuery } from "../coherence/live-query.ts";
import { Persistence } from "../coherence/persistence.ts";
import { type CoherenceUse, useCoherence } from "../coherence/shared.ts";
import type { CachedStatistics } from "../coherence/statistics.ts";
import { assertFunction, assertText, wrongArgument } from "../core/arguments.ts";
import type { Clock } from "../core/clock.ts";
import { SpringhouseError } from "../core/errors.ts";
import { readDemandsBy } from "../repository/demands.ts";
import { readingOf } from "../repository/reading.ts";
import type { Catalog } from "../schema/catalog.ts";
import type { SqliteStore } from "../store/sqlite/store.ts";
import { MemoryTier } from "../tier/memory/memory-tier.ts";
import { resolveMemoryTierOptions } from "../tier/memory/options.ts";
import { type CachedOptions, type CachingOptions, checkCached } from "./caching-options.ts";

/** What a cached function reads with: Kysely by SQL names, as far as it reads. */
export type CachedQuery<Tables> = Pick<
  Kysely<Tables>,
  "selectFrom" | "selectNoFrom" | "with" | "withRecursive" | "fn" | "dynamic" | "case"
>;

/** More than a cache of any loads has: results are dropped when they are wrong, not by age. */
const ENTRIES_MAX = 10_000;

/** See above. */
export class Caching {
  readonly #use: CoherenceUse;
  readonly #memory: MemoryTier;
  readonly #freshness: Freshness;
  readonly #results = new Map<string, CachedResults>();
  readonly #reads = new Map<string, CachedReads>();
  readonly #closed = new AbortController();
  readonly #persistence: Persistence | undefined;
  readonly #shadowShare: number;
  /** What goes on behind, once the database is closed; undefined when that is nothing. */
  #closing: Promise<void> | undefined;

  constructor(store: SqliteStore, catalog: Catalog, clock: Clock, options: CachingOptions) {
    readDemandsBy(readingOf);
    this.#use = useCoherence(store, catalog);
    const { freshness = "turn", maxEntries = ENTRIES_MAX, maxBytes = "100MB" } = options;
    this.#freshness = freshness;
    this.#memory = new MemoryTier(resolveMemoryTierOptions({ maxEntries, maxBytes, clock }));
    const { tiers = [], shadow = 0 } = options;
    this.#shadowShare = shadow;
    const { coherence, marks } = this.#use;
    if (tiers.length === 0) return;
    const declarations = declarationsOf(catalog);
    this.#persistence = new Persistence({ coherence, marks, tiers, clock, declarations });
  }

  /** Where reads made inside of cached functions are noted. */
  get coherence(): Coherence {
    return this.#use.coherence;
  }

  /** The place of the log of changes now. */
  async position(): Promise<string> {
    let { version } = await this.coherence.version();
    // Written by another program, and the same in a copy of the file: it needs a mark of our own.
    if (version.mark === "" && version !== NO_VERSION && !this.coherence.isPast) {
      await this.coherence.mark();
      ({ version } = await this.coherence.version());
    }
    if (version !== NO_VERSION) return versionText(version);
    const reason = this.coherence.refusal ?? "It is being made.";
    const message = `There is no log of changes, and so no position. ${reason}`;
    throw new SpringhouseError("READ_ONLY", message);
  }

  /** A cached function. */
  cached<Args extends readonly unknown[], Result>(
    name: string,
    compute: (...args: Args) => Promise<Result>,
    options: CachedOptions,
  ): CachedFunction<Args, Result> {
    assertText("cached: name", name);
    assertFunction("cached: the function", compute);
    checkCached(options);
    const { freshness = this.#freshness, shadow: share = this.#shadowShare } = options;
    if (this.#results.has(name)) throw nameTaken(name);
    const results = new CachedResults({
      coherence: this.#use.coherence,
      partition: this.#memory.partition(`function ${name}:`, undefined, "frozen"),
      name,
      freshness,
      compute: (args) => compute(...(args as Args)),
      version: options.version,
      persistence: this.#persistence,
      shadow: share === 0 ? undefined : { share, random: Math.random },
    });
    this.#results.set(name, results);
    return cachedFunction<Args, Result>(results);
  }

  /** The kept results of one kind of read of a repository, such as `tasks.get`. */
  reads(name: string): CachedReads {
    const known = this.#reads.get(name);
    if (known !== undefined) return known;
    const reads = new CachedReads({
      coherence: this.#use.coherence,
      // Functions have other names, so that no two prefixes are the same.
      partition: this.#memory.partition(`repository ${name}:`, undefined, "frozen"),
      freshness: this.#freshness,
    });
    this.#reads.set(name, reads);
    return reads;
  }

  /** A live query of a cached function. */
  live<Args extends readonly unknown[], Result>(
    given: CachedFunction<Args, Result>,
    args: Args,
  ): LiveQuery<Result> {
    const results = resultsOf(given);
    if (results === undefined || this.#results.get(results.name) !== results) {
      throw wrongArgument("live", "a function that db.cached() of this database gave", given);
    }
    // What cannot be a key is refused here and not in the loop.
    results.keyOf(args);
    const own = ownArguments(args);
    const { hub } = this.#use;
    return new LiveQuery<Result>(hub, () => hub.sourceOf(results, own), this.#closed.signal);
  }

  /** What has become of the results. */
  statistics(): CachedStatistics {
    const functions = [...this.#results].map(([name, each]) => [name, each.statistics()] as const);
    return {
      functions: Object.fromEntries(functions),
      tiers: this.#persistence?.statistics() ?? {},
    };
  }

  /** Ends the loops over live queries, finishes what goes on behind, and lets the results go. */
  close(path: string): Promise<void> | undefined {
    if (this.#closed.signal.aborted) return this.#closing;
    const message = `${path} was closed, and with it cached functions and live queries.`;
    const error = new SpringhouseError("CLOSED", message, { fields: { path } });
    this.#closed.abort(error);
    const checks = [...this.#results.values()].flatMap((results) => results.close(error) ?? []);
    for (const reads of this.#reads.values()) reads.close();
    if (checks.length === 0 && this.#persistence === undefined) this.#end();
    else this.#closing = this.#finish(checks);
    return this.#closing;
  }

  async #finish(checks: readonly Promise<void>[]): Promise<void> {
    await Promise.all(checks);
    await this.#persistence?.close();
    this.#end();
  }

  #end(): void {
    for (const results of this.#results.values()) results.clear();
    this.#use[Symbol.dispose]();
    void this.#memory.close();
  }
}

/** What decides how a stored value is given to a function, as a text. */
function declarationsOf({ entities, rollups }: Catalog): string {
  const columns = [...entities, ...rollups].map((entity) => [
    entity.table,
    entity.columns.map(({ property, name, kind }) => [property, name, kind]),
  ]);
  return JSON.stringify(columns);
}

function nameTaken(name: string): SpringhouseError {
  const message =
    `There is a cached function "${name}" already. Make each one once, where the program starts, ` +
    "and give its arguments when it is called.";
  return new SpringhouseError("INVALID_ARGUMENT", message, { fields: { name } });
}
