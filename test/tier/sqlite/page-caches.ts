/** The page caches of a file that is open. */

import { openDatabase } from "../../../src/sqlite/database.ts";

/**
 * The setting `cache_size` of the connections of a cache file that this process has open: the
 * writer's, the main thread's and that of a reader thread.
 */
export async function pageCaches(path: string): Promise<readonly unknown[]> {
  await using database = await openDatabase({ kind: "file", path }, { profile: "fast" });
  const { settings } = await database.describe();
  const [inline] = database.file.inline.connection.ask("PRAGMA cache_size");
  const { rows } = await database.read({ sql: "PRAGMA cache_size", parameters: [] });
  return [settings["cache_size"], inline, rows[0]?.[0]];
}
