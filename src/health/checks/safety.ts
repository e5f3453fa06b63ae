/** Whether what was written is safe: the last verified backup, and the pages of the file. */

import { formatBytes } from "../../core/bytes.ts";
import { isOfFuture } from "../../core/clock.ts";
import { formatAge } from "../../core/duration.ts";
import { lastQuickCheck } from "../quick-check.ts";
import { type HealthFinding, worstOf } from "../report.ts";
import type { Round } from "../round.ts";
import type { HealthBackup } from "../sources.ts";
import { statusOf } from "../thresholds.ts";

/** Only a backup that was restored and compared counts, and only when its moment has come. */
export async function checkBackups(round: Round): Promise<HealthFinding | undefined> {
  const { backups } = round.sources;
  if (backups === undefined) return undefined;
  const [list, bytes] = await Promise.all([backups.list(), backups.sizeBytes()]);
  const values = { count: list.length, bytes };
  const damaged = list.find(({ verified }) => verified === false)?.name;
  const future = list.find(({ createdMs = 0 }) => isOfFuture(createdMs, round.nowMs));
  const said = future === undefined ? "" : `; ${saidOfFuture(future)}`;
  const last = lastVerified(list, round.nowMs);
  if (last === undefined) {
    const none = future === undefined ? "is verified" : "counts as verified";
    return {
      status: "warning",
      found: list.length === 0 ? "none" : `none of ${list.length} ${none}${said}`,
      advice:
        backupAdvice(damaged, future?.name, false) ??
        "Run: npx springhouse backup create. It verifies what it makes.",
      values,
    };
  }
  const ageMs = Math.max(0, round.nowMs - last.createdMs);
  const age = statusOf(round.thresholds, "backupAge", ageMs);
  return {
    status: worstOf([age, damaged === undefined && future === undefined ? "healthy" : "warning"]),
    found:
      `last verified ${formatAge(ageMs)} ago (${last.name}); ${list.length} in all, ` +
      `${formatBytes(bytes)}${said}`,
    advice: backupAdvice(damaged, future?.name, age !== "healthy"),
    values: { ...values, ageMs },
  };
}

function saidOfFuture({ name, createdMs = 0 }: HealthBackup): string {
  return `${name} says that it is of ${new Date(createdMs).toISOString()}, which has yet to come`;
}

function backupAdvice(
  damaged: string | undefined,
  future: string | undefined,
  isOld: boolean,
): string | undefined {
  if (damaged !== undefined) {
    return (
      `${damaged} is damaged. Run: npx springhouse backup create, and remove the folder of ` +
      `${damaged} when there is nothing in it to save.`
    );
  }
  if (future !== undefined) {
    return (
      "See whether the clock of this machine is right. If it is, run: npx springhouse backup " +
      `create, and remove the folder of ${future}, which a wrong clock has dated.`
    );
  }
  return isOld ? "Run: npx springhouse backup create. See whether the schedule runs." : undefined;
}

/** The newest state that a verified backup holds; of those whose moment has come. */
function lastVerified(
  list: readonly HealthBackup[],
  nowMs: number,
): { readonly name: string; readonly createdMs: number } | undefined {
  for (const { name, createdMs, verified } of list) {
    if (verified !== true || createdMs === undefined || isOfFuture(createdMs, nowMs)) continue;
    return { name, createdMs };
  }
  return undefined;
}

/** When the pages were last seen to be sound: by `quick_check`, or in a copy that was verified. */
export async function checkIntegrity(round: Round): Promise<HealthFinding | undefined> {
  const { database, backups } = round.sources;
  if (database === undefined) return undefined;
  const [quick, list] = await Promise.all([lastQuickCheck(database), backups?.list() ?? []]);
  const copied = lastVerified(list, round.nowMs)?.createdMs ?? Number.NEGATIVE_INFINITY;
  const isFuture = quick !== undefined && isOfFuture(quick.atMs, round.nowMs);
  if (quick !== undefined && quick.problems > 0 && quick.atMs >= copied) {
    const ageMs = Math.max(0, round.nowMs - quick.atMs);
    const when = isFuture ? dated(quick.atMs) : `${formatAge(ageMs)} ago`;
    return {
      status: "unhealthy",
      found: `quick_check found ${quick.problems} problems ${when}`,
      advice: "Run: npx springhouse doctor. It shows them. Then restore a backup.",
      values: isFuture ? { problems: quick.problems } : { ageMs, problems: quick.problems },
    };
  }
  const checked = isFuture ? undefined : quick?.atMs;
  const atMs = Math.max(copied, checked ?? Number.NEGATIVE_INFINITY);
  if (atMs === Number.NEGATIVE_INFINITY) {
    const isWanted = round.thresholds.integrityAge.warning > 0;
    return {
      status: isWanted ? "warning" : "healthy",
      found: isFuture ? `checked ${dated(quick.atMs)}` : "never checked",
      advice: "Run: npx springhouse health --quick-check",
    };
  }
  const ageMs = Math.max(0, round.nowMs - atMs);
  const status = statusOf(round.thresholds, "integrityAge", ageMs);
  const how = atMs === copied ? "in a verified backup" : "by quick_check";
  return {
    status,
    found: `sound ${formatAge(ageMs)} ago, ${how}`,
    advice: status === "healthy" ? undefined : "Run: npx springhouse health --quick-check",
    values: { ageMs, problems: 0 },
  };
}

/** A moment that counts for nothing. */
function dated(atMs: number): string {
  return `at ${new Date(atMs).toISOString()}, which has yet to come: a clock was wrong`;
}
