/** Dumps of PostgreSQL under the rules of retention: pinning them, and removing those not kept. */

import { isOfFuture } from "../core/clock.ts";
import { type PinOptions, resolvePin } from "./pin.ts";
import {
  isDumpPinned,
  type ListedPostgresDump,
  listPostgresDumps,
  readDump,
  removeDump,
  writeDumpPin,
} from "./postgres-list.ts";
import { type PruneBackupsOptions, type PruneReport, prune } from "./prune.ts";
import {
  planRetention,
  type RetentionDecision,
  type RetentionPolicy,
  SAFETY_MS,
} from "./retention.ts";

/**
 * Keeps a dump from being removed by retention, or no longer.
 *
 * @throws `BACKUP_NOT_FOUND`, `BACKUP_DAMAGED`.
 * @example await pinPostgresDump({ directory: "backups", name, reason: "before the move" });
 */
export async function pinPostgresDump(options: PinOptions): Promise<void> {
  const { directory, name, pinned, reason } = resolvePin("pinPostgresDump", options);
  await readDump(directory, name);
  await writeDumpPin(directory, name, pinned ? reason : undefined);
}

/**
 * Removes the dumps that the policy does not keep. The rules count those that were restored and
 * compared when they were made; of the others, as restores leave them, those are removed that are
 * older than a month and than a dump that was restored. Nothing else of the folder is touched.
 *
 * @example await prunePostgresDumps({ directory: "backups", keepLast: 30, keepMonthly: 12 });
 */
export async function prunePostgresDumps(options: PruneBackupsOptions): Promise<PruneReport> {
  return await prune("prunePostgresDumps", options, {
    list: listPostgresDumps,
    plan: planDumps,
    isPinned: isDumpPinned,
    remove: removeDump,
  });
}

function planDumps(
  dumps: readonly ListedPostgresDump[],
  policy: Required<RetentionPolicy>,
  nowMs: number,
): readonly RetentionDecision[] {
  const counted = dumps.filter((dump) => !isOnlyRead(dump));
  const entries = counted.map(({ manifest, ...dump }) => {
    return {
      ...dump,
      manifest: manifest && ({ kind: "manual" } as const),
      verification: undefined,
    };
  });
  const decisions = new Map(planRetention(entries, policy, nowMs).map((one) => [one.name, one]));
  const proven = counted.filter(({ problem }) => problem === undefined).map(timeOf);
  const provenMs = Math.max(...proven.filter((ms) => !isOfFuture(ms, nowMs)));
  return dumps.map((dump) => {
    const { name } = dump;
    const isOld = nowMs - timeOf(dump) >= SAFETY_MS && timeOf(dump) < provenMs;
    const action = isOld ? "remove" : "keep";
    return decisions.get(name) ?? { name, action, reasons: ["only read, not restored"] };
  });
}

/** Nobody knows whether it can be restored, so it must not take the place of one that can. */
function isOnlyRead({ pinned, problem, manifest }: ListedPostgresDump): boolean {
  return !pinned && problem === undefined && manifest?.proof === "read";
}

function timeOf({ createdAt }: ListedPostgresDump): number {
  return createdAt?.getTime() ?? Number.NEGATIVE_INFINITY;
}
