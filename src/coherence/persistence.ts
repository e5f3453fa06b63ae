/**
 * Results that outlive the process, in tiers below memory.
 *
 * A result is stored with what it has read and with a place of the log at which it was right. It is
 * served only after a check, in one synchronous step with going into memory: the place is still in
 * the log with the same mark, the schema is the same, and nothing that came after it touches what
 * was read. So it does not matter what happens to a tier: an entry that is old, of another history
 * or damaged is as good as none, and dropping it is housekeeping.
 *
 * Only commits of our own have a mark. A result is stored under the last of them if it is right
 * there; when foreign writes stand between, a commit without changes is made for it, at most one in
 * a second. The mark must be one that was made since the feed began, for then the schema was the
 * same at it. A hash of the schema's text is compared as well as its version, because copies that
 * SQLite's backup has made count the versions anew.
 *
 * Storing happens behind the callers' backs. What waits is bounded, by key the newest wins, and
 * what is not right any more when its turn comes is forgotten.
 */

import { AsyncLocalStorage } from "node:async_hooks";
import { createHash } from "node:crypto";
import type { GuardStatistics } from "../cache/guarded-tier.ts";
import type { Position } from "../change/position.ts";
import type { Clock } from "../core/clock.ts";
import { isSpringhouseError } from "../core/errors.ts";
import { exactText } from "../core/exact-text.ts";
import { isSliceOver, nextSlice } from "../core/slices.ts";
import type { Tier } from "../tier/tier.ts";
import type { Coherence } from "./coherence.ts";
import type { ResultEntry } from "./entries.ts";
import type { Marks } from "./marks.ts";
import { type ResultTable, tierEntry } from "./result-table.ts";
import { parseStored, type StoredResult, storedData } from "./stored-result.ts";
import { RESULTS_PREFIX, TierStack } from "./tier-stack.ts";
import type { Uses, Version } from "./tracking.ts";

/** What persistence is made of. The tiers are its own from then on. */
export interface PersistenceParts {
  readonly coherence: Coherence;
  readonly marks: Marks;
  readonly tiers: readonly Tier[];
  readonly clock: Clock;
  /** How values become what functions get: the declared columns. Part of every key. */
  readonly declarations: string;
}

/** A result that is right. */
export interface Found {
  readonly value: unknown;
  readonly result: ResultEntry;
}

/** A result in memory that is to be stored. */
interface Waiting {
  readonly name: string;
  /** The key in tiers without the identity of the database. */
  readonly ending: string;
  readonly key: string;
  readonly results: ResultTable;
  readonly entry: ResultEntry;
}

/** The schema since the last reset of the feed. */
interface KnownSchema {
  readonly epoch: number;
  readonly schemaVersion: number;
  readonly schema: string;
}

/** Results that wait to be stored: as many as memory has by default. */
const WAITING_MAX = 10_000;
/** Between two commits that are made only to have a mark; each waits for the disk. */
const MARK_EVERY_MS = 1_000;
/** Longer keys are stored by their hash. */
const ENDING_LENGTH_MAX = 1_000;

/** See above. */
export class Persistence {
  readonly #parts: PersistenceParts;
  readonly #stack: TierStack;
  readonly #declarations: string;
  readonly #versions = new Map<string, Version>();
  readonly #waiting = new Map<string, Waiting>();
  readonly #stored = new WeakSet<ResultEntry>();
  /** Whoever calls may be in a transaction; what is done here is not. */
  readonly #outside = AsyncLocalStorage.snapshot();
  #identity: string | undefined;
  #schema: KnownSchema | undefined;
  #storing: Promise<void> | undefined;
  #later: Disposable | undefined;
  #nextMarkMs = 0;
  #closing: Promise<void> | undefined;

  constructor(parts: PersistenceParts) {
    this.#parts = parts;
    this.#stack = new TierStack(parts.tiers, parts.clock);
    this.#declarations = hash(parts.declarations);
  }

  /** Tells of a function, so that results of others that call it can be told from old ones. */
  declare(name: string, version: Version): void {
    this.#versions.set(name, version);
  }

