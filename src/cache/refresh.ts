/**
 * A key that is always fresh: it is loaded anew some time before its life ends, until the handle is
 * disposed of. It never keeps the process alive. A failed load is tried again, each time after a
 * longer pause, and what is there stays.
 */

import { type Duration, parseDurationMs } from "../core/duration.ts";
import { SpringhouseError } from "../core/errors.ts";
import { refuseUnknownLife } from "./life.ts";
import { callLife, type ReadOptions } from "./options.ts";
import type { Shelf } from "./shelf.ts";

/** How to keep a key fresh. */
export interface RefreshOptions extends Omit<ReadOptions, "refresh" | "allowStale"> {
  /** How long before its end it is loaded anew. Default: a fifth of its life. */
  readonly refreshBefore?: Duration;
}

/** The part of a life that is left when it is loaded anew, unless said otherwise. */
const PART_BEFORE = 0.2;
/** Chance in the intervals, so that many keys do not load at once. */
const JITTER = 0.1;
const RETRY_MS_MIN = 1_000;

/** What the loads are called with. @throws `INVALID_ARGUMENT` for an option that there is not. */
export function readOptionsOf(options: RefreshOptions): ReadOptions {
  refuseUnknownLife(options, ["tags", "signal", "refreshBefore"], "refreshAhead");
  const { refreshBefore: _, ...read } = options;
  return read;
}

/**
 * @param load loads the key anew, and rejects when that fails.
 * @param isOver whether there is no cache any more.
 */
export function startRefresh(
  load: (options: ReadOptions) => Promise<void>,
  isOver: () => boolean,
  { parts, life }: Shelf,
  options: RefreshOptions,
): Disposable {
  const { refreshBefore } = options;
  const read = readOptionsOf(options);
  const { ttlMs } = callLife(read, "read", life, "refreshAhead");
  const beforeMs =
    refreshBefore === undefined
      ? ttlMs * PART_BEFORE
      : parseDurationMs(refreshBefore, "refreshBefore");
  const everyMs = ttlMs - beforeMs;
  if (!(everyMs > 0 && Number.isFinite(everyMs))) {
    throw new SpringhouseError(
      "INVALID_ARGUMENT",
      `refreshBefore: ${beforeMs} ms leaves nothing of a life of ${ttlMs} ms. Make it shorter ` +
        "than the ttl, which must end some time.",
      { fields: { refreshBefore: beforeMs, ttl: ttlMs } },
    );
  }
  let timer: Disposable | undefined;
  let stopped = false;
  let failures = 0;
  const again = (delayMs: number): void => {
    if (stopped) return;
    const withChanceMs = delayMs * (1 - JITTER * parts.random());
    timer = parts.clock.schedule(() => void run(), withChanceMs);
  };
  const run = async (): Promise<void> => {
    try {
      await load({ ...read, refresh: true });
      failures = 0;
      again(everyMs);
    } catch {
      if (isOver()) return;
      // The cache has told of it; the next attempt comes sooner than the next turn would have.
      again(Math.min(everyMs, RETRY_MS_MIN * 2 ** failures++));
    }
  };
  void run();
  return {
    [Symbol.dispose]: () => {
      stopped = true;
      timer?.[Symbol.dispose]();
    },
  };
}
