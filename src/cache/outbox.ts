/**
 * Changes on their way to one tier: in order, in batches, and again after an outage.
 *
 * - A key has at most one change here: the newest. A drop of many (tag, prefix, everything) is a
 *   step of its own, and changes of keys gather before and after it.
 * - Until a change has arrived, the tier is read through this box: what is to be set is served
 *   from here, and what is to be dropped cannot be resurrected by what the tier still has. So a
 *   set that comes to nothing (its life is over, its tag was dropped) is still a drop of whatever
 *   the tier had before it.
 * - A failure keeps the change and tries again after a pause that grows. Values that wait for a
 *   tier that is down take memory; beyond a bound the next ones are left out, and what the tier
 *   has for their keys is dropped. When too many changes have gathered, those of the categories
 *   that have most become one step each: all of the category in the tier is dropped. Where that
 *   does not help, everything of this cache is. All of it loses cached values, and no invalidation.
 */

import type { Clock } from "../core/clock.ts";
import { ownCopy } from "../tier/memory/own-copy.ts";
import type { EntryLook, KeysQuery, TierEntry } from "../tier/tier.ts";
import { BATCH_MAX } from "./batches.ts";
import { asStale } from "./life.ts";
import { fullestCategories } from "./whole-key.ts";

/** A change that concerns many keys. */
export type WideChange =
  | { readonly kind: "tags"; readonly tags: readonly string[] }
  | { readonly kind: "prefix"; readonly prefix: string };

/** A change of one key. */
export type KeyChange =
  | {
      readonly kind: "set";
      readonly entry: TierEntry;
      /** It is stale from this moment on, which the tier is to be told when it has it. */
      readonly expiredMs?: number;
    }
  | { readonly kind: "drop" }
  /** What there is stays, stale from this moment on. */
  | { readonly kind: "expire"; readonly atMs: number };

/** Sends the changes; rejects when the tier did not take them. */
export interface OutboxTarget {
  /** Sets the entries; drops the keys of those that the tier can never take. */
  setMany(entries: readonly TierEntry[]): Promise<void>;
  dropMany(keys: readonly string[]): Promise<void>;
  /** Makes the entries of the keys stale from a moment on, those that were made until then. */
  expireMany(keys: readonly string[], atMs: number): Promise<void>;
  wide(change: WideChange): Promise<void>;
}

/** Changes that wait for a tier that is down; beyond it whole categories are dropped instead. */
export const OUTBOX_MAX = 10_000;
/** So far the changes are brought down then, so that it is not to be done again for each one, */
const LEFT_PART = 3 / 4;
/** and by so many categories: each is a walk through all changes. */
const COLLAPSED_MAX = 8;
/** Heap bytes of values that wait for a tier that is down: as much as memory has by default. */
const WAITING_BYTES_MAX = 100_000_000;
/** The first pause after a failure, and the longest one. */
const RETRY_MS_MIN = 250;
const RETRY_MS_MAX = 30_000;

const DROP: KeyChange = { kind: "drop" };

/** A change and its place in the order of all of them. */
interface Numbered {
  readonly change: KeyChange;
  readonly number: number;
  /** Heap bytes of what waits to be set, as far as they were asked for. */
  readonly bytes: number;
}

type Step =
  | { readonly kind: "keys"; readonly changes: Map<string, Numbered> }
  | { readonly kind: "wide"; readonly change: WideChange; readonly number: number };

/** Waits until no change up to this number is left. */
interface Waiter {
  readonly number: number;
  resolve(arrived: boolean): void;
}

/** The changes that wait for one tier. */
export class Outbox {
  readonly #target: OutboxTarget;
  readonly #clock: Clock;
  readonly #everything: WideChange;
  readonly #max: number;
  #steps: Step[] = [];
  #size = 0;
  #bytes = 0;
  #number = 0;
  #running: Promise<void> | undefined;
  #failures = 0;
  #retry: Disposable | undefined;
  #waiters: Waiter[] = [];
  #closed = false;

  /** @param prefix what all keys begin with that go through here. */
  constructor(target: OutboxTarget, clock: Clock, prefix: string, max: number = OUTBOX_MAX) {
    this.#target = target;
    this.#clock = clock;
    this.#everything = { kind: "prefix", prefix };
    this.#max = max;
  }

  /** Changes that wait. */
  get size(): number {
    return this.#size;
  }

  set(entry: TierEntry, expiredMs?: number): void {
    // A tier that is up has it in a moment.
    const bytes = this.#retry === undefined ? 0 : ownCopy(entry.value).bytes;
    this.#take(entry.key);
    const hasRoom = this.#bytes + bytes <= WAITING_BYTES_MAX;
    const change: KeyChange = {
      kind: "set",
      entry,
      ...(expiredMs === undefined ? {} : { expiredMs }),
    };
    if (hasRoom) this.#putKey(entry.key, change, bytes);
    else this.#putKey(entry.key, DROP);
  }

