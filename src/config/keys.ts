/**
 * Every key of the configuration, once. Types, parsing, names of environment variables, the names
 * that other systems use, and the table in docs/configuration.md all come from here.
 *
 * `default` is written as a user would write it; without one the key is unset. `aliases` are dotted
 * names from the configurations that Springhouse replaces, each with the unit it counts in there.
 */

import { BACKUP_KEYS } from "./backup-keys.ts";
import { CACHE_KEYS } from "./cache-keys.ts";
import { MONITORING_KEYS } from "./monitoring-keys.ts";

/** How the value under an alias is to be understood. */
export type AliasUnit =
  /** As under the key itself. */
  | "same"
  | "seconds"
  /** A number of database pages of 4 KB. */
  | "pages"
  /** A plain path instead of a URL. */
  | "file"
  /** Connections on top of `database.pool.minSize`. */
  | "added";

/** What is known about one key. */
export interface KeyFacts {
  readonly type: KeyType;
  readonly default?: unknown;
  readonly doc: string;
  /** Read and checked, but nothing uses it in this version. */
  readonly planned?: true;
  /** Least value of a count. */
  readonly min?: number;
  /** Allowed texts of a choice. */
  readonly values?: readonly string[];
  /** Allowed beginnings of a URL, without the colon. */
  readonly schemes?: readonly string[];
  /** Whether a folder will do instead of a URL; as a `path`, it is relative to the file. */
  readonly orFolder?: true;
  /** Why nothing but the default can be had. */
  readonly fixed?: string;
  /** Texts of a choice that are refused, and why. */
  readonly refused?: Readonly<Record<string, string>>;
  readonly aliases?: Readonly<Record<string, AliasUnit>>;
}

/**
 * `durations` are durations by name; a `path` is relative to the file it stands in; a `secret`
 * comes from the environment alone.
 */
export type KeyType =
  | "boolean"
  | "bytes"
  | "choice"
  | "count"
  | "duration"
  | "durations"
  | "list"
  | "path"
  | "schedule"
  | "secret"
  | "timeZone"
  | "url";

/** Keys by name, in groups. */
export interface KeyGroup {
  readonly [name: string]: KeyFacts | KeyGroup;
}

