/** Options of the SQLite tier, validated and filled. */

import { resolve } from "node:path";
import { type ByteSize, parseBytes } from "../../core/bytes.ts";
import { refuseUnknownKeys } from "../../core/options.ts";
import {
  assertText,
  refused,
  resolveStoredOptions,
  STORED_KEYS,
  type StoredTierOptions,
  type StoredTierSettings,
} from "../stored-options.ts";

/** How to keep a cache in a SQLite file. Limits: `maxBytes` "1GB", `maxEntryBytes` "64MB". */
export interface SqliteTierOptions extends StoredTierOptions {
  /** The file; its folder is made. Processes may share it. Default: "cache/cache.db". */
  readonly path?: string;
  /**
   * Memory for pages of the file, of each of its connections: one on the main thread, one that
   * writes, at most two threads that read. Taken as pages are used. Default: "16MB".
   */
  readonly cacheSize?: ByteSize;
}

/** Options with nothing left open. */
export interface ResolvedSqliteTierOptions extends StoredTierSettings {
  readonly path: string;
  readonly cacheSizeBytes: number;
}

const WHAT = "sqliteTier";
/** What the rows of one value can hold (`PARTS_MAX` of `PART_BYTES`). */
const ENTRY_BYTES_LIMIT = 1_024 ** 3;

/** Fills the defaults. @throws `INVALID_ARGUMENT` for an unknown key or a wrong value. */
export function resolveSqliteTierOptions(options: SqliteTierOptions): ResolvedSqliteTierOptions {
  refuseUnknownKeys(options, ["path", "cacheSize", ...STORED_KEYS], WHAT);
  const { path = "cache/cache.db", cacheSize = "16MB" } = options;
  assertText(WHAT, "path", path);
  if (path === ":memory:") {
    throw refused(WHAT, "path", "It is a file; memoryTier keeps entries in memory.", path);
  }
  const settings = resolveStoredOptions(WHAT, options, {
    name: "sqlite",
    maxBytes: "1GB",
    maxEntryBytes: "64MB",
  });
  if (settings.bounds.entryBytesMax > ENTRY_BYTES_LIMIT) {
    throw refused(WHAT, "maxEntryBytes", 'It is at most "1GB".');
  }
  return {
    ...settings,
    path: resolve(path),
    cacheSizeBytes: parseBytes(cacheSize, `${WHAT}: cacheSize`),
  };
}
