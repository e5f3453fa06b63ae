/** Removing the backups that a retention policy does not keep. */

import { assertSignal, throwIfAborted } from "../core/abort.ts";
import { assertFlag } from "../core/arguments.ts";
import { type Clock, systemClock } from "../core/clock.ts";
import { refuseUnknownKeys } from "../core/options.ts";
import { pathOf, removeBackup } from "./folder.ts";
import { listBackups } from "./list.ts";
import { type FolderOptions, resolveDirectory } from "./options.ts";
import { isPinned } from "./pin.ts";
import {
  planRetention,
  RETENTION_KEYS,
  type RetentionDecision,
  type RetentionPolicy,
  resolvePolicy,
} from "./retention.ts";

/** For `pruneBackups`. */
export interface PruneBackupsOptions extends FolderOptions, RetentionPolicy {
  /** Decides and removes nothing. Default: false. */
  readonly dryRun?: boolean;
  /** Default: the machine's clock. */
  readonly clock?: Clock | undefined;
  /** Stops between two backups. Default: none. */
  readonly signal?: AbortSignal | undefined;
}

/** What was removed, or would be. */
export interface PruneReport {
  readonly dryRun: boolean;
  /** About every backup of the folder, newest first. */
  readonly decisions: readonly RetentionDecision[];
  readonly removed: readonly string[];
  readonly freedBytes: number;
}

/**
 * Removes what the policy does not keep. Only backups are ever touched, never anything else that
 * lies in the folder or outside of it.
 *
 * @example await pruneBackups({ directory: "backups", keepLast: 30, keepMonthly: 12 });
 */
export async function pruneBackups(options: PruneBackupsOptions): Promise<PruneReport> {
  const keys = ["directory", "dryRun", "clock", "signal", ...RETENTION_KEYS];
  refuseUnknownKeys(options, keys, "pruneBackups");
  const { directory: given, dryRun = false, clock = systemClock, signal, ...policy } = options;
  assertFlag("pruneBackups: dryRun", dryRun);
  assertSignal(signal);
  const rules = resolvePolicy("pruneBackups", policy);
  const directory = resolveDirectory("pruneBackups", given);
  const entries = await listBackups({ directory });
  const decisions = planRetention(entries, rules, clock.nowMs());
  const removed: string[] = [];
  let freedBytes = 0;
  for (const { name, action } of decisions) {
    if (action === "keep") continue;
    throwIfAborted(signal, "The clean-up");
    // It may have been pinned since it was listed.
    if (await isPinned(pathOf(directory, name))) continue;
    if (!dryRun) await removeBackup(directory, name);
    removed.push(name);
    freedBytes += entries.find((entry) => entry.name === name)?.sizeBytes ?? 0;
  }
  return { dryRun, decisions, removed, freedBytes };
}
