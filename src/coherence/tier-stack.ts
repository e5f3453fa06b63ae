/**
 * The persistent tiers that results are kept in, the fastest first: asked in batches, and guarded,
 * so that no failure of one reaches a caller.
 */

import { GuardedTier, type GuardStatistics } from "../cache/guarded-tier.ts";
import { warn } from "../core/channels.ts";
import type { Clock } from "../core/clock.ts";
import { messageOf } from "../core/errors.ts";
import type { Tier, TierEntry } from "../tier/tier.ts";

/** What all keys of results begin with. */
export const RESULTS_PREFIX = "springhouse-results:";

/** A tier that takes longer costs more than most functions. */
const TIMEOUT_MS = 1_000;
/** Failures in a row after which a tier is left alone for a while. */
const FAILURES_MAX = 5;
const PAUSE_MS = 5_000;
/** Keys that one call of a tier asks for. */
const BATCH_MAX = 500;
/** Between two warnings of one tier: an outage is one thing to tell. */
const WARN_EVERY_MS = 60_000;

/** See above. */
export class TierStack {
  readonly #tiers: readonly Batched[];
  readonly #clock: Clock;
  readonly #warnedMs = new Map<string, number>();

  constructor(tiers: readonly Tier[], clock: Clock) {
    this.#clock = clock;
    const onError = (name: string, error: unknown): void => this.#warn(name, error);
    this.#tiers = tiers.map((tier) => {
      const limits = { timeoutMs: TIMEOUT_MS, failuresMax: FAILURES_MAX, pauseMs: PAUSE_MS };
      const prefix = RESULTS_PREFIX;
      return new Batched(
        new GuardedTier(tier, { ...limits, clock, prefix, strict: false, onError }),
      );
    });
  }

  get names(): readonly string[] {
    return this.#tiers.map(({ guard }) => guard.name);
  }

  /** What the tiers have under a key, one tier after the other. */
  async *entries(key: string): AsyncGenerator<TierEntry & { readonly tier: string }> {
    for (const tier of this.#tiers) {
      const entry = await tier.get(key);
      if (entry !== undefined) yield { ...entry, tier: tier.guard.name };
    }
  }

  /** Gives an entry to the tiers, or to those above one of them. Returns at once. */
  set(entry: TierEntry, above?: string): void {
    for (const { guard } of this.#tiers) {
      if (guard.name === above) return;
      guard.set(entry);
    }
  }

  /** Drops a key in one tier, or in all of them. Returns at once. */
  drop(key: string, tier?: string): void {
    for (const { guard } of this.#tiers) {
      if (tier === undefined || guard.name === tier) guard.drop(key);
    }
  }

  statistics(): Readonly<Record<string, GuardStatistics>> {
    return Object.fromEntries(this.#tiers.map(({ guard }) => [guard.name, guard.statistics()]));
  }

  /** Waits for what is on its way, and closes the tiers. Never rejects. */
  async close(): Promise<void> {
    await Promise.all(this.#tiers.map(({ guard }) => guard.close()));
  }

  #warn(name: string, error: unknown): void {
    const nowMs = this.#clock.monotonicMs();
    const warnedMs = this.#warnedMs.get(name) ?? Number.NEGATIVE_INFINITY;
    if (nowMs < warnedMs + WARN_EVERY_MS) return;
    this.#warnedMs.set(name, nowMs);
    const message = `The tier "${name}" failed (${messageOf(error)}). Functions run without it.`;
    warn("RESULT_TIER_FAILED", message, { tier: name });
  }
}

/** One tier; those who ask it in the same moment share a call. */
class Batched {
  readonly guard: GuardedTier;
  #batch: Batch | undefined;

  constructor(guard: GuardedTier) {
    this.guard = guard;
  }

  async get(key: string): Promise<TierEntry | undefined> {
    if (this.#batch === undefined || this.#batch.keys.length >= BATCH_MAX)
      this.#batch = this.#begin();
    const { keys, answer } = this.#batch;
    const at = keys.push(key) - 1;
    return (await answer)[at];
  }

  #begin(): Batch {
    const keys: string[] = [];
    const answer = Promise.resolve().then(() => {
      if (this.#batch === batch) this.#batch = undefined;
      return this.guard.getMany(keys);
    });
    const batch: Batch = { keys, answer };
    return batch;
  }
}

interface Batch {
  readonly keys: string[];
  readonly answer: Promise<readonly (TierEntry | undefined)[]>;
}
