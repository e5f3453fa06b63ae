/**
 * A tier as the cache uses it: it may be slow, fail or be gone, and no caller is to notice more
 * than a miss.
 *
 * Every call has a timeout. After some failures in a row the circuit opens: the tier is not asked
 * for a while, then one call tries whether it is back. Changes go through an outbox, which is also
 * what reads look at first. In strict mode failures reach the caller instead.
 */

import type { Clock } from "../core/clock.ts";
import { SpringhouseError } from "../core/errors.ts";
import type { Tier, TierEntry } from "../tier/tier.ts";
import { Outbox, type WideChange } from "./outbox.ts";

/** How much trouble of a tier is borne. */
export interface GuardOptions {
  readonly clock: Clock;
  /** A call that takes longer counts as failed. */
  readonly timeoutMs: number;
  /** Failures in a row that open the circuit. */
  readonly failuresMax: number;
  /** How long an open circuit asks nothing. */
  readonly pauseMs: number;
  readonly strict: boolean;
  /** Told of every failure. */
  onError(tier: string, error: unknown): void;
}

/** `half-open`: one call is under way to see whether the tier is back. */
type Circuit =
  | { readonly state: "closed"; readonly failures: number }
  | { readonly state: "open"; readonly untilMs: number }
  | { readonly state: "half-open" };

/** What a guard counts beside its tier. */
export interface GuardStatistics {
  readonly circuit: Circuit["state"];
  readonly errors: number;
  readonly timeouts: number;
  /** Calls that were not made because the circuit was open. */
  readonly skipped: number;
  /** Changes that wait for the tier. */
  readonly queued: number;
}

/** A tier that cannot hurt. */
export class GuardedTier {
  readonly tier: Tier;
  readonly #options: GuardOptions;
  readonly #outbox: Outbox;
  #circuit: Circuit = { state: "closed", failures: 0 };
  #errors = 0;
  #timeouts = 0;
  #skipped = 0;
  #lastError: unknown;

