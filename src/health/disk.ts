/** The disk that a path is on. */

import { stat, statfs } from "node:fs/promises";
import { dirname } from "node:path";

/** Room on a disk. */
export interface DiskSpace {
  /** Equal for paths on the same disk. */
  readonly device: string;
  /** What this user may still write. */
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/** Asks the operating system; a path that does not exist yet is on the disk of its folder. */
export async function diskSpaceOf(path: string): Promise<DiskSpace> {
  const place = await nearestExisting(path);
  const [{ dev }, { bavail, blocks, bsize }] = await Promise.all([stat(place), statfs(place)]);
  return { device: String(dev), freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}

async function nearestExisting(path: string): Promise<string> {
  for (let place = path; ; place = dirname(place)) {
    const isThere = await stat(place).then(
      () => true,
      () => false,
    );
    if (isThere || dirname(place) === place) return place;
  }
}
