/** Whether the database answers, and whether its disk has room. */

import { dirname } from "node:path";
import { formatBytes } from "../../core/bytes.ts";
import type { DatabaseVitals } from "../../sqlite/describe.ts";
import type { DiskSpace } from "../disk.ts";
import { type HealthFinding, worstOf } from "../report.ts";
import type { Round } from "../round.ts";
import { statusOf } from "../thresholds.ts";

/** It reads the first page of the file. */
const PROBE = "SELECT 1 FROM sqlite_schema LIMIT 1";

/** One read, by whatever way reads go. */
export async function checkConnection(round: Round): Promise<HealthFinding | undefined> {
  const { vitals, signal } = round;
  if (vitals === undefined) return undefined;
  if (!vitals.isInPlace) {
    return {
      status: "unhealthy",
      found: `${vitals.path} was deleted, moved or replaced while it was open`,
      advice: "Close it, put the right file in its place, and open it again.",
    };
  }
  const { clock } = round.parts;
  const startMs = clock.monotonicMs();
  await round.sources.database?.read({ sql: PROBE, parameters: [] }, { signal });
  const ms = clock.monotonicMs() - startMs;
  return { status: "healthy", found: "ok", values: { ms } };
}

/** Room on the disk of the database, and on that of the backups where it is another one. */
export async function checkDisk(round: Round): Promise<HealthFinding | undefined> {
  const { vitals, sources } = round;
  if (vitals === undefined) return undefined;
  const { backups } = sources;
  const [space, elsewhere, backupBytes] = await Promise.all([
    round.parts.diskSpaceOf(dirname(vitals.path)),
    backups?.directory === undefined ? undefined : round.parts.diskSpaceOf(backups.directory),
    backups?.sizeBytes(),
  ]);
  const other = elsewhere?.device === space.device ? undefined : elsewhere;
  const copyBytes = vitals.sizeBytes + vitals.walBytes;
  const hasRoom = (other ?? space).freeBytes >= copyBytes;
  const statuses = [space, other]
    .flatMap((disk) => disk ?? [])
    .map((disk) => {
      return statusOf(round.thresholds, "diskFree", disk.freeBytes);
    });
  const status = worstOf([...statuses, hasRoom ? "healthy" : "warning"]);
  return {
    status,
    found: describe(space, other, vitals, backupBytes),
    advice: status === "healthy" ? undefined : adviceFor(hasRoom, copyBytes),
    values: {
      freeBytes: space.freeBytes,
      totalBytes: space.totalBytes,
      databaseBytes: vitals.sizeBytes,
      logBytes: vitals.walBytes,
      ...(backupBytes === undefined ? {} : { backupBytes }),
      ...(other === undefined ? {} : { backupDiskFreeBytes: other.freeBytes }),
    },
  };
}

function describe(
  space: DiskSpace,
  other: DiskSpace | undefined,
  { sizeBytes, walBytes }: DatabaseVitals,
  backupBytes: number | undefined,
): string {
  const room = ({ freeBytes, totalBytes }: DiskSpace): string =>
    `${formatBytes(freeBytes)} of ${formatBytes(totalBytes)} free`;
  const parts = [
    `database ${formatBytes(sizeBytes)}`,
    `log ${formatBytes(walBytes)}`,
    ...(backupBytes === undefined ? [] : [`backups ${formatBytes(backupBytes)}`]),
  ];
  const beside = other === undefined ? "" : `; on the disk of the backups ${room(other)}`;
  return `${room(space)}; ${parts.join(", ")}${beside}`;
}

function adviceFor(hasRoom: boolean, copyBytes: number): string {
  const what = "Delete what is not needed, or give the disk more room.";
  if (hasRoom) return what;
  return `There is no room for a copy of ${formatBytes(copyBytes)}: a backup fails. ${what}`;
}
