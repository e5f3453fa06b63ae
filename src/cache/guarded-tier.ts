/**
 * A tier as the cache uses it: it may be slow, fail or be gone, and no caller is to notice more
 * than a miss.
 *
 * Every call has a timeout. After some failures in a row the circuit opens: the tier is not asked
 * for a while, then one call tries whether it is back. Changes go through an outbox, which is also
 * what reads look at first. In strict mode failures reach the caller instead.
 */

import { throwIfAborted } from "../core/abort.ts";
import { messageOf, SpringhouseError } from "../core/errors.ts";
import { type OwnCopy, ownCopy } from "../tier/memory/own-copy.ts";
import { NullTier } from "../tier/null-tier.ts";
import type { EntryLook, KeysQuery, Tier, TierEntry } from "../tier/tier.ts";
import { readInBatches } from "./batches.ts";
import { Circuit, type CircuitOptions } from "./circuit.ts";
import { hasForm, isLook } from "./entry-form.ts";
import { asStale } from "./life.ts";
import { type KeyChange, Outbox, type WideChange } from "./outbox.ts";
import { sendWide, setAcceptable, setOrRefusal } from "./tier-changes.ts";

/** How much trouble of a tier is borne. */
export interface GuardOptions extends CircuitOptions {
  /** What all keys begin with; whatever else the tier has is somebody else's. */
  readonly prefix: string;
  /** A call that takes longer counts as failed. */
  readonly timeoutMs: number;
  readonly strict: boolean;
  /** Told of every failure. */
  onError(tier: string, error: unknown): void;
}

/** A tier of somebody else may answer anything. */
type IsSound<Answer> = (answer: unknown, key: string) => answer is Answer;

/** What a guard counts beside its tier. */
export interface GuardStatistics {
  readonly circuit: Circuit["state"];
  readonly errors: number;
  readonly timeouts: number;
  /** Calls that were not made, because the circuit was open or a change before had no answer. */
  readonly skipped: number;
  /** Changes that wait for the tier. */
  readonly queued: number;
}

/** A change without an answer is waited for so long; then it is taken to be lost. */
const LATE_MS_MAX = 60_000;
/** A tier that closes may have much to write, and must not keep the program for ever. */
const CLOSE_MS_MAX = 10_000;

/** A tier that cannot hurt. */
export class GuardedTier {
  readonly tier: Tier;
  readonly #options: GuardOptions;
  readonly #outbox: Outbox;
  readonly #circuit: Circuit;
  /** The change under way. When it has timed out it may still come to pass, after later ones. */
  #unanswered: { readonly untilMs: number; readonly answered: Promise<void> } | undefined;
  #errors = 0;
  #timeouts = 0;
  #skipped = 0;
  #lastError: unknown;

