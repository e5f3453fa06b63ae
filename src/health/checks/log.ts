/** The write-ahead log: its size, and whether its pages get into the file. */

import { formatBytes } from "../../core/bytes.ts";
import { formatAge } from "../../core/duration.ts";
import { type HealthFinding, worstOf } from "../report.ts";
import type { Round } from "../round.ts";
import { statusOf } from "../thresholds.ts";

/** The checkpoints of SQLite itself, which other programs have, leave as many pages for ever. */
const USUAL_PAGES = 1_000;

export function checkLog(round: Round): HealthFinding | undefined {
  const { vitals, thresholds } = round;
  if (vitals === undefined) return undefined;
  const { log, pageSizeBytes, pool, walBytes } = vitals;
  const waiting = Math.max(0, log.frames - log.checkpointed);
  const lagMs = round.memory.lagMs(log, round.parts.clock.monotonicMs());
  const isStuck = waiting > USUAL_PAGES;
  const status = worstOf([
    statusOf(thresholds, "logSize", walBytes),
    isStuck ? statusOf(thresholds, "checkpointLag", lagMs) : "healthy",
  ]);
  const waits = `${formatBytes(waiting * pageSizeBytes)} not in the file yet`;
  const since = isStuck && lagMs > 0 ? `, nothing moved for ${formatAge(lagMs)}` : "";
  return {
    status,
    found: `${formatBytes(walBytes)}, ${waits}${since}`,
    advice: status === "healthy" ? undefined : adviceFor(pool.inUse, pool.oldestLoanMs),
    values: { logBytes: walBytes, waitingPages: waiting, lagMs },
  };
}

function adviceFor(inUse: number, oldestLoanMs: number): string {
  const where =
    inUse === 0
      ? "This process has no read open; whether another program has is not known from here."
      : `The oldest read of this process began ${formatAge(oldestLoanMs)} ago.`;
  return `A reader keeps an old snapshot, or the file cannot be written. ${where}`;
}