  /** Why a result is not stored; undefined when it may be. */
  refusal(name: string, uses: Uses): string | undefined {
    if (this.#versions.get(name) === undefined) return "the function has no version";
    const other = [...uses].find(([, version]) => version === undefined);
    return other === undefined ? undefined : `it calls "${other[0]}", which has no version`;
  }

  /**
   * Looks for a result, and hands it to `admit` in the same step in which it was found right.
   *
   * @returns what `admit` gives; undefined when there is none. Never rejects because of a tier.
   */
  async find<T>(
    name: string,
    key: string,
    admit: (found: Found) => T | undefined,
  ): Promise<T | undefined> {
    if (this.#versions.get(name) === undefined || this.#closing !== undefined) return undefined;
    await this.#parts.coherence.prepare();
    const wholeKey = this.#wholeKey(this.#ending(name, key));
    if (wholeKey === undefined) return undefined;
    for await (const { tier, ...entry } of this.#stack.entries(wholeKey)) {
      const stored = parseStored(entry.value);
      const isRight = stored === undefined ? false : this.#isRight(stored);
      if (isRight === undefined) return undefined;
      const admitted = isRight && stored ? admitOf(stored, tier, admit) : undefined;
      if (admitted === undefined) {
        this.#stack.drop(wholeKey, tier);
        continue;
      }
      this.#stack.set(entry, tier);
      return admitted;
    }
    return undefined;
  }

  /** Has a result that has just come into memory stored. Returns at once. */
  store(name: string, key: string, results: ResultTable, entry: ResultEntry): void {
    if (this.#closing !== undefined || this.refusal(name, entry.uses) !== undefined) return;
    const ending = this.#ending(name, key);
    this.#waiting.delete(ending);
    this.#waiting.set(ending, { name, ending, key, results, entry });
    if (this.#waiting.size > WAITING_MAX) {
      const [oldest] = this.#waiting.keys();
      if (oldest !== undefined) this.#waiting.delete(oldest);
    }
    this.#begin();
  }

  /** The tiers that have a result, as far as is known without asking them. */
  tiersOf(entry: ResultEntry): readonly string[] {
    const { names } = this.#stack;
    if (this.#stored.has(entry)) return names;
    return entry.tier === undefined ? [] : names.slice(0, names.indexOf(entry.tier) + 1);
  }

  /** Drops a result in all tiers. Returns at once. */
  drop(name: string, key: string): void {
    const ending = this.#ending(name, key);
    this.#waiting.delete(ending);
    const wholeKey = this.#wholeKey(ending);
    if (wholeKey !== undefined) this.#stack.drop(wholeKey);
  }

  statistics(): Readonly<Record<string, GuardStatistics>> {
    return this.#stack.statistics();
  }

  /** Stores what waits, as far as it can be stored now, and closes the tiers. Never rejects. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#later?.[Symbol.dispose]();
    await this.#storing;
    const { coherence } = this.#parts;
    if (coherence.isLossy) await this.#outside(() => coherence.prepare());
    await this.#outside(() => this.#storeAll(true));
    await this.#stack.close();
  }

  /** Undefined when it cannot be said now. */
  #isRight({ place, schema, footprint, uses }: StoredResult): boolean | undefined {
    for (const [name, version] of uses) {
      // It may be declared later; the function finds out what it gives without it.
      if (this.#versions.get(name) !== version) return undefined;
    }
    const now = this.#schemaNow();
    if (now === undefined) return undefined;
    return now.schema === schema && this.#parts.coherence.holdsFrom(place, footprint);
  }

  #begin(): void {
    if (this.#closing ?? this.#storing ?? this.#later) return;
    this.#storing = this.#outside(() => this.#storeLater());
  }

  async #storeLater(): Promise<void> {
    // The caller goes first.
    await new Promise<void>((resolve) => setImmediate(resolve));
    await this.#storeAll(false);
    this.#storing = undefined;
    if (this.#waiting.size > 0) this.#begin();
  }

  /** Never rejects: what cannot be stored now is tried again, or forgotten at the end. */
  async #storeAll(isLast: boolean): Promise<void> {
    try {
      for (;;) {
        const isDone = await this.#storeRight();
        if (isDone || (isLast && this.#nextMarkMs === Number.POSITIVE_INFINITY)) return;
        const { clock, marks } = this.#parts;
        const nowMs = clock.monotonicMs();
        if (!isLast && nowMs < this.#nextMarkMs) return this.#tryAgainIn(this.#nextMarkMs - nowMs);
        this.#nextMarkMs = isLast ? Number.POSITIVE_INFINITY : nowMs + MARK_EVERY_MS;
        if (!(await marks.add())) return this.#waiting.clear();
      }
    } catch {
      // The database is busy, full or closed; its own callers are told of that.
      if (!isLast) this.#tryAgainIn(MARK_EVERY_MS);
    }
  }

  #tryAgainIn(delayMs: number): void {
    if (this.#closing !== undefined) return;
    this.#later = this.#parts.clock.schedule(() => {
      this.#later = undefined;
      this.#begin();
    }, delayMs);
  }

  /** Hands those to the tiers that are right at the last mark. @returns whether none is left. */
  async #storeRight(): Promise<boolean> {
    let mark = this.#lastMark();
    for (const waiting of [...this.#waiting.values()]) {
      if (isSliceOver()) {
        await nextSlice();
        mark = this.#lastMark();
      }
      if (!this.#isDone(waiting, mark)) continue;
      if (this.#waiting.get(waiting.ending) === waiting) this.#waiting.delete(waiting.ending);
    }
    return this.#waiting.size === 0;
  }

  /** The last mark of this moment, and everything before it is known to memory. */
  #lastMark(): Position | undefined {
    const { feed } = this.#parts.coherence;
    if (!feed.catchUp() || feed.position === undefined) return undefined;
    return this.#parts.marks.last(feed.floor, feed.position.sequence);
  }

  #isDone({ name, ending, key, results, entry }: Waiting, mark: Position | undefined): boolean {
    if (results.find(key) !== entry) return true;
    const { coherence } = this.#parts;
    const { sequence, footprint, uses } = entry;
    const wholeKey = this.#wholeKey(ending);
    const now = this.#schemaNow();
    if (mark === undefined || now === undefined || wholeKey === undefined) return false;
    const isRight = mark.sequence >= sequence || coherence.missedSince(mark.sequence, footprint);
    if (!isRight) return false;
    const memory = results.stored(key);
    if (memory === undefined) return true;
    const value = results.valueOf(memory);
    const { schema, schemaVersion } = now;
    const place = { position: mark, schemaVersion };
    const data = storedData({ value, footprint, place, schema, uses });
    this.#stack.set(tierEntry(wholeKey, data, name, this.#parts.clock.nowMs()));
    this.#stored.add(entry);
    return true;
  }

  /** The schema that the feed knows; undefined when it is not known, or another one by now. */
  #schemaNow(): KnownSchema | undefined {
    const { epoch, schemaVersion } = this.#parts.coherence.feed;
    if (this.#schema?.epoch === epoch) return this.#schema;
    const text =
      schemaVersion === undefined ? undefined : this.#parts.marks.schemaText(schemaVersion);
    if (schemaVersion === undefined || text === undefined) return undefined;
    this.#schema = { epoch, schemaVersion, schema: hash(text) };
    return this.#schema;
  }

  /** Undefined while the database has no identity, or cannot be asked for it. */
  #wholeKey(ending: string): string | undefined {
    try {
      this.#identity ??= this.#parts.marks.identity;
    } catch (error) {
      if (!isSpringhouseError(error, "BUSY")) throw error;
    }
    return this.#identity === undefined
      ? undefined
      : `${RESULTS_PREFIX}${this.#identity}:${ending}`;
  }

  #ending(name: string, key: string): string {
    const text = `${exactText([name, this.#versions.get(name)])}:${this.#declarations}:${key}`;
    if (text.length <= ENDING_LENGTH_MAX) return text;
    return hash(text);
  }
}

function hash(text: string): string {
  return createHash("sha256").update(text, "utf16le").digest("hex");
}

/** Undefined for what is no data after all: memory does not take it. */
function admitOf<T>(
  { value, footprint, uses, place }: StoredResult,
  tier: string,
  admit: (found: Found) => T | undefined,
): T | undefined {
  try {
    const { sequence } = place.position;
    return admit({ value, result: { footprint, sequence, uses, tier } });
  } catch (error) {
    if (isSpringhouseError(error, "INVALID_ARGUMENT")) return undefined;
    throw error;
  }
}
