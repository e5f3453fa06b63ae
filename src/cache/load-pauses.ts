/**
 * Keys whose load failed a moment ago, and which are not loaded for a while. Memory knows it of the
 * entries that it keeps; this is for those that only tiers below keep, which other processes share
 * and which are therefore not changed because of a failure here.
 *
 * A pause is one entry's: a newer one, whoever stored it, has none.
 */

import type { Clock } from "../core/clock.ts";
import type { TierEntry } from "../tier/tier.ts";
import type { ResolvedLife } from "./life.ts";

interface Pause {
  /** Of the entry that is made do with. */
  readonly createdMs: number;
  /** On the monotonic clock. */
  readonly untilMs: number;
}

/** About 2 MB of keys; when there are more, the oldest is loaded earlier than it could be. */
const PAUSES_MAX = 10_000;

/** The pauses of one category. */
export class LoadPauses {
  readonly #clock: Clock;
  readonly #pauses = new Map<string, Pause>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#pauses.size;
  }

  /** Begins a pause of `retryAfter`, which does not outlast what the entry can do meanwhile. */
  begin(key: string, entry: TierEntry, { retryAfterMs }: ResolvedLife): void {
    const nowMs = this.#clock.nowMs();
    const { createdMs, freshUntilMs, keepUntilMs } = entry;
    const endMs = freshUntilMs > nowMs ? freshUntilMs : keepUntilMs;
    const untilMs = this.#clock.monotonicMs() + Math.min(retryAfterMs, endMs - nowMs);
    this.#pauses.delete(key);
    this.#pauses.set(key, { createdMs, untilMs });
    if (this.#pauses.size <= PAUSES_MAX) return;
    const [oldest] = this.#pauses.keys();
    if (oldest !== undefined) this.#pauses.delete(oldest);
  }

  end(key: string): void {
    this.#pauses.delete(key);
  }

  /** Whether the key is to be left alone while this is its entry. */
  has(key: string, { createdMs }: TierEntry): boolean {
    const pause = this.#pauses.get(key);
    if (pause === undefined) return false;
    if (pause.createdMs === createdMs && pause.untilMs > this.#clock.monotonicMs()) return true;
    this.#pauses.delete(key);
    return false;
  }
}
