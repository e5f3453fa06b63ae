/**
 * The tier in a SQLite file: it outlasts the process, and processes share it.
 *
 * Reading is one statement for many keys on the main thread and never writes: what a hit changes
 * is gathered and written later. Writing goes through the writer thread, where units of several
 * callers share a commit; what two processes write is decided there, by SQL, under its lock.
 *
 * The file opens at first use. See `cache-file.ts` for what happens when it is lost, `schema.ts`
 * for the tables, and `eviction.ts` for how it stays within its bounds.
 */

import { randomUUID } from "node:crypto";
import { throwIfAborted } from "../../core/abort.ts";
import { isSpringhouseError } from "../../core/errors.ts";
import type { ResultSet, Statement } from "../../core/statement.ts";
import type { Database } from "../../sqlite/database.ts";
import { OpenCalls } from "../../sqlite/open-calls.ts";
import { newCounters } from "../counters.ts";
import type {
  EntryLook,
  ExpireOptions,
  KeysQuery,
  LeaseHost,
  SetOutcome,
  SweepResult,
  Tier,
  TierCallOptions,
  TierEntry,
  TierStatistics,
} from "../tier.ts";
import { CacheFile } from "./cache-file.ts";
import { EntryReader } from "./entry-reader.ts";
import { EntryWriter } from "./entry-writer.ts";
import { Eviction, type Total } from "./eviction.ts";
import { type DropKind, noteDrop } from "./fences.ts";
import { toStored } from "./key-text.ts";
import { sqliteLeases } from "./leases.ts";
import { listKeys } from "./listing.ts";
import {
  type ResolvedSqliteTierOptions,
  resolveSqliteTierOptions,
  type SqliteTierOptions,
} from "./options.ts";
import { DroppedPrefixes } from "./prefixes.ts";
import { CLEAR } from "./schema.ts";
import { DROP_KEY, DROP_TAG, EXPIRE, NEXT_EPOCH, statement, TOTAL, until } from "./statements.ts";
import { giveBackPages, sweep } from "./sweep.ts";
import { TOUCHES_MAX, Touches } from "./touches.ts";

/** Hits wait so long. */
const FLUSH_AFTER_MS = 5_000;
/** Keys that are dropped or expired in one unit. */
const KEYS_PER_UNIT = 250;
const NOTHING: Total = { entries: 0, bytes: 0 };

/**
 * A tier in a SQLite file.
 *
 * @throws `INVALID_ARGUMENT` for wrong options. Nothing is opened before the first use; what keeps
 *   the file from being opened is thrown by that call, and tried again by the next.
 * @example
 * const tier = sqliteTier({ maxBytes: "500MB", quotas: { images: "100MB" } });
 */
export function sqliteTier(options: SqliteTierOptions = {}): SqliteTier {
  return new SqliteTier(resolveSqliteTierOptions(options));
}

/** Made by `sqliteTier`. */
export class SqliteTier implements Tier {
  readonly name: string;
  readonly leases: LeaseHost;
  readonly #options: ResolvedSqliteTierOptions;
  readonly #calls: OpenCalls;
  readonly #file: CacheFile;
  readonly #counters = newCounters();
  readonly #prefixes = new DroppedPrefixes(this.#counters);
  readonly #touches = new Touches();
  readonly #owner = randomUUID();
  readonly #reader: EntryReader;
  readonly #writer: EntryWriter;
  readonly #eviction: Eviction;
  readonly #closing = new AbortController();
  #flushTimer: Disposable | undefined;
  #flushing: Promise<void> | undefined;
  #sweepTimer: Disposable | undefined;
  #present = NOTHING;