  constructor(tier: Tier, options: GuardOptions) {
    this.tier = tier;
    this.#options = options;
    this.#outbox = new Outbox(
      {
        setMany: async (entries) => void (await this.#call(() => tier.setMany(entries))),
        dropMany: async (keys) => void (await this.#call(() => tier.dropMany(keys))),
        wide: (change) => this.#call(() => sendWide(tier, change)),
      },
      options.clock,
    );
  }

  get name(): string {
    return this.tier.name;
  }

  /** The entries, through the outbox; misses where the tier fails. */
  async getMany(keys: readonly string[]): Promise<readonly (TierEntry | undefined)[]> {
    const found = new Map<string, TierEntry | undefined>();
    const wanted: string[] = [];
    for (const key of keys) {
      const pending = this.#outbox.pending(key);
      if (pending === undefined) wanted.push(key);
      else found.set(key, pending.kind === "set" ? this.#living(pending.entry) : undefined);
    }
    if (wanted.length > 0) {
      const entries = await this.#read(() => this.tier.getMany(wanted), []);
      for (const [index, key] of wanted.entries()) {
        const entry = entries[index];
        // What changed while the tier was asked counts, and not what it answered.
        const pending = this.#outbox.pending(key);
        if (pending !== undefined)
          found.set(key, pending.kind === "set" ? pending.entry : undefined);
        else if (this.#isSound(entry, key)) found.set(key, entry);
      }
    }
    return keys.map((key) => found.get(key));
  }

  async hasMany(keys: readonly string[]): Promise<readonly boolean[]> {
    const answers = await this.#read(() => this.tier.hasMany(keys), []);
    return keys.map((key, index) => {
      const pending = this.#outbox.pending(key);
      return pending === undefined ? answers[index] === true : pending.kind === "set";
    });
  }

  set(entry: TierEntry): void {
    this.#outbox.set(entry);
  }

  drop(key: string): void {
    this.#outbox.drop(key);
  }

  wide(change: WideChange): void {
    this.#outbox.wide(change);
  }

  /** Waits until the changes have arrived or wait for better times. Rejects in strict mode only. */
  async flushed(): Promise<void> {
    const errors = this.#errors;
    await this.#outbox.flushed();
    if (this.#options.strict && this.#errors > errors) throw this.#lastError;
  }

  /** Any other read of the tier, with what to answer when it fails. */
  async read<T>(ask: (tier: Tier) => Promise<T>, otherwise: T): Promise<T> {
    return await this.#read(() => ask(this.tier), otherwise);
  }

  statistics(): GuardStatistics {
    return {
      circuit: this.#circuit.state,
      errors: this.#errors,
      timeouts: this.#timeouts,
      skipped: this.#skipped,
      queued: this.#outbox.size,
    };
  }

  resetStatistics(): void {
    this.#errors = 0;
    this.#timeouts = 0;
    this.#skipped = 0;
    this.tier.resetStatistics();
  }

  /** @returns how many changes did not arrive. */
  async close(): Promise<number> {
    const lost = await this.#outbox.close();
    await this.#call(() => this.tier.close()).catch(() => undefined);
    return lost;
  }

  async #read<T>(ask: () => Promise<T>, otherwise: T): Promise<T> {
    try {
      return await this.#call(ask);
    } catch (error) {
      if (this.#options.strict) throw error;
      return otherwise;
    }
  }

  /** Calls the tier unless the circuit is open. Rejects with its failure. */
  async #call<T>(run: () => Promise<T>): Promise<T> {
    if (!this.#mayTry()) {
      this.#skipped++;
      throw new SpringhouseError("CIRCUIT_OPEN", `The tier "${this.name}" is not asked for now.`, {
        cause: this.#lastError,
        fields: { tier: this.name },
      });
    }
    try {
      const result = await this.#inTime(run);
      this.#circuit = { state: "closed", failures: 0 };
      return result;
    } catch (error) {
      this.#failed(error);
      throw error;
    }
  }

  #mayTry(): boolean {
    const circuit = this.#circuit;
    if (circuit.state === "closed") return true;
    if (circuit.state === "half-open") return false;
    if (this.#options.clock.monotonicMs() < circuit.untilMs) return false;
    this.#circuit = { state: "half-open" };
    return true;
  }

  #failed(error: unknown): void {
    const { clock, failuresMax, pauseMs, onError } = this.#options;
    this.#errors++;
    this.#lastError = error;
    const circuit = this.#circuit;
    const failures = circuit.state === "closed" ? circuit.failures + 1 : failuresMax;
    this.#circuit =
      failures < failuresMax
        ? { state: "closed", failures }
        : { state: "open", untilMs: clock.monotonicMs() + pauseMs };
    onError(this.name, error);
  }

  /** What comes after the timeout is ignored: it may be of any age. */
  async #inTime<T>(run: () => Promise<T>): Promise<T> {
    const { clock, timeoutMs } = this.#options;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    using _timer = clock.schedule(
      () => {
        this.#timeouts++;
        const message = `The tier "${this.name}" did not answer within ${timeoutMs} ms.`;
        reject(
          new SpringhouseError("TIMEOUT", message, { fields: { tier: this.name, timeoutMs } }),
        );
      },
      timeoutMs,
      true,
    );
    run().then(resolve, reject);
    return await promise;
  }

  #living(entry: TierEntry): TierEntry | undefined {
    return entry.keepUntilMs > this.#options.clock.nowMs() ? entry : undefined;
  }

  /** A tier of somebody else may answer anything. */
  #isSound(entry: TierEntry | undefined, key: string): entry is TierEntry {
    if (entry === undefined) return false;
    const sound =
      entry.key === key &&
      entry.value !== undefined &&
      Number.isFinite(entry.createdMs) &&
      entry.keepUntilMs > this.#options.clock.nowMs() &&
      Array.isArray(entry.tags);
    if (!sound) {
      this.#failed(
        new SpringhouseError("CORRUPT", `The tier "${this.name}" gave no sound entry for a key.`, {
          fields: { tier: this.name, key },
        }),
      );
      return false;
    }
    return !this.#outbox.isDoomed(entry);
  }
}

async function sendWide(tier: Tier, change: WideChange): Promise<void> {
  if (change.kind === "clear") await tier.clear();
  else if (change.kind === "prefix") await tier.dropPrefix(change.prefix);
  else await tier.dropTags(change.tags);
}
