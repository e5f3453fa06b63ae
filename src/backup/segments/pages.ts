/** Pages of a database file. */

/** SQLite locks bytes here and never keeps data in the page that holds them. */
const LOCK_BYTE = 0x4000_0000;

/** The page that is never written; only files of more than 1 GB have it. */
export function lockPage(pageSize: number): number {
  return Math.floor(LOCK_BYTE / pageSize) + 1;
}