  constructor(options: ResolvedSqliteTierOptions) {
    const { name, path, cacheSizeBytes, clock, bounds, payload } = options;
    const counters = this.#counters;
    const touches = this.#touches;
    const { encryptionKey } = payload;
    this.name = name;
    this.#options = options;
    this.#calls = new OpenCalls(`The tier ${name} (${path})`);
    this.#file = new CacheFile({ path, cacheSizeBytes, clock, onLost: () => this.#lost() });
    this.#reader = new EntryReader({ clock, encryptionKey, touches, counters });
    this.#writer = new EntryWriter({ clock, bounds, payload, counters, owner: this.#owner });
    this.#eviction = new Eviction({ clock, bounds, counters, prefixes: this.#prefixes });
    this.leases = sqliteLeases((work) => this.#call("write", work), clock);
  }

  /** The file. */
  get path(): string {
    return this.#options.path;
  }

  /** Opens the file now, for those who want to know at start that it can be opened. */
  async ready(): Promise<void> {
    await this.#call("read", async () => undefined);
  }

  setQuotas(quotas: Readonly<Record<string, number>>): void {
    this.#options.bounds.quotas.add(quotas);
  }

  getMany(
    keys: readonly string[],
    { signal }: TierCallOptions = {},
  ): Promise<readonly (TierEntry | undefined)[]> {
    return this.#call("read", (database) => this.#reader.getMany(database, keys, signal), signal);
  }

  lookMany(
    keys: readonly string[],
    { signal }: TierCallOptions = {},
  ): Promise<readonly (EntryLook | undefined)[]> {
    return this.#call("read", (database) => this.#reader.lookMany(database, keys, signal), signal);
  }

  setMany(
    entries: readonly TierEntry[],
    { signal }: TierCallOptions = {},
  ): Promise<readonly SetOutcome[]> {
    return this.#call(
      "write",
      async (database) => {
        const outcomes = await this.#writer.setMany(database, entries, signal);
        await this.#eviction.run(database);
        return outcomes;
      },
      signal,
    );
  }

  async expireMany(
    keys: readonly string[],
    { signal, atMs = Number.POSITIVE_INFINITY }: ExpireOptions = {},
  ): Promise<number> {
    const expired = await this.#call(
      "drop",
      async (database) => {
        // What a hit has renewed is kept for longer than the file knows.
        if (this.#touches.areSliding) await this.#tryFlush();
        const nowMs = this.#options.clock.nowMs();
        const expire = (key: string): Statement =>
          statement(EXPIRE, Math.min(atMs, nowMs), toStored(key), nowMs);
        const results = await this.#noted(database, [...new Set(keys)], expire, signal);
        return results.filter(({ rows }) => Number(rows[0]?.[0]) === 1).length;
      },
      signal,
    );
    return expired ?? 0;
  }

