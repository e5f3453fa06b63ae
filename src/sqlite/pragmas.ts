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
/** Page caches in KiB, negative as SQLite wants it; a writer touches more pages than a reader. */
const WRITER_CACHE = -32_000;
const READER_CACHE = -16_000;
/** The main thread reads single rows: the upper levels of a few B-trees. */
const INLINE_CACHE = -4_000;

/** Settings of every connection: no memory map (a truncated file would kill the process). */
function common(busyTimeoutMs: number, cacheSize: number): readonly string[] {
  return [
    `busy_timeout = ${busyTimeoutMs}`,
    "mmap_size = 0",
    "trusted_schema = OFF",
    "temp_store = MEMORY",
    "foreign_keys = ON",
    `cache_size = ${cacheSize}`,
  ];
}

/**
 * The writer waits for other processes itself, at a constant interval, because SQLite's own
 * growing intervals are unfair; and it runs its own checkpoints. A new cache file is made so that
 * it can give back its free pages; on any other file that setting has no effect.
 */
export function writerPragmas(profile: Profile): readonly string[] {
  return [
    ...common(0, WRITER_CACHE),
    ...(profile === "fast" ? ["auto_vacuum = INCREMENTAL"] : []),
    `synchronous = ${profile === "durable" ? "FULL" : "NORMAL"}`,
    `journal_size_limit = ${JOURNAL_SIZE_LIMIT_BYTES}`,
    "wal_autocheckpoint = 0",
  ];
}

/** A reader thread may block itself while another process recovers the log. */
export function readerPragmas(busyTimeoutMs: number): readonly string[] {
  return [...common(busyTimeoutMs, READER_CACHE), "query_only = ON"];
}

/** On the main thread nothing may wait. */
export const INLINE_PRAGMAS: readonly string[] = [...common(0, INLINE_CACHE), "query_only = ON"];
