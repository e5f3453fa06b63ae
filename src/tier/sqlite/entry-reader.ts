/** Reading entries: one statement for up to 64 keys, on the main thread, and no write. */

import { throwIfAborted } from "../../core/abort.ts";
import type { Clock } from "../../core/clock.ts";
import { isSpringhouseError } from "../../core/errors.ts";
import { isSliceOver, nextSlice } from "../../core/slices.ts";
import type { Database } from "../../sqlite/database.ts";
import type { Counters } from "../counters.ts";
import { unpack } from "../payload.ts";
import type { EntryLook, TierEntry } from "../tier.ts";
import { fromStored, toStored } from "./key-text.ts";
import { Lookup } from "./lookup.ts";
import { checked, readParts } from "./parts.ts";
import { type Head, headOf, type Stored, storedOf } from "./rows.ts";
import { DROP_DAMAGED, DROPPED, ENTRIES, HEADS, KEYS_MAX, statement } from "./statements.ts";
import type { Life, Touches } from "./touches.ts";

/** What reading needs. */
export interface ReaderParts {
  readonly clock: Clock;
  readonly encryptionKey: Uint8Array | undefined;
  readonly touches: Touches;
  readonly counters: Counters;
}

type Signal = AbortSignal | undefined;

/** Damaged, or of no use to this process. */
type Unreadable = { readonly damaged: boolean };

/** Reads the entries of one tier. */
export class EntryReader {
  readonly #parts: ReaderParts;
  readonly #lookup = new Lookup();

  constructor(parts: ReaderParts) {
    this.#parts = parts;
  }

  /** The living entries of the keys, in their order. */
  async getMany(
    database: Database,
    keys: readonly string[],
    signal: Signal,
  ): Promise<(TierEntry | undefined)[]> {
    const { counters } = this.#parts;
    const found: (TierEntry | undefined)[] = [];
    for (let start = 0; start < keys.length; start += KEYS_MAX) {
      throwIfAborted(signal, "The read");
      const some = keys.slice(start, start + KEYS_MAX);
      const rows = await this.#lookup.rows(database, ENTRIES, some.map(toStored), signal);
      const living = await this.#living(database, rows.map(storedOf));
      for (const key of some) {
        const stored = living.get(key);
        const entry = stored && (await this.#entryOf(database, stored, living));
        found.push(entry);
        if (entry === undefined) counters.misses++;
        else counters.hits++;
        if (isSliceOver()) await nextSlice();
      }
    }
    return found;
  }

  /** What is known of the living entries of the keys, in their order. */
  async lookMany(
    database: Database,
    keys: readonly string[],
    signal: Signal,
  ): Promise<(EntryLook | undefined)[]> {
    const found: (EntryLook | undefined)[] = [];
    for (let start = 0; start < keys.length; start += KEYS_MAX) {
      throwIfAborted(signal, "The read");
      const some = keys.slice(start, start + KEYS_MAX);
      const rows = await this.#lookup.rows(database, HEADS, some.map(toStored), signal);
      const living = await this.#living(database, rows.map(headOf));
      for (const key of some) {
        const head = living.get(key);
        found.push(head && this.#lookOf(head, this.#parts.touches.lifeOf(head)));
      }
      if (isSliceOver()) await nextSlice();
    }
    return found;
  }

  /** Leaves out those whose time is over, or has not come, or whose tags were dropped. */
  async #living<T extends Head>(database: Database, heads: readonly T[]): Promise<Map<string, T>> {
    const nowMs = this.#parts.clock.nowMs();
    const living = new Map<string, T>();
    const tags = new Set<string>();
    for (const head of heads) {
      const { keepUntilMs } = this.#parts.touches.lifeOf(head);
      if (keepUntilMs <= nowMs || head.createdMs > nowMs) continue;
      living.set(head.key, head);
      for (const tag of head.tags) tags.add(tag);
    }
    if (tags.size === 0) return living;
    const dropped = await this.#droppedEpochs(database, [...tags]);
    for (const { key, epoch, tags } of living.values()) {
      if (tags.some((tag) => (dropped.get(tag) ?? 0) > epoch)) living.delete(key);
    }
    return living;
  }

  /** The epochs at which tags were dropped. */
  async #droppedEpochs(
    database: Database,
    tags: readonly string[],
  ): Promise<ReadonlyMap<unknown, number>> {
    const dropped = new Map<unknown, number>();
    for (let start = 0; start < tags.length; start += KEYS_MAX) {
      const some = tags.slice(start, start + KEYS_MAX);
      const rows = await this.#lookup.rows(database, DROPPED, some, undefined);
      for (const [name, epoch] of rows) dropped.set(name, Number(epoch));
    }
    return dropped;
  }

  async #entryOf(
    database: Database,
    stored: Stored,
    living: Map<string, Stored>,
  ): Promise<TierEntry | undefined> {
    const { touches, clock } = this.#parts;
    const value = await this.#valueOf(database, stored);
    if (isUnreadable(value)) {
      living.delete(stored.key);
      if (value.damaged) await this.#drop(database, stored);
      return undefined;
    }
    return { ...this.#lookOf(stored, touches.hit(stored, clock.nowMs())), value: value.value };
  }

  async #valueOf(
    database: Database,
    stored: Stored,
  ): Promise<{ readonly value: unknown } | Unreadable> {
    const bytes =
      stored.parts === undefined
        ? checked(stored)
        : await readParts(database, stored.parts, stored.checksum);
    if (bytes === undefined) return { damaged: true };
    try {
      const { key, codec } = stored;
      return { value: await unpack(key, { codec, bytes }, this.#parts.encryptionKey) };
    } catch (error) {
      if (isSpringhouseError(error, "CORRUPT")) return { damaged: true };
      // Another process compresses with a package that this one lacks: of no use here, but whole.
      if (!isSpringhouseError(error, "MISSING_DEPENDENCY")) throw error;
      this.#parts.counters.errors++;
      return { damaged: false };
    }
  }

  /**
   * Removes a damaged entry. One that was replaced between its row and its parts looks like one,
   * and is left alone. When it cannot be removed now, the next read finds it again.
   */
  async #drop(database: Database, { id, createdMs, checksum }: Stored): Promise<void> {
    const { counters } = this.#parts;
    try {
      const unit = [statement(DROP_DAMAGED, id, createdMs, checksum)];
      const [dropped] = await database.write(unit);
      counters.errors += dropped?.changes ?? 0;
    } catch {
      counters.errors++;
    }
  }

  #lookOf(head: Head, { freshUntilMs, keepUntilMs }: Life): EntryLook {
    const { key, category, createdMs, slidingMs, tags, loadMs, etag, isExpired } = head;
    return {
      key,
      category,
      createdMs,
      freshUntilMs: isExpired ? Math.min(freshUntilMs, this.#parts.clock.nowMs()) : freshUntilMs,
      keepUntilMs,
      slidingMs,
      tags: tags.map(fromStored),
      loadMs,
      etag,
    };
  }
}

function isUnreadable(value: { readonly value: unknown } | Unreadable): value is Unreadable {
  return "damaged" in value;
}