  drop(key: string): void {
    this.#putKey(key, DROP);
  }

  /** Ends the freshness of a key at this moment. */
  expire(key: string, atMs: number): void {
    const before = this.pending(key);
    if (before?.kind === "drop") return;
    if (before?.kind === "set") this.set(asStale(before.entry, atMs), atMs);
    // Of two the later one covers more: the clock may have been set back between them.
    else this.#putKey(key, { kind: "expire", atMs: Math.max(atMs, before?.atMs ?? atMs) });
  }

  wide(change: WideChange): void {
    if (change.kind === "prefix") this.#forgetPrefix(change.prefix);
    else this.#dropTagged(change.tags);
    this.#pushWide(change);
    this.#grown();
  }

  /** What waits for this key. */
  pending(key: string): KeyChange | undefined {
    for (let index = this.#steps.length - 1; index >= 0; index--) {
      const step = this.#steps[index];
      if (step?.kind === "keys") {
        const numbered = step.changes.get(key);
        if (numbered !== undefined) return numbered.change;
      } else if (step !== undefined && coversKey(step.change, key)) {
        return DROP;
      }
    }
    return undefined;
  }

  /** Whether a drop of tags is on its way, so that only an entry says whether it is alive. */
  get dropsTags(): boolean {
    return this.#steps.some((step) => step.kind === "wide" && step.change.kind === "tags");
  }

