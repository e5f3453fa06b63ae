/** Removing the backups that a retention policy does not keep. */

import { assertSignal, throwIfAborted } from "../core/abort.ts";
import { assertFlag } from "../core/arguments.ts";
import { type Clock, systemClock } from "../core/clock.ts";
import { refuseUnknownKeys } from "../core/options.ts";
import { pathOf, removeBackup } from "./folder.ts";
import { type BackupEntry, listBackups } from "./list.ts";
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
  return await prune<BackupEntry>("pruneBackups", options, {
    list: (directory) => listBackups({ directory }),
    plan: planRetention,
    isPinned: (directory, name) => isPinned(pathOf(directory, name)),
    remove: removeBackup,
  });
}

/** What a clean-up works on. */
export interface Prunable<Entry> {
  readonly list: (directory: string) => Promise<readonly Entry[]>;
  readonly plan: (
    entries: readonly Entry[],
    policy: Required<RetentionPolicy>,
    nowMs: number,
  ) => readonly RetentionDecision[];
  readonly isPinned: (directory: string, name: string) => Promise<boolean>;
  readonly remove: (directory: string, name: string) => Promise<void>;
}

/** Removes what a plan does not keep. */
export async function prune<Entry extends { readonly name: string; readonly sizeBytes: number }>(
  call: string,
  options: PruneBackupsOptions,
  what: Prunable<Entry>,
): Promise<PruneReport> {
  const keys = ["directory", "dryRun", "clock", "signal", ...RETENTION_KEYS];
  refuseUnknownKeys(options, keys, call);
  const { directory: given, dryRun = false, clock = systemClock, signal, ...policy } = options;
  assertFlag(`${call}: dryRun`, dryRun);
  assertSignal(signal);
  const rules = resolvePolicy(call, policy);
  const directory = resolveDirectory(call, given);
  const entries = await what.list(directory);
  const decisions = what.plan(entries, rules, clock.nowMs());
  const removed: string[] = [];
  let freedBytes = 0;
  for (const { name, action } of decisions) {
    if (action === "keep") continue;
    throwIfAborted(signal, "The clean-up");
    // It may have been pinned since it was listed.
    if (await what.isPinned(directory, name)) continue;
    if (!dryRun) await what.remove(directory, name);
    removed.push(name);
    freedBytes += entries.find((entry) => entry.name === name)?.sizeBytes ?? 0;
  }
  return { dryRun, decisions, removed, freedBytes };
}
