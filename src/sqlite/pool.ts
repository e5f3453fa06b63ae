/**
 * A pool of connections that are costly to make: here reader threads.
 *
 * - A connection is made when a caller needs one: up to `minSize` at once, above it only when
 *   somebody has waited for a while, because a connection is freed sooner than one is made.
 * - Callers are served in the order in which they came.
 * - A connection that died, or is over age, is replaced between two uses; idle ones are closed
 *   down to `minSize`. Time is a parameter, and all timers are the pool's own.
 *
 * The shape of the settings and of the statistics follows HikariCP, whose experience they carry.
 */

import { abortError, onAbort } from "../core/abort.ts";
import { warn } from "../core/channels.ts";
import type { Clock } from "../core/clock.ts";
import { SpringhouseError } from "../core/errors.ts";
import { borrowerStack } from "./borrower.ts";
import type { ResolvedPoolOptions } from "./pool-options.ts";

/** A caller waits this long for a busy connection before the pool grows beyond `minSize`. */
const GROW_AFTER_MS = 10;
/** Callers that wait; beyond it the answer could not come in time anyway. */
const WAITERS_MAX = 100_000;

/** Makes and ends the connections of a pool. */
export interface PoolFactory<C> {
  /** Makes one that is ready for use. `onDeath` is called when it ends by itself. */
  create(onDeath: () => void): Promise<C>;
  destroy(connection: C): Promise<void>;
}

/** A connection on loan. Must be released exactly by whoever holds it. */
export interface Lease<C> extends Disposable {
  readonly connection: C;
  /** Gives it back. Idempotent. */
  release(): void;
}

/** What a pool has done and is doing. */
export interface PoolStatistics {
  /** Connections that exist. */
  readonly size: number;
  readonly idle: number;
  readonly inUse: number;
  /** Callers that wait for a connection. */
  readonly waiting: number;
  /** How long the oldest of the loans has lasted by now; 0 when there is none. */
  readonly oldestLoanMs: number;
  /** Loans so far. */
  readonly acquired: number;
  /** Callers that gave up after `connectionTimeoutMs`. */
  readonly timeouts: number;
  /** Mean time between asking for a connection and getting it. */
  readonly meanAcquisitionMs: number;
  readonly created: number;
  /** Closed for their age or for being idle. */
  readonly retired: number;
  /** Ended by themselves. */
  readonly died: number;
  /** Loans that were reported as too long. */
  readonly leaks: number;
}

interface Member<C> {
  readonly connection: C;
  readonly createdMs: number;
  idleSinceMs: number;
  lentAtMs: number;
}

interface Waiter<C> {
  readonly sinceMs: number;
  readonly stack: string | undefined;
  readonly resolve: (lease: Lease<C>) => void;
  readonly reject: (error: unknown) => void;
  readonly stop: () => void;
}

/** For one loan. */
export interface AcquireOptions {
  readonly signal?: AbortSignal | undefined;
  /** Reports the loan when it lasts: for loans that end where the caller decides. */
  readonly watched?: boolean;
}

/** Connections on loan, first come, first served. */
export class Pool<C> {
  readonly #factory: PoolFactory<C>;
  readonly #options: ResolvedPoolOptions;
  readonly #clock: Clock;
  readonly #idle: Member<C>[] = [];
  readonly #inUse = new Set<Member<C>>();
  readonly #waiters = new Set<Waiter<C>>();
  readonly #ending = new Set<Promise<void>>();
  #creating = 0;
  #growth: Disposable | undefined;
  #housekeeping: Disposable | undefined;
  #closed = false;
  #onQuiet: (() => void) | undefined;
  #acquired = 0;
  #acquisitionMs = 0;
  #timeouts = 0;
  #created = 0;
  #retired = 0;
  #died = 0;
  #leaks = 0;

  constructor(factory: PoolFactory<C>, options: ResolvedPoolOptions, clock: Clock) {
    this.#factory = factory;
    this.#options = options;
    this.#clock = clock;
  }