  /** Whether an entry that the tier gave is one that a drop on its way will remove. */
  isDoomed(entry: EntryLook): boolean {
    if (entry.tags.length === 0) return false;
    return this.#steps.some(
      (step) =>
        step.kind === "wide" && step.change.kind === "tags" && sharesTag(entry, step.change.tags),
    );
  }

  /** The keys that wait to be set. */
  keysToSet({ prefix = "", tag }: KeysQuery): readonly string[] {
    const keys: string[] = [];
    for (const step of this.#steps) {
      if (step.kind !== "keys") continue;
      for (const [key, { change }] of step.changes) {
        if (change.kind !== "set" || !key.startsWith(prefix)) continue;
        if (tag === undefined || change.entry.tags.includes(tag)) keys.push(key);
      }
    }
    return keys;
  }

  /** Whether all changes of this moment arrive now; false when the tier cannot have them. */
  async flushed(): Promise<boolean> {
    if (this.#size === 0) return true;
    if (this.#retry !== undefined || this.#closed) return false;
    return await new Promise((resolve) => this.#waiters.push({ number: this.#number, resolve }));
  }

  /** Tries again at once what waits for better times: the tier is back. */
  wake(): void {
    if (this.#retry === undefined) return;
    this.#retry[Symbol.dispose]();
    this.#retry = undefined;
    this.#grown();
  }

  /** Tries once more to deliver everything. @returns how many changes are lost with the box. */
  async close(): Promise<number> {
    this.#retry?.[Symbol.dispose]();
    this.#retry = undefined;
    await this.#running;
    this.#closed = true;
    if (this.#size > 0) await this.#run();
    return this.#size;
  }

  #putKey(key: string, change: KeyChange, bytes: number = 0): void {
    this.#take(key);
    let last = this.#steps.at(-1);
    if (last?.kind !== "keys") {
      last = { kind: "keys", changes: new Map() };
      this.#steps.push(last);
    }
    last.changes.set(key, { change, number: ++this.#number, bytes });
    this.#size++;
    this.#bytes += bytes;
    this.#grown();
  }

  #pushWide(change: WideChange): void {
    this.#steps.push({ kind: "wide", change, number: ++this.#number });
    this.#size++;
  }

  /** Takes a change of a key out, wherever it is. */
  #take(key: string): void {
    for (const step of this.#steps) if (step.kind === "keys") this.#takeFrom(step.changes, key);
  }

  #takeFrom(changes: Map<string, Numbered>, key: string): void {
    const numbered = changes.get(key);
    if (numbered === undefined) return;
    changes.delete(key);
    this.#size--;
    this.#bytes -= numbered.bytes;
  }

  #forgetPrefix(prefix: string): void {
    const isCovered = (step: Step): boolean =>
      step.kind === "wide" &&
      step.change.kind === "prefix" &&
      step.change.prefix.startsWith(prefix);
    const left = this.#steps.filter((step) => !isCovered(step));
    this.#size -= this.#steps.length - left.length;
    this.#steps = left;
    for (const step of this.#steps) {
      if (step.kind !== "keys") continue;
      for (const key of step.changes.keys()) {
        if (key.startsWith(prefix)) this.#takeFrom(step.changes, key);
      }
    }
  }

  /** Entries of the tags are not set any more, and what they would have replaced goes, too. */
  #dropTagged(tags: readonly string[]): void {
    for (const step of this.#steps) {
      if (step.kind !== "keys") continue;
      for (const [key, { change, number, bytes }] of step.changes) {
        if (change.kind !== "set" || !sharesTag(change.entry, tags)) continue;
        step.changes.set(key, { change: DROP, number, bytes: 0 });
        this.#bytes -= bytes;
      }
    }
  }

  #forget(): void {
    // A batch under way must not find its changes again when it arrives.
    for (const step of this.#steps) if (step.kind === "keys") step.changes.clear();
    this.#steps = [];
    this.#size = 0;
    this.#bytes = 0;
  }

  #grown(): void {
    if (this.#size > this.#max) this.#collapse();
    if (this.#running !== undefined || this.#retry !== undefined || this.#closed) return;
    // In the next microtask, so that the changes of one call go together.
    this.#running = Promise.resolve().then(() => this.#run());
  }

  /** Has few drops of much stand for the changes: of categories, of everything if need be. */
  #collapse(): void {
    const leftMax = this.#max * LEFT_PART;
    for (const prefix of fullestCategories(this.#texts()).slice(0, COLLAPSED_MAX)) {
      this.#forgetPrefix(prefix);
      this.#pushWide({ kind: "prefix", prefix });
      if (this.#size <= leftMax) return;
    }
    this.#forget();
    this.#pushWide(this.#everything);
  }

  *#texts(): Generator<string, void, undefined> {
    for (const step of this.#steps) {
      if (step.kind === "keys") yield* step.changes.keys();
      else if (step.change.kind === "prefix") yield step.change.prefix;
    }
  }

  async #run(): Promise<void> {
    try {
      for (let step = this.#steps[0]; step !== undefined; step = this.#steps[0]) {
        if (step.kind === "keys") await this.#sendKeys(step.changes);
        else await this.#sendWide(step);
        if (step.kind === "keys" && step.changes.size === 0 && this.#steps[0] === step) {
          this.#steps.shift();
        }
        this.#failures = 0;
        this.#tellArrived();
      }
    } catch {
      this.#retryLater();
    } finally {
      this.#running = undefined;
      for (const { resolve } of this.#waiters.splice(0)) resolve(this.#size === 0);
    }
  }

  /** Sends a batch; a change that was overtaken meanwhile stays. */
  async #sendKeys(changes: Map<string, Numbered>): Promise<void> {
    const batch = [...changes].slice(0, BATCH_MAX);
    const nowMs = this.#clock.nowMs();
    const sets: TierEntry[] = [];
    const drops: string[] = [];
    const expirations = new Map<number, string[]>();
    const expire = (key: string, atMs: number): void => {
      const keys = expirations.get(atMs);
      if (keys === undefined) expirations.set(atMs, [key]);
      else keys.push(key);
    };
    for (const [key, { change }] of batch) {
      if (change.kind === "expire") expire(key, change.atMs);
      else if (change.kind === "set" && change.entry.keepUntilMs > nowMs) {
        sets.push(change.entry);
        if (change.expiredMs !== undefined) expire(key, change.expiredMs);
      } else drops.push(key);
    }
    if (drops.length > 0) await this.#target.dropMany(drops);
    if (sets.length > 0) await this.#target.setMany(sets);
    for (const [atMs, keys] of expirations) await this.#target.expireMany(keys, atMs);
    for (const [key, numbered] of batch) {
      if (changes.get(key) === numbered) this.#takeFrom(changes, key);
    }
  }

  async #sendWide(step: Extract<Step, { kind: "wide" }>): Promise<void> {
    await this.#target.wide(step.change);
    const index = this.#steps.indexOf(step);
    if (index < 0) return;
    this.#steps.splice(index, 1);
    this.#size--;
  }

  /** Tells those who wait for no more than has arrived: others may send without end. */
  #tellArrived(): void {
    const oldest = this.#oldestNumber();
    while ((this.#waiters[0]?.number ?? oldest) < oldest) this.#waiters.shift()?.resolve(true);
  }

  #oldestNumber(): number {
    for (const step of this.#steps) {
      if (step.kind === "wide") return step.number;
      for (const { number } of step.changes.values()) return number;
    }
    return Number.POSITIVE_INFINITY;
  }

  #retryLater(): void {
    if (this.#closed) return;
    const pauseMs = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** this.#failures++);
    this.#retry = this.#clock.schedule(() => {
      this.#retry = undefined;
      this.#running ??= this.#run();
    }, pauseMs);
  }
}

function coversKey(change: WideChange, key: string): boolean {
  return change.kind === "prefix" && key.startsWith(change.prefix);
}

function sharesTag({ tags }: EntryLook, others: readonly string[]): boolean {
  return tags.some((tag) => others.includes(tag));
}
