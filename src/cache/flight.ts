/**
 * One read of one key past the memory, shared by all who want it meanwhile.
 *
 * - Who gives up leaves; when the last one has left, the load is told by its signal.
 * - A flight may be released early with a stale value and fly on. While the time of that value
 *   lasts, it is for those to come, too; who comes later waits for what the flight brings.
 * - A change of its key while it flies fences it: who waits gets the value, but it is not kept and
 *   nobody joins any more, because it may have been read before the change.
 */

import { abortError, onAbort } from "../core/abort.ts";
import { ownCopy } from "../tier/memory/own-copy.ts";
import type { TierEntry } from "../tier/tier.ts";

/** What a read came to. */
export interface Resolved {
  readonly value: unknown;
  /** Whether there was a value: in a tier, or by the load. */
  readonly hit: boolean;
  /** Whether its time was over. */
  readonly stale: boolean;
  /** The name of the tier, or "load". */
  readonly source: string;
  /** Why it is stale, when a load failed. */
  readonly error: unknown;
  /** Whether each caller needs a copy of its own. */
  readonly changeable: boolean;
}

/** What there is when there is nothing. */
export const MISS: Resolved = {
  value: undefined,
  hit: false,
  stale: false,
  source: "none",
  error: undefined,
  changeable: false,
};

/** Dropped tags that a flight remembers; beyond it nothing of it is kept. */
const DROPPED_TAGS_MAX = 1_000;

/** A read under way. */
export class Flight {
  readonly key: string;
  /** Whether it loads what no tier has. */
  readonly loads: boolean;
  /** Stands for the call that began it, if there was one. */
  readonly call: object | undefined;
  /** The best of what was found stale. */
  stale: TierEntry | undefined;
  /** The tier that has what this one loads anew ahead of its end, in `stale`. */
  aheadOf: string | undefined;
  /** Stands for the run of its load. */
  run: object | undefined;
  /** Nothing of it may be kept. */
  fenced = false;
  /** Nobody may join any more. */
  closed = false;
  /** Those who wait were counted as misses; who joins from now on is counted by who joins it. */
  missed = false;
  /** Of those who wait, who only looks or goes on by itself: counted, but for hits, by its join. */
  goingOn = 0;
  /** Told when somebody begins to wait for it, and when nobody does any more. */
  onAwaited: ((isAwaited: boolean) => void) | undefined;
  readonly #droppedTags = new Set<string>();
  #whenAbandoned: ((reason: unknown) => void) | undefined;
  /** Made when somebody asks for the signal, which loads of many keys do not. */
  #controller: AbortController | undefined;
  #isAbandoned = false;
  #reason: unknown;
  #answer = Promise.withResolvers<Resolved>();
  /** Until when who comes gets what it was released with. */
  #releasedUntilMs: number | undefined;
  readonly #over: (flight: Flight) => void;
  #waiters = 0;
  /** Those of them who only want to know what has come of it. */
  #followers = 0;
  #wasAwaited = false;
  #keepsGoing = false;
  #settled = false;
  #landed = false;

  /** @param over is called when nobody may join any more: it has landed, or was abandoned. */
  constructor(
    key: string,
    loads: boolean,
    call: object | undefined,
    over: (flight: Flight) => void,
  ) {
    this.key = key;
    this.loads = loads;
    this.call = call;
    this.#over = over;
  }

  /** Whether all who wait have their answer; the flight itself may fly on. */
  get settled(): boolean {
    return this.#settled;
  }

  /** Whether somebody was answered with something stale before it landed. */
  get released(): boolean {
    return this.#releasedUntilMs !== undefined;
  }

  /** Whether what it brings is known, or that it brings nothing. */
  get landed(): boolean {
    return this.#landed;
  }

  /** Whether somebody waits for it. */
  get isAwaited(): boolean {
    return this.waiters > 0 && !this.#settled;
  }

  /** Reads that wait for it, or did until it was settled. */
  get waiters(): number {
    return this.#waiters - this.#followers;
  }

  /** Of those, who is counted with it when it finds nothing. */
  get counted(): number {
    return this.waiters - this.goingOn;
  }

  /** Whether an answer is still to be found: it has none, and has not been abandoned. */
  get isOpen(): boolean {
    return !this.#settled && !this.#isAbandoned;
  }