  /**
   * Borrows a connection.
   *
   * @throws `POOL_TIMEOUT`, `ABORTED`, `CLOSED`, or what the factory throws.
   */
  acquire(options: AcquireOptions = {}): Promise<Lease<C>> {
    if (this.#closed) return Promise.reject(closedError());
    const { signal } = options;
    if (signal?.aborted) return Promise.reject(abortedWait(signal));
    const nowMs = this.#clock.monotonicMs();
    const watched = options.watched === true && this.#options.leakDetectionThresholdMs > 0;
    const stack = watched ? borrowerStack() : undefined;
    if (this.#waiters.size === 0) {
      const member = this.#takeIdle(nowMs);
      if (member !== undefined) return Promise.resolve(this.#lend(member, nowMs, stack));
    }
    return this.#wait(nowMs, stack, signal);
  }

  statistics(): PoolStatistics {
    // A set keeps its members in the order in which they were put in.
    const [oldest] = this.#inUse;
    const nowMs = this.#clock.monotonicMs();
    return {
      size: this.#size,
      idle: this.#idle.length,
      inUse: this.#inUse.size,
      waiting: this.#waiters.size,
      oldestLoanMs: oldest === undefined ? 0 : nowMs - oldest.lentAtMs,
      acquired: this.#acquired,
      timeouts: this.#timeouts,
      meanAcquisitionMs: this.#acquired === 0 ? 0 : this.#acquisitionMs / this.#acquired,
      created: this.#created,
      retired: this.#retired,
      died: this.#died,
      leaks: this.#leaks,
    };
  }

  /** Refuses new callers, waits for the loans, ends all connections. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#growth?.[Symbol.dispose]();
    this.#housekeeping?.[Symbol.dispose]();
    for (const waiter of [...this.#waiters]) this.#refuse(waiter, closedError());
    if (this.#inUse.size > 0 || this.#creating > 0) {
      await new Promise<void>((resolve) => {
        this.#onQuiet = resolve;
      });
    }
    for (const member of this.#idle.splice(0)) this.#end(member);
    await Promise.all(this.#ending);
  }

  get #size(): number {
    return this.#idle.length + this.#inUse.size;
  }

  /** The one used last: its page cache is warm, and the others can grow idle. */
  #takeIdle(nowMs: number): Member<C> | undefined {
    for (;;) {
      const member = this.#idle.pop();
      if (member === undefined || !this.#isOverAge(member, nowMs)) return member;
      this.#retire(member);
    }
  }

  #isOverAge(member: Member<C>, nowMs: number): boolean {
    return nowMs - member.createdMs >= this.#options.maxLifetimeMs;
  }

  #wait(
    sinceMs: number,
    stack: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Lease<C>> {
    if (this.#waiters.size >= WAITERS_MAX) return Promise.reject(this.#timeoutError(0));
    return new Promise<Lease<C>>((resolve, reject) => {
      const { connectionTimeoutMs } = this.#options;
      const timer = this.#clock.schedule(
        () => {
          this.#timeouts++;
          this.#refuse(waiter, this.#timeoutError(connectionTimeoutMs));
        },
        connectionTimeoutMs,
        true,
      );
      const listening = onAbort(signal, () => this.#refuse(waiter, abortedWait(signal)));
      const stop = (): void => {
        timer[Symbol.dispose]();
        listening[Symbol.dispose]();
      };
      const waiter: Waiter<C> = { sinceMs, stack, resolve, reject, stop };
      this.#waiters.add(waiter);
      this.#grow();
    });
  }

  /** Makes what is missing up to `minSize` now; more when the first caller has waited. */
  #grow(): void {
    const { minSize, maxSize } = this.#options;
    const wanted = Math.max(1, minSize);
    while (this.#waiters.size > this.#creating && this.#size + this.#creating < wanted) {
      this.#create();
    }
    if (this.#growth !== undefined || this.#size + this.#creating >= maxSize) return;
    if (this.#waiters.size <= this.#creating) return;
    this.#growth = this.#clock.schedule(() => {
      this.#growth = undefined;
      if (this.#waiters.size > this.#creating && this.#size + this.#creating < maxSize) {
        this.#create();
        this.#grow();
      }
    }, GROW_AFTER_MS);
  }

  #create(): void {
    this.#creating++;
    let member: Member<C> | undefined;
    let died = false;
    const onDeath = (): void => {
      died = true;
      if (member !== undefined) this.#bury(member);
    };
    this.#factory.create(onDeath).then(
      (connection) => {
        this.#creating--;
        this.#created++;
        const nowMs = this.#clock.monotonicMs();
        member = { connection, createdMs: nowMs, idleSinceMs: nowMs, lentAtMs: nowMs };
        if (died) this.#bury(member);
        else this.#offer(member, nowMs);
        this.#checkQuiet();
      },
      (error: unknown) => {
        this.#creating--;
        const [first] = this.#waiters;
        if (first !== undefined) this.#refuse(first, error);
        if (this.#waiters.size > 0) this.#grow();
        this.#checkQuiet();
      },
    );
  }

