/** A large file of rows, made fast, and removed whatever happens. */

import { rmSync, statfsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { BenchInputError } from "../bench.ts";

/** What the seeds promise to work well up to. */
const WANTED_BYTES = 10 * 1_024 ** 3;
/** Left to others; the bench must not fill their disk. */
const SPARED_BYTES = 5 * 1_024 ** 3;
/** A smaller file is in the caches of any machine and proves nothing. */
const LEAST_BYTES = 2 * 1_024 ** 3;
const QUICK_BYTES = 256 * 1_024 ** 2;
/** Fills a page of 4,096 bytes with one row. */
const BODY_BYTES = 3_900;
const PAGE_BYTES = 4_096;
/** Rows of one group: what a list reads some of. */
export const GROUP_ROWS = 1_000;
const BATCH_ROWS = 50_000;

/**
 * How large the file is to be: 10 GB, or what the disk has beyond 5 GB.
 *
 * @throws `BenchInputError` when that is less than 2 GB.
 */
export function sizeFor(folder: string, quick: boolean): number {
  if (quick) return QUICK_BYTES;
  const { bavail, bsize } = statfsSync(folder);
  const bytes = Math.min(WANTED_BYTES, bavail * bsize - SPARED_BYTES);
  if (bytes >= LEAST_BYTES) return bytes;
  throw new BenchInputError(
    `concurrency: ${folder} has room for ${(bytes / 1_024 ** 3).toFixed(1)} GB beside 5 GB that ` +
      "are left alone; it needs 2 GB. Make room, or set TMPDIR to a larger disk.",
  );
}

/** Fills the table `notes` until the file has the size; gives the number of rows. */
export function fill(path: string, bytes: number): number {
  const database = new DatabaseSync(path);
  try {
    // Nothing of it is worth keeping after a crash, and nobody else reads it yet.
    database.exec("PRAGMA synchronous = OFF; PRAGMA cache_size = -262144");
    const insert = database.prepare(`
      WITH RECURSIVE n(id) AS
        (SELECT CAST(?1 AS INTEGER) UNION ALL SELECT id + 1 FROM n WHERE id < ?2)
      INSERT INTO notes (id, group_id, title, revision, body)
        SELECT id, id / ${GROUP_ROWS}, 'note ' || id, 0, zeroblob(${BODY_BYTES}) FROM n`);
    const rows = Math.ceil(bytes / PAGE_BYTES);
    for (let first = 1; first <= rows; first += BATCH_ROWS) {
      insert.run(first, Math.min(rows, first + BATCH_ROWS - 1));
    }
    database.exec("ANALYZE");
    return rows;
  } finally {
    database.close();
  }
}

/** Removes the folder also when the process is told to end, since such a file is large. */
export function removedAtTheEnd(folder: string): Disposable {
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  const end = (): never => process.exit(130);
  process.on("exit", remove);
  process.on("SIGINT", end);
  process.on("SIGTERM", end);
  return {
    [Symbol.dispose]: () => {
      process.off("exit", remove);
      process.off("SIGINT", end);
      process.off("SIGTERM", end);
    },
  };
}
