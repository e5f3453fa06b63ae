/** Whether an index pays, from what was measured: pure arithmetic. */

import { formatBytes } from "../core/bytes.ts";
import { formatDuration } from "../core/duration.ts";
import type { Proof } from "./advice.ts";
import type { Candidate } from "./facts.ts";
import type { ResolvedAdviseOptions } from "./options.ts";
import type { StudiedStatement } from "./study.ts";
import type { WorkloadStatement } from "./workload.ts";

/** A statement of the workload and what is known of it. */
export type Known = WorkloadStatement & { readonly studied: StudiedStatement };

/** A workload that saves so much is worth an index, however little each run saves. */
const WORKLOAD_SAVED_MS_MIN = 1_000;
/** Dropping an index may slow a statement by a third, or by what a clock cannot tell. */
const SLOWER_SHARE_MAX = 4 / 3;
const SLOWER_MS_MAX = 0.2;

/** Time of the statements before ÷ after, as often as the workload runs them. */
export function speedupOf(proofs: readonly Proof[]): number {
  const before = proofs.reduce((sum, { count, beforeMs }) => sum + count * beforeMs, 0);
  const after = proofs.reduce((sum, { count, afterMs }) => sum + count * afterMs, 0);
  return after > 0 ? before / after : 1;
}

/**
 * Why a new index is not worth it; undefined when it is.
 *
 * @param scale how many times the database has the rows of the sample: what a scan takes grows so.
 */
export function reasonAgainst(
  proofs: readonly Proof[],
  taxMs: number,
  scale: number,
  { speedupMin, savedMsMin }: ResolvedAdviseOptions,
): string | undefined {
  if (proofs.length === 0) return "SQLite does not take it for any statement that was measured";
  const speedup = speedupOf(proofs);
  if (speedup < speedupMin) return `its statements get only ${speedup.toFixed(1)} times as fast`;
  const savedMs = savedOf(proofs) * scale;
  const most = Math.max(...proofs.map(({ beforeMs, afterMs }) => beforeMs - afterMs)) * scale;
  if (most < savedMsMin && savedMs < WORKLOAD_SAVED_MS_MIN) {
    return `it saves only ${formatDuration(most)} in a run`;
  }
  if (savedMs > taxMs) return undefined;
  const [saved, tax] = [savedMs, taxMs].map(formatDuration);
  return `it saves ${saved} in the workload, and its writes cost ${tax} more`;
}

/**
 * Why an index had better stay; undefined when it can go.
 *
 * @param isSame another one is the same: then a longer time is noise.
 */
export function reasonToKeep(
  proofs: readonly Proof[],
  bytes: number,
  isSame: boolean,
  { droppedBytesMin }: ResolvedAdviseOptions,
): string | undefined {
  if (bytes < droppedBytesMin) return `it takes only ${formatBytes(bytes)}`;
  if (isSame) return undefined;
  const slower = proofs.find(
    ({ beforeMs, afterMs }) =>
      afterMs > beforeMs * SLOWER_SHARE_MAX && afterMs > beforeMs + SLOWER_MS_MAX,
  );
  if (slower === undefined) return undefined;
  const [before, after] = [slower.beforeMs, slower.afterMs].map(formatDuration);
  return `without it a statement takes ${after} instead of ${before}: ${slower.sql}`;
}

/** What an index adds to the writes of the workload, milliseconds. */
export function taxOf(
  statements: readonly Known[],
  { table, columns }: Candidate,
  usPerRow: number,
): number {
  let rows = 0;
  for (const { studied, count, rows: written } of statements) {
    const changed = studied.written.get(table);
    if (changed === undefined) continue;
    const touches = changed === null || columns.some((column) => changed.has(column));
    if (touches) rows += Math.max(count, written);
  }
  return (rows * Math.max(0, usPerRow)) / 1_000;
}

function savedOf(proofs: readonly Proof[]): number {
  return proofs.reduce(
    (sum, { count, beforeMs, afterMs }) => sum + count * (beforeMs - afterMs),
    0,
  );
}