/** The table. */
export const KEYS = {
  database: {
    url: {
      type: "url",
      default: "sqlite:app.db",
      schemes: ["sqlite", "postgres", "postgresql"],
      aliases: { "database.db_path": "file" },
      doc: "Where the data is. A relative path starts at the folder of the configuration file.",
    },
    readOnly: {
      type: "boolean",
      default: false,
      doc: "Opens the database for reading only.",
    },
    profile: {
      type: "choice",
      values: ["durable", "fast"],
      default: "durable",
      doc: "`durable` survives a power failure; `fast` may lose the last commits in one.",
    },
    busyTimeout: {
      type: "duration",
      default: "30s",
      aliases: { "database.timeout": "seconds" },
      doc: "How long a write waits for another process that holds the write lock.",
    },
    transactionDeadline: {
      type: "duration",
      default: "5s",
      doc: "After this time an interactive transaction is rolled back.",
    },
    snapshotMaxAge: {
      type: "duration",
      default: "60s",
      doc: "How long a stream or a snapshot may hold back the write-ahead log.",
    },
    slowQueryThreshold: {
      type: "duration",
      default: "100ms",
      aliases: {
        slow_query_threshold: "seconds",
        "database.slow_query_threshold": "seconds",
        "monitoring.slow_query_threshold": "seconds",
      },
      doc: "Statements that take longer are reported.",
    },
    echo: {
      type: "boolean",
      default: false,
      doc: "Writes every statement to standard error, without its values.",
    },
    recordWorkload: {
      type: "path",
      doc: "The file into which statements are recorded without their values, for `advise`.",
    },
    schema: {
      type: "choice",
      values: ["create", "check", "ignore"],
      default: "create",
      doc: "What `open` does about tables: make missing ones, compare only, or trust the file.",
    },
    pool: {
      minSize: {
        type: "count",
        min: 0,
        default: 3,
        aliases: {
          "database.pool_size": "same",
          "database.pool_config.min_size": "same",
          "pool_config.min_size": "same",
        },
        doc: "Connections that are kept when idle; lowered to maxSize when only that is given.",
      },
      maxSize: {
        type: "count",
        min: 1,
        default: 10,
        aliases: {
          "database.max_overflow": "added",
          "database.pool_config.max_size": "same",
          "pool_config.max_size": "same",
        },
        doc: "Most connections at one time; raised to minSize when only that is given.",
      },
      connectionTimeout: {
        type: "duration",
        default: "5s",
        aliases: {
          "database.connection_timeout": "seconds",
          "database.pool_config.connection_timeout": "seconds",
          "pool_config.connection_timeout": "seconds",
        },
        doc: "How long a caller waits for a free connection.",
      },
      idleTimeout: {
        type: "duration",
        default: "300s",
        aliases: {
          "database.pool_config.idle_timeout": "seconds",
          "pool_config.idle_timeout": "seconds",
        },
        doc: "A connection beyond minSize that nobody used for so long is closed.",
      },
      maxLifetime: {
        type: "duration",
        default: "3600s",
        aliases: {
          "database.pool_config.max_lifetime": "seconds",
          "pool_config.max_lifetime": "seconds",
        },
        doc: "A connection of this age is replaced when it is next idle.",
      },
      leakDetectionThreshold: {
        type: "duration",
        default: "60s",
        doc: "Borrowed for longer, a connection is reported with its borrower; 0 switches it off.",
      },
    },
  },
  entities: {
    type: "path",
    doc: "The module that exports the entities; commands compare the database with them.",
  },
  migrations: {
    directory: {
      type: "path",
      default: "migrations",
      doc: "The folder of the numbered migrations.",
    },
    batchSize: {
      type: "count",
      min: 1,
      default: 1000,
      aliases: { "startup.migration_optimization.batch_size": "same" },
      doc: "Most rows in one batch of a data step.",
    },
    timeout: {
      type: "duration",
      default: "30s",
      aliases: { "startup.migration_optimization.timeout": "seconds" },
      doc: "How long one migration may take, and how long another process is waited for.",
    },
    latencyBudget: {
      type: "duration",
      default: "10ms",
      doc: "How long one batch of a data step may keep other writers waiting.",
    },
    autoGenerate: {
      type: "boolean",
      default: true,
      aliases: { "migrations.auto_generate": "same" },
      doc: "Whether `migrate new` writes the difference to the entities. It applies nothing.",
    },
  },
  // The declarations of the package name its type without looking into the other file.
  cache: CACHE_KEYS as typeof CACHE_KEYS,
  // For the same reason.
  backup: BACKUP_KEYS as typeof BACKUP_KEYS,
  resilience: {
    circuitBreaker: {
      type: "boolean",
      default: true,
      aliases: { enable_circuit_breaker: "same", "database.enable_circuit_breaker": "same" },
      doc: "Stops calling a server that keeps failing. A local file needs none.",
    },
  },
  monitoring: MONITORING_KEYS as typeof MONITORING_KEYS,
  startup: {
    lazyImports: {
      enabled: {
        type: "boolean",
        default: true,
        aliases: { "startup.lazy_imports.enabled": "same" },
        doc: "Whether heavy modules are loaded at first use instead of at start.",
      },
      deferHeavy: {
        type: "list",
        default: [],
        aliases: { "startup.lazy_imports.defer_heavy": "same" },
        doc: "Modules of the application that are loaded at first use.",
      },
    },
    asyncLoading: {
      enabled: {
        type: "boolean",
        default: true,
        aliases: { "startup.async_loading.enabled": "same" },
        doc: "Whether components are started beside each other.",
      },
      componentDelays: {
        type: "durations",
        default: {},
        aliases: { "startup.async_loading.component_delays": "same" },
        doc: "How long after the start a component is loaded, by its name.",
      },
    },
  },
} as const;

/** Sections whose keys take effect in a later version, and the part of it that will use them. */
export const PLANNED: Readonly<Partial<Record<keyof typeof KEYS, string>>> = {
  resilience: "PostgreSQL and Redis",
  startup: "the loading of components",
};

/** Switches of other systems for what is always on here, and why nobody can turn it off. */
export const ALWAYS_ON: Readonly<Record<string, string>> = {
  "startup.migration_optimization.enabled":
    "a data step in one piece would hold up every other writer; raise migrations.batchSize instead",
};
