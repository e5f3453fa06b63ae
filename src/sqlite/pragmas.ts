/**
 * Settings of each connection. They hold for a connection and not for the file (journal mode
 * excepted), so every connection gets all of them, the busy timeout first.
 */

/**
 * `durable` keeps every acknowledged write through a power failure. `fast` may lose the last
 * commits in one, never consistency; a damaged file is set aside and made anew: for caches.
 */
export type Profile = "durable" | "fast";

/** A log that was once large is cut back to this when it is next reset. */
const JOURNAL_SIZE_LIMIT_BYTES = 64 * 1_024 * 1_024;
/**
 * Page caches of files whose owner says nothing, in bytes; a writer touches more pages than a
 * reader.
 */
const WRITER_CACHE_BYTES = 32_000 * 1_024;
const READER_CACHE_BYTES = 16_000 * 1_024;
/** The main thread reads single rows: the upper levels of a few B-trees. */
const INLINE_CACHE_BYTES = 4_000 * 1_024;
/** SQLite reads 0 as its own default, and no number of more than 31 bits. */
const CACHE_KIB_MIN = 1;
const CACHE_KIB_MAX = 2 ** 31 - 1;

/** Settings of every connection: no memory map (a truncated file would kill the process). */
function common(busyTimeoutMs: number, cacheSizeBytes: number): readonly string[] {
  const cacheKib = Math.floor(cacheSizeBytes / 1_024);
  return [
    `busy_timeout = ${busyTimeoutMs}`,
    "mmap_size = 0",
    "trusted_schema = OFF",
    "temp_store = MEMORY",
    "foreign_keys = ON",
    // Negative, it counts KiB and not pages.
    `cache_size = -${Math.min(Math.max(cacheKib, CACHE_KIB_MIN), CACHE_KIB_MAX)}`,
  ];
}

/**
 * The writer waits for other processes itself, at a constant interval, because SQLite's own
 * growing intervals are unfair; and it runs its own checkpoints. A new cache file is made so that
 * it can give back its free pages; on any other file that setting has no effect.
 */
export function writerPragmas(
  profile: Profile,
  cacheSizeBytes: number = WRITER_CACHE_BYTES,
): readonly string[] {
  return [
    ...common(0, cacheSizeBytes),
    ...(profile === "fast" ? ["auto_vacuum = INCREMENTAL"] : []),
    `synchronous = ${profile === "durable" ? "FULL" : "NORMAL"}`,
    `journal_size_limit = ${JOURNAL_SIZE_LIMIT_BYTES}`,
    "wal_autocheckpoint = 0",
  ];
}

/** A reader thread may block itself while another process recovers the log. */
export function readerPragmas(
  busyTimeoutMs: number,
  cacheSizeBytes: number = READER_CACHE_BYTES,
): readonly string[] {
  return [...common(busyTimeoutMs, cacheSizeBytes), "query_only = ON"];
}

/** On the main thread nothing may wait. */
export function inlinePragmas(cacheSizeBytes: number = INLINE_CACHE_BYTES): readonly string[] {
  return [...common(0, cacheSizeBytes), "query_only = ON"];
}