  /** Gives a free connection to the next caller, or puts it by. */
  #offer(member: Member<C>, nowMs: number): void {
    const [next] = this.#waiters;
    if (next === undefined) {
      member.idleSinceMs = nowMs;
      this.#idle.push(member);
      this.#scheduleHousekeeping();
      return;
    }
    this.#waiters.delete(next);
    next.stop();
    this.#acquisitionMs += nowMs - next.sinceMs;
    next.resolve(this.#lend(member, nowMs, next.stack));
  }

  #lend(member: Member<C>, nowMs: number, stack: string | undefined): Lease<C> {
    this.#acquired++;
    member.lentAtMs = nowMs;
    this.#inUse.add(member);
    const watch = stack === undefined ? undefined : this.#watch(nowMs, stack);
    let released = false;
    const release = (): void => {
      if (released) return;
      released = true;
      watch?.[Symbol.dispose]();
      this.#takeBack(member);
    };
    return { connection: member.connection, release, [Symbol.dispose]: release };
  }

  #takeBack(member: Member<C>): void {
    if (!this.#inUse.delete(member)) return;
    const nowMs = this.#clock.monotonicMs();
    if (this.#isOverAge(member, nowMs)) {
      this.#retire(member);
      if (this.#waiters.size > 0) this.#grow();
    } else {
      this.#offer(member, nowMs);
    }
    this.#checkQuiet();
  }

  /** Reports a loan that lasts, once. */
  #watch(sinceMs: number, stack: string): Disposable {
    return this.#clock.schedule(() => {
      this.#leaks++;
      const heldMs = Math.round(this.#clock.monotonicMs() - sinceMs);
      warn(
        "POOL_LEAK",
        `A connection has been held for ${heldMs} ms. Leave the loop of the stream, or end the ` +
          `snapshot, that was begun here:\n${stack}`,
        { heldMs, stack },
      );
    }, this.#options.leakDetectionThresholdMs);
  }

  /** Closes the connections that nobody needed for a while, never below `minSize`. */
  #scheduleHousekeeping(): void {
    if (this.#housekeeping !== undefined || this.#closed) return;
    const { minSize, idleTimeoutMs } = this.#options;
    const oldest = this.#idle[0];
    if (oldest === undefined || this.#size <= minSize) return;
    const delayMs = Math.max(1, oldest.idleSinceMs + idleTimeoutMs - this.#clock.monotonicMs());
    this.#housekeeping = this.#clock.schedule(() => {
      this.#housekeeping = undefined;
      const nowMs = this.#clock.monotonicMs();
      while (this.#size > minSize) {
        const member = this.#idle[0];
        if (member === undefined || nowMs - member.idleSinceMs < idleTimeoutMs) break;
        this.#idle.shift();
        this.#retire(member);
      }
      this.#scheduleHousekeeping();
    }, delayMs);
  }

  #retire(member: Member<C>): void {
    this.#retired++;
    this.#end(member);
  }

  #end(member: Member<C>): void {
    const ending = this.#factory.destroy(member.connection).catch((error: unknown) => {
      warn("POOL_CLOSE", `A connection did not close cleanly: ${String(error)}`);
    });
    this.#ending.add(ending);
    void ending.finally(() => this.#ending.delete(ending));
  }

  /** Takes a dead connection out; whoever holds it learns of it from the connection. */
  #bury(member: Member<C>): void {
    this.#died++;
    const index = this.#idle.indexOf(member);
    if (index >= 0) this.#idle.splice(index, 1);
    this.#inUse.delete(member);
    if (this.#waiters.size > 0) this.#grow();
    this.#checkQuiet();
  }

  #refuse(waiter: Waiter<C>, error: unknown): void {
    if (!this.#waiters.delete(waiter)) return;
    waiter.stop();
    waiter.reject(error);
  }

  #checkQuiet(): void {
    if (this.#inUse.size === 0 && this.#creating === 0) this.#onQuiet?.();
  }

  #timeoutError(waitedMs: number): SpringhouseError {
    const { maxSize } = this.#options;
    const fields = { ...this.statistics(), maxSize, waitedMs };
    const { size } = this.#waiters;
    const waiting = size === 1 ? "1 caller waits" : `${size} callers wait`;
    return new SpringhouseError(
      "POOL_TIMEOUT",
      `No connection became free within ${waitedMs} ms: ${this.#inUse.size} of ${maxSize} are in ` +
        `use and ${waiting}. Make the reads shorter, leave streams ` +
        "early, or raise pool.maxSize or pool.connectionTimeout.",
      { fields },
    );
  }
}

function abortedWait(signal: AbortSignal | undefined): SpringhouseError {
  return abortError(signal, "Waiting for a connection");
}

function closedError(): SpringhouseError {
  return new SpringhouseError("CLOSED", "The database is closed. Open it again.");
}
