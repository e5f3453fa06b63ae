/** What readers of answers see while the server is failing, long after its answers were fresh. */

import type { Cache } from "springhouse/cache";
import type { Calls } from "./calls.ts";

/** What was seen. */
export interface OutageReport {
  /** Words asked for. */
  readonly asked: number;
  /** Answered with what was kept for the case, and marked so. */
  readonly stale: number;
  readonly failed: number;
  /** Attempts that reached for the server, before the circuit opened and after. */
  readonly attempts: number;
  /** Calls that the open circuit let go at once. */
  readonly spared: number;
  readonly state: string;
}

/** Asks for words whose answers are no longer fresh, while the server fails. */
export async function measureOutage(
  calls: Calls,
  cache: Cache,
  words: readonly string[],
  signal: AbortSignal,
): Promise<OutageReport> {
  await cache.category("requests").clear();
  let stale = 0;
  let failed = 0;
  const before = calls.statistics()["stage1"];
  for (const word of words) {
    try {
      if ((await calls.analysis(word, signal)).stale) stale++;
    } catch {
      signal.throwIfAborted();
      failed++;
    }
  }
  const after = calls.statistics()["stage1"];
  const grown = (count: "calls" | "retries" | "rejectedByCircuit"): number =>
    (after?.[count] ?? 0) - (before?.[count] ?? 0);
  return {
    asked: words.length,
    stale,
    failed,
    attempts: grown("calls") + grown("retries") - grown("rejectedByCircuit"),
    spared: grown("rejectedByCircuit"),
    state: after?.state ?? "closed",
  };
}