  constructor(tier: Tier, options: GuardOptions) {
    this.tier = tier;
    this.#options = options;
    this.#circuit = new Circuit(options);
    this.#outbox = new Outbox(
      {
        setMany: (entries) => this.#setMany(entries),
        dropMany: async (keys) => void (await this.#change(() => tier.dropMany(keys))),
        expireMany: async (keys, atMs) =>
          void (await this.#change(() => tier.expireMany(keys, { atMs }))),
        wide: (change) => this.#change(() => sendWide(tier, change)),
      },
      options.clock,
      options.prefix,
    );
  }

  get name(): string {
    return this.tier.name;
  }

  /** The entries, through the outbox; misses where the tier fails. */
  getMany(keys: readonly string[]): Promise<readonly (TierEntry | undefined)[]> {
    const get = (wanted: readonly string[]) => this.tier.getMany(wanted);
    return readInBatches(keys, (batch) => this.#ask(batch, get, hasForm));
  }

  /** What is known of them without their values; to look is no use, and counts nothing. */
  lookMany(keys: readonly string[]): Promise<readonly (EntryLook | undefined)[]> {
    const look = (wanted: readonly string[]) => this.tier.lookMany(wanted);
    return readInBatches(keys, (batch) => this.#ask(batch, look, isLook));
  }

  async look(key: string): Promise<EntryLook | undefined> {
    return (await this.lookMany([key]))[0];
  }

  /** A copy of the value of an entry; undefined when it is no data, which is the tier's fault. */
  own({ key, value }: TierEntry): OwnCopy | undefined {
    try {
      return ownCopy(value);
    } catch (error) {
      this.#failed(this.#corrupt(key, error));
      return undefined;
    }
  }

  /** The keys of entries and of those on their way. A tier that fails ends the list. */
  async *keys(
    query: KeysQuery,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<readonly string[], void, undefined> {
    throwIfAborted(signal, "The list of keys");
    yield this.#outbox.keysToSet(query);
    const list = async () => this.tier.keys(query, { signal })[Symbol.asyncIterator]();
    const chunks = await this.#read(list, undefined);
    if (chunks === undefined) return;
    try {
      for (;;) {
        const chunk = await this.#read(async () => {
          const { done, value } = await chunks.next();
          return done === true ? undefined : listOf(value);
        }, undefined);
        throwIfAborted(signal, "The list of keys");
        if (chunk === undefined) return;
        yield await this.#listed(chunk);
      }
    } finally {
      // Not awaited: a tier that hangs would hold up its caller here, too.
      chunks.return?.().catch(() => undefined);
    }
  }

  set(entry: TierEntry): void {
    // What waits for a tier is served, and this one serves nothing.
    if (!(this.tier instanceof NullTier)) this.#outbox.set(entry);
  }

  drop(key: string): void {
    this.#outbox.drop(key);
  }

  /** Makes the entry of a key stale. */
  expire(key: string): void {
    this.#outbox.expire(key, this.#options.clock.nowMs());
  }

  wide(change: WideChange): void {
    this.#outbox.wide(change);
  }

  /** Waits until the changes have arrived or wait for better times. Rejects in strict mode only. */
  async flushed(): Promise<void> {
    const arrived = await this.#outbox.flushed();
    if (!arrived && this.#options.strict) throw this.#lastError;
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

  /** The newest of its failures. */
  get lastError(): unknown {
    return this.#lastError;
  }

  /** @returns how many changes did not arrive. */
  async close(): Promise<number> {
    const { onError, clock } = this.#options;
    const endMs = clock.monotonicMs() + CLOSE_MS_MAX;
    let lost: number;
    // A change that timed out may be under way still, and holds up those behind it.
    do {
      await this.#lateAnswer(endMs - clock.monotonicMs());
      // Once more, even if it was left alone until now.
      this.#circuit.succeeded();
      lost = await this.#outbox.close();
    } while (lost > 0 && this.#unanswered !== undefined && clock.monotonicMs() < endMs);
    if (lost > 0) onError(this.name, this.#lostError(lost));
    // Whatever its circuit says: what it has open is to be closed.
    const leftMs = Math.max(this.#options.timeoutMs, endMs - clock.monotonicMs());
    await this.#inTime(() => this.tier.close(), leftMs).catch((error: unknown) =>
      onError(this.name, error),
    );
    return lost;
  }

  async #ask<Answer extends EntryLook>(
    keys: readonly string[],
    ask: (wanted: readonly string[]) => Promise<readonly (Answer | undefined)[]>,
    isSound: IsSound<Answer>,
  ): Promise<readonly (Answer | TierEntry | undefined)[]> {
    const found = new Map<string, Answer | TierEntry | undefined>();
    const wanted: string[] = [];
    for (const key of keys) {
      const pending = this.#outbox.pending(key);
      if (isOpen(pending)) wanted.push(key);
      else found.set(key, this.#after(pending, key, undefined, isSound));
    }
    if (wanted.length > 0) {
      const answers = await this.#read(async () => listOf(await ask(wanted)), []);
      for (const [index, key] of wanted.entries()) {
        // What changed while the tier was asked counts, and not what it answered.
        found.set(key, this.#after(this.#outbox.pending(key), key, answers[index], isSound));
      }
    }
    return keys.map((key) => found.get(key));
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
    if (!this.#circuit.mayTry()) throw this.#skip("is not asked for now");
    try {
      const result = await this.#inTime(run, this.#options.timeoutMs);
      if (this.#circuit.succeeded()) this.#outbox.wake();
      return result;
    } catch (error) {
      this.#failed(error);
      throw error;
    }
  }

  /**
   * Makes one change after the other: one that timed out may still come to pass, and must not undo
   * a later one.
   */
  async #change<T>(run: () => Promise<T>): Promise<T> {
    const nowMs = this.#options.clock.monotonicMs();
    if (this.#unanswered !== undefined && nowMs < this.#unanswered.untilMs) {
      throw this.#skip("has not answered a change before this one");
    }
    return await this.#call(() => {
      const call = run();
      const forget = (): void => {
        if (this.#unanswered === own) this.#unanswered = undefined;
      };
      const own = { untilMs: nowMs + LATE_MS_MAX, answered: call.then(forget, forget) };
      this.#unanswered = own;
      return call;
    });
  }

  /** Waits for the change under way, however late it is. */
  async #lateAnswer(timeoutMs: number): Promise<void> {
    const late = this.#unanswered;
    if (late === undefined) return;
    await this.#inTime(() => late.answered, timeoutMs).catch(() => undefined);
  }

  #lostError(lost: number): SpringhouseError {
    return new SpringhouseError(
      "CIRCUIT_OPEN",
      `${lost} changes did not reach the tier "${this.name}" before it was closed: ` +
        messageOf(this.#lastError),
      { cause: this.#lastError, fields: { tier: this.name, lost } },
    );
  }

  async #setMany(entries: readonly TierEntry[]): Promise<void> {
    const set = (some: readonly TierEntry[]) => this.#change(() => setOrRefusal(this.tier, some));
    const refused = await setAcceptable(entries, set);
    if (refused.length === 0) return;
    await this.#change(() => this.tier.dropMany(refused.map(({ key }) => key)));
    this.#errors += refused.length;
    for (const { error } of refused) this.#options.onError(this.name, error);
  }

  /** The keys of a list that no change on its way takes away. */
  async #listed(keys: readonly string[]): Promise<readonly string[]> {
    const open = keys.filter((key) => isOpen(this.#outbox.pending(key)));
    if (!this.#outbox.dropsTags) return open;
    const looks = await this.lookMany(open);
    return open.filter((_, index) => looks[index] !== undefined);
  }

  #skip(why: string): SpringhouseError {
    this.#skipped++;
    return new SpringhouseError("CIRCUIT_OPEN", `The tier "${this.name}" ${why}.`, {
      cause: this.#lastError,
      fields: { tier: this.name },
    });
  }

  #failed(error: unknown): void {
    this.#errors++;
    this.#lastError = error;
    this.#circuit.failed();
    this.#options.onError(this.name, error);
  }

  /** What comes after the timeout is ignored: it may be of any age. */
  async #inTime<T>(run: () => Promise<T>, timeoutMs: number): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    using _timer = this.#options.clock.schedule(
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

  /** The entry of a key when what waits for it has happened. */
  #after<Answer extends EntryLook>(
    pending: KeyChange | undefined,
    key: string,
    entry: unknown,
    isSound: IsSound<Answer>,
  ): Answer | TierEntry | undefined {
    if (pending?.kind === "drop") return undefined;
    const nowMs = this.#options.clock.nowMs();
    if (pending?.kind === "set") {
      const { entry: own, expiredMs } = pending;
      if (own.keepUntilMs <= nowMs || own.createdMs > nowMs) return undefined;
      return expiredMs === undefined ? own : asStale(own, nowMs);
    }
    if (entry === undefined) return undefined;
    if (!isSound(entry, key)) {
      this.#failed(this.#corrupt(key));
      return undefined;
    }
    if (entry.keepUntilMs <= nowMs || this.#outbox.isDoomed(entry)) return undefined;
    return pending === undefined ? entry : asStale(entry, Math.min(pending.atMs, nowMs));
  }

  #corrupt(key: string, cause?: unknown): SpringhouseError {
    const message = `The tier "${this.name}" gave no sound entry for a key.`;
    return new SpringhouseError("CORRUPT", message, { cause, fields: { tier: this.name, key } });
  }
}

/** Whether the tier is to be asked for the key. */
function isOpen(pending: KeyChange | undefined): boolean {
  return pending === undefined || pending.kind === "expire";
}

function listOf<T>(answer: readonly T[]): readonly T[] {
  if (Array.isArray(answer)) return answer;
  throw new SpringhouseError("CORRUPT", "The tier gave no list.");
}
