/**
 * The caching of results, loaded when there is something to cache: opening a database and reading a
 * few rows do not pay for it. `db.cached` requires it, because it is synchronous; for repositories
 * it is imported behind their back, and they read without it until it is there.
 */

import { createRequire } from "node:module";
import { extname } from "node:path";
import type { CachedReads } from "../coherence/cached-reads.ts";
import type { Coherence } from "../coherence/coherence.ts";
import type { CachedStatistics } from "../coherence/statistics.ts";
import type { Clock } from "../core/clock.ts";
import { SpringhouseError } from "../core/errors.ts";
import type { ReadCache } from "../repository/scope.ts";
import type { Catalog } from "../schema/catalog.ts";
import type { SqliteStore } from "../store/sqlite/store.ts";
import type { Caching } from "./caching.ts";
import type { CachingOptions } from "./caching-options.ts";

type CachingModule = typeof import("./caching.ts");

/**
 * Reads of repositories before their results are kept: a program that reads a few rows and ends
 * loads nothing for it, and leaves its file as it is, without a log of changes.
 */
const READS_BEFORE = 16;

/** The caching of one database, made when it is first needed. */
export class LazyCaching implements ReadCache {
  readonly #store: SqliteStore;
  readonly #catalog: Catalog;
  readonly #clock: Clock;
  readonly #options: CachingOptions | false;
  #caching: Caching | undefined;
  #reads = 0;
  #isClosed = false;

  constructor(store: SqliteStore, catalog: Catalog, clock: Clock, options: CachingOptions | false) {
    this.#store = store;
    this.#catalog = catalog;
    this.#clock = clock;
    this.#options = options;
  }

  /** The log of changes, for units of work; undefined when the database was opened without. */
  get coherence(): (() => Coherence) | undefined {
    return this.#options === false ? undefined : () => this.get().coherence;
  }

  /** @throws `INVALID_ARGUMENT` when the database was opened without; `CLOSED`. */
  get(): Caching {
    if (this.#caching !== undefined) return this.#caching;
    if (this.#isClosed && this.#options !== false) throw isClosed(this.#store.path);
    return this.#make(required(), this.#options);
  }

  /** The kept results of one kind of read, when they can be kept by now. */
  reads(name: string): CachedReads | undefined {
    if (this.#isClosed) return undefined;
    if (this.#caching !== undefined) return this.#caching.reads(name);
    if (this.#options === false || ++this.#reads !== READS_BEFORE) return undefined;
    setImmediate(() => {
      // A module that cannot be loaded is told by `db.cached`; rows are read all the same.
      this.#load().catch(() => undefined);
    });
    return undefined;
  }

  /** @throws `INVALID_ARGUMENT` when the database was opened without; `CLOSED`. */
  statistics(): CachedStatistics {
    return this.get().statistics();
  }

  /** The same for who only looks: undefined as long as nothing is kept. */
  get present(): CachedStatistics | undefined {
    return this.#caching?.statistics();
  }

  /** @returns when what goes on behind has ended; undefined when that is nothing. */
  close(): Promise<void> | undefined {
    const { tiers = [] } = this.#options === false ? {} : this.#options;
    // The tiers are closed by whoever would use them.
    if (tiers.length > 0 && !this.#isClosed) this.get();
    this.#isClosed = true;
    return this.#caching?.close(this.#store.path);
  }

  async #load(): Promise<void> {
    if (this.#isClosed) return;
    const module = await import("./caching.ts");
    if (!this.#isClosed && this.#caching === undefined) this.#make(module, this.#options);
  }

  #make({ Caching }: CachingModule, options: CachingOptions | false): Caching {
    if (options === false) throw opensWithoutCache();
    this.#caching = new Caching(this.#store, this.#catalog, this.#clock, options);
    return this.#caching;
  }
}

function required(): CachingModule {
  const path = `./caching${extname(import.meta.filename)}`;
  return createRequire(import.meta.url)(path) as CachingModule;
}

function isClosed(path: string): SpringhouseError {
  return new SpringhouseError("CLOSED", `${path} is not open.`, { fields: { path } });
}

function opensWithoutCache(): SpringhouseError {
  const message =
    "The database was opened with cache: false. Leave that out to cache functions, and to have " +
    "positions.";
  return new SpringhouseError("INVALID_ARGUMENT", message);
}
