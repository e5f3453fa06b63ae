/** The keys of the section `cache`, as `keys.ts` has those of the others. */

/** The section. */
export const CACHE_KEYS = {
  enabled: { type: "boolean", default: true, doc: "Whether anything is kept." },
  provider: {
    type: "choice",
    values: ["memory", "redis"],
    default: "memory",
    doc: "`redis` is for entries that several machines share; its tier is not there yet.",
  },
  redisUrl: {
    type: "url",
    default: "redis://localhost:6379/0",
    schemes: ["redis", "rediss"],
    aliases: { "cache.redis_url": "same" },
    planned: true,
    doc: "The Redis server of the provider `redis`.",
  },
  defaultTtl: {
    type: "duration",
    default: "300s",
    aliases: {
      "cache.default_ttl": "seconds",
      "cache.memory_cache.default_ttl": "seconds",
    },
    doc: "How long an entry lives that says nothing else.",
  },
  memory: {
    maxEntries: {
      type: "count",
      min: 1,
      default: 1000,
      aliases: { "cache.memory_cache.max_size": "same" },
      doc: "Most entries in memory.",
    },
    maxBytes: { type: "bytes", default: "100MB", doc: "Most bytes in memory." },
    policy: {
      type: "choice",
      values: ["w-tinylfu", "lru", "lfu", "fifo"],
      default: "w-tinylfu",
      doc: "Which entry goes when memory is full.",
    },
    cleanupInterval: {
      type: "duration",
      default: "60s",
      aliases: { "cache.memory_cache.cleanup_interval": "seconds" },
      doc: "How often expired entries are removed that nobody asks for.",
    },
  },
  sqlite: {
    enabled: { type: "boolean", default: true, doc: "Whether there is a SQLite tier." },
    path: {
      type: "path",
      default: "cache/cache.db",
      aliases: { "cache.sqlite_cache.db_path": "same" },
      doc: "The file of the SQLite tier.",
    },
    maxTotalSize: { type: "bytes", default: "1GB", doc: "Most bytes of the SQLite tier." },
    journalMode: {
      type: "choice",
      values: ["WAL"],
      default: "WAL",
      refused: {
        MEMORY: "a killed process often leaves a corrupt file, and it is not even faster",
        OFF: "a killed process leaves a corrupt file",
      },
      aliases: { "cache.sqlite_cache.pragma_settings.journal_mode": "same" },
      doc: "Journal of the SQLite tier.",
    },
    synchronous: {
      type: "choice",
      values: ["NORMAL"],
      default: "NORMAL",
      refused: {
        OFF: "a power failure leaves a corrupt file, and it is hardly faster",
        FULL: "every write would wait for the disk, to keep what can be made again",
      },
      aliases: { "cache.sqlite_cache.pragma_settings.synchronous": "same" },
      doc: "How often the SQLite tier waits for the disk: at checkpoints, as profile `fast` does.",
    },
    tempStore: {
      type: "choice",
      values: ["MEMORY"],
      default: "MEMORY",
      refused: { FILE: "the tier makes no temporary tables that are worth a file" },
      aliases: { "cache.sqlite_cache.pragma_settings.temp_store": "same" },
      doc: "Where the SQLite tier keeps temporary tables.",
    },
    cacheSize: {
      type: "bytes",
      default: "16MB",
      aliases: { "cache.sqlite_cache.pragma_settings.cache_size": "pages" },
      doc: "Memory for pages of the SQLite tier, for each of its connections.",
    },
    mmapSize: {
      type: "bytes",
      default: 0,
      fixed: "a file that is cut short under a map ends the process",
      aliases: { "cache.sqlite_cache.pragma_settings.mmap_size": "same" },
      doc: "How much of the file is mapped: nothing.",
    },
  },
  files: {
    enabled: {
      type: "boolean",
      default: true,
      doc: "Whether there is a file tier, for the categories that name it.",
    },
    directory: {
      type: "path",
      default: "cache/files",
      aliases: { "cache.file_cache.cache_dir": "same" },
      doc: "The folder of the file tier.",
    },
    compression: {
      type: "choice",
      values: ["auto", "lz4", "zstd", "none"],
      default: "auto",
      aliases: { "cache.file_cache.compression": "same" },
      doc: "How files are compressed; `auto` is lz4 when it is installed, else zstd.",
    },
    maxFileSize: {
      type: "bytes",
      default: "10MB",
      aliases: { "cache.file_cache.max_file_size": "same" },
      doc: "Larger values are not kept in files.",
    },
    maxTotalSize: { type: "bytes", default: "1000MB", doc: "Most bytes of the file tier." },
  },
} as const;
