/**
 * Changes on their way to one tier: in order, in batches, and again after an outage.
 *
 * - A key has at most one change here: the newest. A drop of many (tag, prefix, everything) is a
 *   step of its own, and changes of keys gather before and after it.
 * - Until a change has arrived, the tier is read through this box: what is to be set is served
 *   from here, and what is to be dropped cannot be resurrected by what the tier still has.
 * - A failure keeps the change and tries again after a pause that grows. When too much has
 *   gathered, all of it becomes one step: everything in the tier is dropped. That loses cached
 *   values, and no invalidation.
 */

import type { Clock } from "../core/clock.ts";
import type { TierEntry } from "../tier/tier.ts";

/** A change that concerns many keys. */
export type WideChange =
  | { readonly kind: "tags"; readonly tags: readonly string[] }
  | { readonly kind: "prefix"; readonly prefix: string }
  | { readonly kind: "clear" };

/** What a box says of a key before its tier is asked. */
export type Pending =
  | { readonly kind: "set"; readonly entry: TierEntry }
  | { readonly kind: "drop" }
  | undefined;

/** Sends the changes; rejects when the tier did not take them. */
export interface OutboxTarget {
  setMany(entries: readonly TierEntry[]): Promise<void>;
  dropMany(keys: readonly string[]): Promise<void>;
  wide(change: WideChange): Promise<void>;
}

/** Changes in one call of a tier. */
const BATCH_MAX = 500;
/** Changes that wait for a tier that is down; beyond it everything there is dropped instead. */
export const OUTBOX_MAX = 10_000;
/** The first pause after a failure, and the longest one. */
const RETRY_MS_MIN = 250;
const RETRY_MS_MAX = 30_000;

/** `entry` absent: drop the key. */
interface KeyChange {
  readonly entry: TierEntry | undefined;
}

type Step =
  | { readonly kind: "keys"; readonly changes: Map<string, KeyChange> }
  | { readonly kind: "wide"; readonly change: WideChange };

/** The changes that wait for one tier. */
export class Outbox {
  readonly #target: OutboxTarget;
  readonly #clock: Clock;
  readonly #max: number;
  #steps: Step[] = [];
  #size = 0;
  #running: Promise<void> | undefined;
  #failures = 0;
  #retry: Disposable | undefined;
  #idle: (() => void)[] = [];
  #closed = false;

  constructor(target: OutboxTarget, clock: Clock, max: number = OUTBOX_MAX) {
    this.#target = target;
    this.#clock = clock;
    this.#max = max;
  }

  /** Changes that wait. */
  get size(): number {
    return this.#size;
  }

  set(entry: TierEntry): void {
    this.#putKey(entry.key, { entry });
  }

  drop(key: string): void {
    this.#putKey(key, { entry: undefined });
  }

  wide(change: WideChange): void {
    if (change.kind === "clear") this.#forget();
    else if (change.kind === "prefix") this.#forgetKeys((key) => key.startsWith(change.prefix));
    else this.#forgetKeys((_, { entry }) => entry !== undefined && sharesTag(entry, change.tags));
    this.#steps.push({ kind: "wide", change });
    this.#size++;
    this.#grown();
  }

  /** What waits for this key. */
  pending(key: string): Pending {
    for (let index = this.#steps.length - 1; index >= 0; index--) {
      const step = this.#steps[index];
      if (step?.kind === "keys") {
        const change = step.changes.get(key);
        if (change?.entry !== undefined) return { kind: "set", entry: change.entry };
        if (change !== undefined) return { kind: "drop" };
      } else if (step !== undefined && coversKey(step.change, key)) {
        return { kind: "drop" };
      }
    }
    return undefined;
  }

  /** Whether an entry that the tier gave is one that a drop on its way will remove. */
  isDoomed(entry: TierEntry): boolean {
    if (entry.tags.length === 0) return false;
    return this.#steps.some(
      (step) =>
        step.kind === "wide" && step.change.kind === "tags" && sharesTag(entry, step.change.tags),
    );
  }

  /** Resolves when all changes of this moment have arrived, or the tier has failed to take them. */
  async flushed(): Promise<void> {
    if (this.#size === 0 || this.#retry !== undefined) return;
    await new Promise<void>((resolve) => this.#idle.push(resolve));
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

  #putKey(key: string, change: KeyChange): void {
    for (const step of this.#steps) {
      if (step.kind === "keys" && step.changes.delete(key)) this.#size--;
    }
    let last = this.#steps.at(-1);
    if (last?.kind !== "keys") {
      last = { kind: "keys", changes: new Map() };
      this.#steps.push(last);
    }
    last.changes.set(key, change);
    this.#size++;
    this.#grown();
  }

  #forgetKeys(matches: (key: string, change: KeyChange) => boolean): void {
    for (const step of this.#steps) {
      if (step.kind !== "keys") continue;
      for (const [key, change] of step.changes) {
        if (matches(key, change) && step.changes.delete(key)) this.#size--;
      }
    }
  }

  #forget(): void {
    // A batch under way must not find its changes again when it arrives.
    for (const step of this.#steps) if (step.kind === "keys") step.changes.clear();
    this.#steps = [];
    this.#size = 0;
  }

  #grown(): void {
    if (this.#size > this.#max) {
      this.#forget();
      this.#steps.push({ kind: "wide", change: { kind: "clear" } });
      this.#size = 1;
    }
    if (this.#running !== undefined || this.#retry !== undefined || this.#closed) return;
    // In the next microtask, so that the changes of one call go together.
    this.#running = Promise.resolve().then(() => this.#run());
  }

  async #run(): Promise<void> {
    try {
      for (let step = this.#steps[0]; step !== undefined; step = this.#steps[0]) {
        if (step.kind === "keys") await this.#sendKeys(step.changes);
        else await this.#sendWide(step);
        if (step.kind === "keys" && step.changes.size === 0 && this.#steps[0] === step) {
          this.#steps.shift();
        }
      }
      this.#failures = 0;
    } catch {
      this.#retryLater();
    } finally {
      this.#running = undefined;
      for (const resolve of this.#idle.splice(0)) resolve();
    }
  }

  /** Sends a batch; a change that was overtaken meanwhile stays. */
  async #sendKeys(changes: Map<string, KeyChange>): Promise<void> {
    const batch = [...changes].slice(0, BATCH_MAX);
    const nowMs = this.#clock.nowMs();
    const sets = batch.flatMap(([, { entry }]) =>
      entry !== undefined && entry.keepUntilMs > nowMs ? [entry] : [],
    );
    const drops = batch.flatMap(([key, { entry }]) => (entry === undefined ? [key] : []));
    if (drops.length > 0) await this.#target.dropMany(drops);
    if (sets.length > 0) await this.#target.setMany(sets);
    for (const [key, change] of batch) {
      if (changes.get(key) === change && changes.delete(key)) this.#size--;
    }
  }

  async #sendWide(step: Extract<Step, { kind: "wide" }>): Promise<void> {
    await this.#target.wide(step.change);
    const index = this.#steps.indexOf(step);
    if (index < 0) return;
    this.#steps.splice(index, 1);
    this.#size--;
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
  return change.kind === "clear" || (change.kind === "prefix" && key.startsWith(change.prefix));
}

function sharesTag({ tags }: TierEntry, others: readonly string[]): boolean {
  return tags.some((tag) => others.includes(tag));
}