  /** Fires when nobody is interested any more. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#isAbandoned) this.#controller.abort(this.#reason);
    return this.#controller.signal;
  }

  get isAbandoned(): boolean {
    return this.#isAbandoned;
  }

  /** Calls `callback` when nobody is interested any more; now if that is so already. */
  onAbandoned(callback: (reason: unknown) => void): void {
    const before = this.#whenAbandoned;
    if (this.#isAbandoned) callback(this.#reason);
    // No list: of many flights each has one or two, the first of which they share.
    else this.#whenAbandoned = before === undefined ? callback : both(before, callback);
  }

  /** Waits for the value. @param follows does not keep the process alive for it. */
  join(signal: AbortSignal | undefined, follows = false): Promise<Resolved> {
    const answer = this.#answer;
    this.#waiters++;
    if (follows) this.#followers++;
    this.#tellAwaited();
    const value = answer.promise.then((resolved) =>
      resolved.changeable ? { ...resolved, value: ownCopy(resolved.value).value } : resolved,
    );
    if (signal === undefined) return value;
    return new Promise<Resolved>((resolve, reject) => {
      const listening = onAbort(signal, () => {
        reject(abortError(signal, `Waiting for "${this.key}"`));
        if (answer === this.#answer) this.#leave(follows);
      });
      value.then(resolve, reject).finally(() => listening[Symbol.dispose]());
    });
  }

  /** The same for who comes at this moment to a flight that was begun before. */
  joinAt(nowMs: number, signal: AbortSignal | undefined): Promise<Resolved> {
    if (this.#releasedUntilMs !== undefined && nowMs >= this.#releasedUntilMs) this.#reopen();
    return this.join(signal);
  }

  /** Keeps it going though nobody waits: for refreshes behind a hit. */
  keepGoing(): void {
    this.#keepsGoing = true;
  }

  /** Ends it; who waits and has no answer yet gets one by `settle` or `fail`. */
  land(): void {
    this.#landed = true;
    this.#over(this);
  }

  settle(resolved: Resolved): void {
    this.land();
    this.#settle(resolved);
  }

  /**
   * Answers those who wait, and, until `untilMs`, those who join; it flies on for what it brings,
   * whoever leaves.
   */
  release(resolved: Resolved, untilMs: number): void {
    if (!this.#landed) {
      this.#releasedUntilMs = Math.max(untilMs, this.#releasedUntilMs ?? untilMs);
      this.#keepsGoing = true;
    }
    this.#settle(resolved);
  }

  fail(error: unknown): void {
    this.land();
    this.#settled = true;
    this.#tellAwaited();
    // A flight that nobody waits for any more must not end the process.
    this.#answer.promise.catch(() => undefined);
    this.#answer.reject(error);
  }

  /**
   * Tells the load that its time is over. A load that goes on all the same may end at any time,
   * after later changes of its key: nothing of it is kept.
   */
  abandon(reason?: unknown): void {
    this.fenced = true;
    this.#over(this);
    if (this.#isAbandoned) return;
    this.#isAbandoned = true;
    this.#reason = reason;
    this.#controller?.abort(reason);
    this.#whenAbandoned?.(reason);
    this.#whenAbandoned = undefined;
  }

  /** What was found past its time, if it is the newest of its kind. */
  offerStale(entry: TierEntry): void {
    if (this.stale === undefined || this.stale.createdMs < entry.createdMs) this.stale = entry;
  }

  /**
   * Tags dropped while it flies; what it brings with one of them is not kept. Whether it does is
   * known only when it lands, so nobody may join it.
   */
  fenceTags(tags: readonly string[]): void {
    this.closed = true;
    if (this.#droppedTags.size + tags.length > DROPPED_TAGS_MAX) this.fenced = true;
    else for (const tag of tags) this.#droppedTags.add(tag);
    if (this.stale !== undefined && this.isFencedFor(this.stale.tags)) this.stale = undefined;
  }

  isFencedFor(tags: readonly string[]): boolean {
    return this.fenced || tags.some((tag) => this.#droppedTags.has(tag));
  }

  #settle(resolved: Resolved): void {
    this.#settled = true;
    this.#tellAwaited();
    this.#answer.resolve(resolved);
  }

  /** Has those who come from now on wait, when all before have had something stale. */
  #reopen(): void {
    if (!this.#settled || this.#landed) return;
    this.#settled = false;
    this.#waiters = 0;
    this.#followers = 0;
    this.#answer = Promise.withResolvers<Resolved>();
  }

  #tellAwaited(): void {
    const { isAwaited } = this;
    if (isAwaited === this.#wasAwaited) return;
    this.#wasAwaited = isAwaited;
    this.onAwaited?.(isAwaited);
  }

  #leave(follows: boolean): void {
    this.#waiters--;
    if (follows) this.#followers--;
    this.#tellAwaited();
    if (this.#waiters === 0 && !this.#keepsGoing && !this.#settled) this.abandon();
  }
}

type Told = (reason: unknown) => void;

function both(first: Told, second: Told): Told {
  return (reason) => {
    first(reason);
    second(reason);
  };
}
