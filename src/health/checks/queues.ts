/** Those who wait: for a reader, for the writer, for the lock of another process. */

import { formatAge, formatDuration } from "../../core/duration.ts";
import { type HealthFinding, worstOf } from "../report.ts";
import type { Round } from "../round.ts";
import { statusOf } from "../thresholds.ts";

/** The pool of reader threads, and the oldest read. */
export function checkReaders(round: Round): HealthFinding | undefined {
  const { vitals, thresholds, memory } = round;
  if (vitals === undefined) return undefined;
  const { inUse, size, waiting, oldestLoanMs, ...totals } = vitals.pool;
  const timeouts = memory.since("reader timeouts", totals.timeouts);
  const leaks = memory.since("reader leaks", totals.leaks);
  const age = statusOf(thresholds, "readerAge", oldestLoanMs);
  const queue = worstOf([
    statusOf(thresholds, "readerQueue", waiting),
    statusOf(thresholds, "readerTimeouts", timeouts),
  ]);
  const oldest = inUse === 0 ? "" : `, the oldest read for ${formatAge(oldestLoanMs)}`;
  const refused = timeouts === 0 ? "" : `, ${timeouts} gave up waiting`;
  const reported = leaks === 0 ? "" : `, ${leaks} held for too long`;
  return {
    status: worstOf([age, queue]),
    found: `${inUse} of ${size} in use${oldest}, ${waiting} wait${refused}${reported}`,
    advice: readerAdvice(age !== "healthy", queue !== "healthy"),
    values: { inUse, size, waiting, oldestReadMs: oldestLoanMs, timeouts, leaks },
  };
}

function readerAdvice(isOld: boolean, isFull: boolean): string | undefined {
  if (isOld) return "End streams and snapshots; POOL_LEAK names the line that began a long one.";
  return isFull ? "Make reads shorter (see slow queries), or raise pool.maxSize." : undefined;
}

/** The queue of the one writer. */
export function checkWriter(round: Round): HealthFinding | undefined {
  const { vitals, thresholds } = round;
  if (vitals === undefined) return undefined;
  if (vitals.readOnly) return { status: "healthy", found: "opened for reading only" };
  const { waiting, waitingMs, busyMs } = vitals.writer;
  const status = worstOf([
    statusOf(thresholds, "writerQueue", waiting),
    statusOf(thresholds, "writerWait", waitingMs),
  ]);
  const busy = busyMs === 0 ? "idle" : `busy for ${formatAge(busyMs)}`;
  const first = waiting === 0 ? "" : `, the first for ${formatAge(waitingMs)}`;
  return {
    status,
    found: `${busy}, ${waiting} wait${first}`,
    advice:
      status === "healthy"
        ? undefined
        : "Look for a transaction that waits for something else, or a program that holds the lock.",
    values: { waiting, waitingMs, busyMs },
  };
}

/** What other processes did to our writes since the last look. */
export function checkLocks(round: Round): HealthFinding | undefined {
  const { vitals, thresholds, memory } = round;
  if (vitals === undefined || vitals.readOnly) return undefined;
  const busyErrors = memory.since("busy errors", vitals.writer.busyErrors);
  const lockWaits = memory.since("lock waits", vitals.writer.lockWaits);
  const status = statusOf(thresholds, "busyErrors", busyErrors);
  return {
    status,
    found: `since the last look ${lockWaits} waits for another process, ${busyErrors} ended BUSY`,
    advice:
      status === "healthy"
        ? undefined
        : "Another program holds the write lock for too long. Make its transactions shorter, or " +
          "raise busyTimeout.",
    values: { busyErrors, lockWaits },
  };
}

/** How late the event loop of this process is. */
export function checkEventLoop(round: Round): HealthFinding | undefined {
  const { eventLoop } = round.parts;
  if (eventLoop === undefined) return undefined;
  const { p50Ms, p99Ms, maxMs } = eventLoop.read();
  eventLoop.reset();
  const status = worstOf([
    statusOf(round.thresholds, "eventLoopDelay", p99Ms),
    statusOf(round.thresholds, "eventLoopBlock", maxMs),
  ]);
  return {
    status,
    found: `99 of 100 turns within ${formatDuration(p99Ms)}, the longest ${formatDuration(maxMs)}`,
    advice:
      status === "healthy"
        ? undefined
        : "Something computes for long on the main thread. Find it with: node --cpu-prof",
    values: { p50Ms, p99Ms, maxMs },
  };
}
