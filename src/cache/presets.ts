/**
 * Categories as the systems had them that Springhouse answers; use them as they are, or as a
 * beginning: `categories: { ...cachePresets.auditor, mine: {} }`.
 */

import type { CategoryOptions } from "./options.ts";

type Categories<Name extends string> = Readonly<Record<Name, CategoryOptions>>;

type ServiceName =
  | "global_settings"
  | "week_data"
  | "task_aggregations"
  | "user_preferences"
  | "analytics_results";

type AuditorName =
  | "ui_state"
  | "user_preferences"
  | "current_week"
  | "week_data"
  | "task_lists"
  | "aggregated_stats"
  | "analytics_results"
  | "chart_data"
  | "export_data";

/** The five policies of an in-memory cache service, bounded by entries. */
const service: Categories<ServiceName> = {
  global_settings: { maxEntries: 100, ttl: "1h", description: "Settings of the application" },
  week_data: { maxEntries: 500, ttl: "30m", description: "Weeks and what belongs to them" },
  task_aggregations: { maxEntries: 200, ttl: "5m", description: "Sums and counts of tasks" },
  user_preferences: { maxEntries: 50, ttl: "2h", description: "What a user prefers" },
  analytics_results: { maxEntries: 100, ttl: "10m", description: "Results of analyses" },
};

/** The nine rules of a cache of memory, SQLite and files, bounded by bytes. */
const auditor: Categories<AuditorName> = {
  ui_state: {
    tiers: ["memory"],
    ttl: "300s",
    maxBytes: "1MB",
    description: "Window positions, UI preferences, current selections",
  },
  user_preferences: {
    tiers: ["memory"],
    ttl: "1h",
    maxBytes: "100KB",
    aliases: ["global_settings"],
    description: "User settings, theme preferences",
  },
  current_week: {
    tiers: ["memory"],
    ttl: "30m",
    maxBytes: "500KB",
    description: "Currently selected week data",
  },
  week_data: {
    tiers: ["memory", "sqlite"],
    ttl: "2h",
    maxBytes: "unlimited",
    description: "Week information, task lists, aggregated data",
  },
  task_lists: {
    tiers: ["memory", "sqlite"],
    ttl: "1h",
    maxBytes: "unlimited",
    description: "Task queries, filtered lists",
  },
  aggregated_stats: {
    tiers: ["memory", "sqlite"],
    ttl: "30m",
    maxBytes: "unlimited",
    aliases: ["task_aggregations"],
    description: "Calculated statistics, bonus calculations",
  },
  analytics_results: {
    tiers: ["memory", "file"],
    ttl: "24h",
    maxBytes: "100MB",
    compression: "lz4",
    description: "Statistical analysis results, ML models",
  },
  chart_data: {
    tiers: ["memory", "file"],
    ttl: "1h",
    maxBytes: "50MB",
    compression: "lz4",
    description: "Chart datasets, visualization data",
  },
  export_data: {
    tiers: ["memory", "file"],
    ttl: "30m",
    maxBytes: "20MB",
    compression: "zstd",
    description: "CSV/Excel export data",
  },
};

/** Categories by the systems they come from. */
export const cachePresets: {
  readonly service: Categories<ServiceName>;
  readonly auditor: Categories<AuditorName>;
} = { service, auditor };