  async dropMany(keys: readonly string[], { signal }: TierCallOptions = {}): Promise<number> {
    const dropped = await this.#call(
      "drop",
      async (database) => {
        const drop = (key: string): Statement => statement(DROP_KEY, toStored(key));
        const results = await this.#noted(database, keys, drop, signal);
        return this.#dropped(results.reduce((sum, { changes }) => sum + changes, 0));
      },
      signal,
    );
    return dropped ?? 0;
  }

  dropTags(tags: readonly string[], { signal }: TierCallOptions = {}): Promise<void> {
    return this.#call(
      "drop",
      async (database) => {
        if (tags.length === 0) return;
        const drops = [...new Set(tags)].map((tag) => statement(DROP_TAG, toStored(tag)));
        const notes = [...new Set(tags)].map((tag) => this.#note("tag", tag));
        await database.write([...notes, statement(NEXT_EPOCH), ...drops], until(signal));
      },
      signal,
    );
  }

  async dropPrefix(prefix: string, { signal }: TierCallOptions = {}): Promise<number> {
    const dropped = await this.#call(
      "drop",
      async (database) => {
        return await this.#prefixes.drop(database, prefix, this.#note("prefix", prefix), signal);
      },
      signal,
    );
    const { signal: closing } = this.#closing;
    if (this.#prefixes.isLeft)
      this.#inBackground((file) => this.#prefixes.reclaimLeft(file, closing));
    return dropped ?? 0;
  }

  async *keys(
    query: KeysQuery = {},
    { signal }: TierCallOptions = {},
  ): AsyncGenerator<readonly string[], void, undefined> {
    this.#calls.assertOpen();
    await this.#tryFlush();
    const read = <T>(work: (database: Database) => Promise<T>): Promise<T> =>
      this.#call("read", work, signal);
    yield* listKeys(read, this.#options.clock, query, signal);
  }

  async clear({ signal }: TierCallOptions = {}): Promise<void> {
    await this.#call(
      "drop",
      async (database) => {
        this.#touches.clear();
        await database.write([this.#note("prefix", ""), ...CLEAR], until(signal));
      },
      signal,
    );
    this.#inBackground((database) => giveBackPages(database, this.#closing.signal));
  }

  sweep({ signal }: TierCallOptions = {}): Promise<SweepResult> {
    return this.#call(
      "write",
      async (database) => {
        await this.#tryFlush();
        const { clock } = this.#options;
        const counters = this.#counters;
        const parts = { clock, counters, eviction: this.#eviction, prefixes: this.#prefixes };
        return await sweep(database, parts, signal);
      },
      signal,
    );
  }

  statistics(): TierStatistics {
    try {
      const inline = this.#file.database?.file.inline;
      const row = inline?.connection.readAll(statement(TOTAL)).rows[0];
      if (row !== undefined) this.#present = { entries: Number(row[0]), bytes: Number(row[1]) };
    } catch {
      // Busy or closing: what was known last is near enough.
    }
    return { ...this.#present, ...this.#counters };
  }

  resetStatistics(): void {
    Object.assign(this.#counters, newCounters());
  }

  close(): Promise<void> {
    this.#closing.abort();
    return this.#calls.close(async () => {
      this.#sweepTimer?.[Symbol.dispose]();
      try {
        const { database } = this.#file;
        if (database !== undefined) await this.#flushNow(database);
      } catch {
        // The counts of some hits are lost, which a damaged or full disk excuses.
      } finally {
        this.#flushTimer?.[Symbol.dispose]();
        await this.#file.close();
      }
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Runs a call: counted while it is under way, and its failure, too. */
  async #call<T, Kind extends "read" | "write" | "drop">(
    kind: Kind,
    work: (database: Database) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T | (Kind extends "drop" ? undefined : never)> {
    this.#calls.assertOpen();
    throwIfAborted(signal, "The call");
    this.#calls.begin();
    try {
      const result = (await this.#file[kind](work)) as T;
      this.#scheduleSweep();
      this.#scheduleFlush();
      return result;
    } catch (error) {
      const refused = ["ABORTED", "INVALID_ARGUMENT"].some((code) =>
        isSpringhouseError(error, code as "ABORTED"),
      );
      if (!refused) this.#counters.errors++;
      throw error;
    } finally {
      this.#calls.end();
    }
  }

  /** Work that nobody waits for, except the end of the tier. */
  #inBackground(work: (database: Database) => Promise<unknown>): void {
    if (this.#closing.signal.aborted) return;
    // A failure is counted by the call; the next one tries again.
    this.#call("write", work).catch(() => undefined);
  }

  #scheduleSweep(): void {
    const { sweepEveryMs, clock } = this.#options;
    if (sweepEveryMs === 0 || this.#sweepTimer !== undefined) return;
    if (this.#closing.signal.aborted) return;
    this.#sweepTimer = clock.schedule(() => {
      this.#sweepTimer = undefined;
      if (this.#closing.signal.aborted) return;
      // The failure of a sweep is counted; the next one tries again.
      this.sweep({ signal: this.#closing.signal }).catch(() => undefined);
    }, sweepEveryMs);
  }

  #scheduleFlush(): void {
    const { size } = this.#touches;
    if (size === 0 || this.#closing.signal.aborted) return;
    if (size >= TOUCHES_MAX) this.#inBackground(() => this.#flush());
    this.#flushTimer ??= this.#options.clock.schedule(() => {
      this.#flushTimer = undefined;
      this.#inBackground(() => this.#flush());
    }, FLUSH_AFTER_MS);
  }

  /** Writes the hits that wait. */
  async #flush(): Promise<void> {
    const { database } = this.#file;
    if (database === undefined) return;
    await this.#flushing?.catch(() => undefined);
    if (this.#touches.size === 0) return;
    this.#flushing ??= this.#flushNow(database).finally(() => {
      this.#flushing = undefined;
    });
    await this.#flushing;
  }

  /** Listing and sweeping go on without the hits that a full disk does not take. */
  async #tryFlush(): Promise<void> {
    try {
      await this.#flush();
    } catch {
      this.#counters.errors++;
    }
  }

  async #flushNow(database: Database): Promise<void> {
    for (const unit of this.#touches.take()) await database.write(unit);
    this.#touches.written();
  }

  /** Changes keys in units that note each of them: what others load now is not to be stored. */
  async #noted(
    database: Database,
    keys: readonly string[],
    change: (key: string) => Statement,
    signal: AbortSignal | undefined,
  ): Promise<readonly ResultSet[]> {
    const units: Promise<readonly ResultSet[]>[] = [];
    for (let start = 0; start < keys.length; start += KEYS_PER_UNIT) {
      const some = keys.slice(start, start + KEYS_PER_UNIT);
      const notes = some.map((key) => this.#note("key", key));
      const written = database.write([...notes, ...some.map(change)], until(signal));
      units.push(written.then((results) => results.slice(notes.length)));
    }
    return (await Promise.all(units)).flat();
  }

  #note(kind: DropKind, name: string): Statement {
    return noteDrop(kind, name, this.#owner, this.#options.clock.nowMs());
  }

  #dropped(count: number): number {
    this.#counters.drops += count;
    return count;
  }

  /** The file is made anew: what waits for the old one is of no use. */
  #lost(): void {
    this.#counters.errors++;
    this.#touches.clear();
  }
}
