/**
 * One migrator at a time, among all processes that have the file open.
 *
 * Correctness rests on the write lock of the database alone: whoever has it reads the ledger again
 * before doing anything. The lease on top keeps others from slipping in between two transactions of
 * one run, so that one process does all the work and the rest find it done. A lease whose process
 * is gone counts for nothing, so a kill leaves nobody waiting.
 */

import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { abortError, throwIfAborted } from "../core/abort.ts";
import type { Clock } from "../core/clock.ts";
import { formatDuration } from "../core/duration.ts";
import { isSpringhouseError, SpringhouseError } from "../core/errors.ts";
import { isGone, type ProcessMark, thisProcess } from "../core/process-mark.ts";
import type { Session, Statement, Store, StoreTransaction } from "../store/store.ts";
import { readMeta, setMeta } from "./meta.ts";

/** Between two looks at a lock that another process holds: short beside any migration. */
const POLL_MS = 20;
/** Renewed by every transaction of a run; counts only where the holder cannot be seen. */
const LEASE_MS = 30_000;
/** A tenth of the lease: early enough, and seldom beside the batches of a data step. */
const RENEW_AFTER_MS = 3_000;
const LEASE_KEY = "migrator";

/** For `underLock`. */
export interface LockOptions {
  /** How long the transaction may take, and how long its lock is waited for. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly foreignKeys?: "on" | "off";
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs `run` in a transaction that holds the write lock. Once it runs, it runs to its end.
 *
 * @throws `MIGRATION_LOCKED` when the lock was not to be had within `timeoutMs`, `ABORTED` when the
 *   signal fires before that.
 */
export async function underLock<T>(
  store: Store,
  run: (transaction: StoreTransaction) => Promise<T>,
  options: LockOptions,
): Promise<T> {
  const { timeoutMs, clock, signal } = options;
  const deadlineMs = clock.monotonicMs() + timeoutMs;
  for (;;) {
    throwIfAborted(signal, WHAT);
    const leftMs = deadlineMs - clock.monotonicMs();
    if (leftMs <= 0) throw lockedError(timeoutMs);
    try {
      return await attempt(store, run, options, leftMs);
    } catch (error) {
      if (!isSpringhouseError(error, "BUSY")) throw error;
    }
    await pause(POLL_MS, signal);
  }
}

const WHAT = "The migration";

/** One transaction, given up unless it has begun after `patienceMs`. */
async function attempt<T>(
  store: Store,
  run: (transaction: StoreTransaction) => Promise<T>,
  { timeoutMs, foreignKeys = "on", signal }: LockOptions,
  patienceMs: number,
): Promise<T> {
  const turn: { stage: "waiting" | "running" | "abandoned" } = { stage: "waiting" };
  const transaction = store.transaction(
    async (opened) => {
      if (turn.stage === "abandoned") throw lockedError(timeoutMs);
      turn.stage = "running";
      return run(opened);
    },
    { deadlineMs: timeoutMs, foreignKeys },
  );
  // Once abandoned, it ends by its own refusal and nobody waits for it any more.
  transaction.catch(() => undefined);
  const settled = new AbortController();
  const stop = signal === undefined ? settled.signal : AbortSignal.any([settled.signal, signal]);
  const abandon = (error: SpringhouseError): Promise<T> => {
    if (turn.stage === "running") return transaction;
    turn.stage = "abandoned";
    throw error;
  };
  const patience = sleep(patienceMs, undefined, { signal: stop }).then(
    () => abandon(lockedError(timeoutMs)),
    () => (signal?.aborted ? abandon(abortError(signal, WHAT)) : transaction),
  );
  try {
    return await Promise.race([transaction, patience]);
  } finally {
    settled.abort();
  }
}

/** Runs a write that takes the lock by itself, waiting as long as the store waits. */
export async function underBusyLock<T>(write: () => Promise<T>): Promise<T> {
  const startMs = performance.now();
  try {
    return await write();
  } catch (error) {
    if (isSpringhouseError(error, "BUSY")) throw lockedError(performance.now() - startMs);
    throw error;
  }
}

/** Waits a moment, without keeping anybody from stopping the run. */
export async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(ms, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    if (signal?.aborted) throw abortError(signal, WHAT);
    throw error;
  }
}

/** The error for a lock that another process holds for too long. */
export function lockedError(waitedMs: number, holder = "Another process"): SpringhouseError {
  return new SpringhouseError(
    "MIGRATION_LOCKED",
    `${holder} has kept the database locked for ${formatDuration(waitedMs)}. ` +
      "Wait for it to finish, or give a longer timeoutMs. Nothing was changed.",
    { fields: { waitedMs } },
  );
}

/** The claim of one run to do the work. */
export class Lease {
  readonly #token = randomUUID();
  readonly #clock: Clock;
  #claimedMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The statement that takes or renews the lease; part of every migration's transaction. */
  claim(): Statement {
    this.#claimedMs = this.#clock.monotonicMs();
    const note: LeaseNote = {
      token: this.#token,
      ...thisProcess(),
      untilMs: this.#clock.nowMs() + LEASE_MS,
    };
    return setMeta(LEASE_KEY, JSON.stringify(note));
  }

  /** The same for short transactions in a row: nothing while the lease is fresh. */
  renewal(): readonly Statement[] {
    const isFresh = this.#clock.monotonicMs() - this.#claimedMs < RENEW_AFTER_MS;
    return isFresh ? [] : [this.claim()];
  }

  /** The statement that gives the lease back. */
  release(): Statement {
    return {
      sql: "DELETE FROM springhouse_meta WHERE key = ? AND instr(value, ?) > 0",
      parameters: [LEASE_KEY, this.#token],
    };
  }

  /** Who else holds the lease, in words; undefined when nobody does. */
  async holder(session: Session): Promise<string | undefined> {
    const text = await readMeta(session, LEASE_KEY);
    if (text === undefined) return undefined;
    const note = JSON.parse(text) as LeaseNote;
    if (note.token === this.#token || note.untilMs < this.#clock.nowMs()) return undefined;
    return isGone(note) ? undefined : `Process ${note.pid} on ${note.host}`;
  }
}

interface LeaseNote extends ProcessMark {
  readonly token: string;
  readonly untilMs: number;
}
