/**
 * Figures for monitoring systems, as plain data: one catalogue of names, and the samples of now.
 * Units are the base units of Prometheus: seconds and bytes. Nothing carries a path, a statement or
 * a value; labels are names of tables, caches, tiers, circuits and checks.
 */

import type { CacheStatistics } from "../cache/statistics.ts";
import type { FunctionStatistics } from "../coherence/statistics.ts";
import type { DatabaseVitals } from "../sqlite/describe.ts";
import { WAIT_BOUNDS_MS } from "../sqlite/writer-load.ts";
import { circuits } from "./checks/usage.ts";
import { type HealthReport, severityOf } from "./report.ts";
import type { RoundParts } from "./round.ts";

/** What a name means. */
export interface MetricFacts {
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
}

/** One figure. Of a histogram each bucket is one, and its sum and its count. */
export interface MetricSample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** What follows the name: "_bucket", "_sum", "_count". Default: nothing. */
  readonly suffix?: string;
}

/** All figures of one name. */
export interface Metric extends MetricFacts {
  readonly name: string;
  readonly samples: readonly MetricSample[];
}

/** Every name with its type and its help, in the order of the output. */
export const METRICS = {
  springhouse_ready: ["gauge", "1 when requests can be served."],
  springhouse_health_status: ["gauge", "By check: 0 healthy, 1 warning, 2 unhealthy."],
  springhouse_health_check_timestamp_seconds: ["gauge", "When all checks were last made."],
  springhouse_connection_errors_total: ["counter", "Checks that could not read from the database."],
  springhouse_database_bytes: ["gauge", "Bytes of the database file, of its log, of the backups."],
  springhouse_disk_free_bytes: ["gauge", "Room on the disk of the database, of the backups."],
  springhouse_database_pages: ["gauge", "Pages of the database file, and those without content."],
  springhouse_log_waiting_pages: [
    "gauge",
    "Pages in the write-ahead log that are not in the file.",
  ],
  springhouse_checkpoint_lag_seconds: [
    "gauge",
    "How long no page has moved from the log to the file.",
  ],
  springhouse_oldest_reader_seconds: ["gauge", "How long the oldest read of this process lasts."],
  springhouse_readers: ["gauge", "Reader threads, by what they do."],
  springhouse_reader_waiting: ["gauge", "Callers that wait for a reader."],
  springhouse_reader_acquired_total: ["counter", "Readers that were given to callers."],
  springhouse_reader_timeouts_total: ["counter", "Callers that got no reader in time."],
  springhouse_reader_leaks_total: ["counter", "Readers that were held for too long."],
  springhouse_writer_waiting: ["gauge", "Callers that wait for the writer."],
  springhouse_writer_busy_seconds: ["gauge", "How long the writer is with the same work."],
  springhouse_writer_wait_seconds: ["histogram", "How long callers waited for the writer."],
  springhouse_busy_errors_total: [
    "counter",
    "Writes that failed because of another process's lock.",
  ],
  springhouse_lock_waits_total: ["counter", "Times that another process held the write lock."],
  springhouse_thread_deaths_total: ["counter", "Threads that ended by themselves."],
  springhouse_queries_total: ["counter", "Statements that were run."],
  springhouse_query_seconds_total: ["counter", "Time that they took."],
  springhouse_slow_queries: ["gauge", "Slow statements in the window."],
  springhouse_event_loop_delay_seconds: ["gauge", "Delay of the event loop since the last check."],
  springhouse_cache_hits_total: ["counter", "Reads that a tier of a cache answered."],
  springhouse_cache_misses_total: ["counter", "Reads that it could not answer."],
  springhouse_cache_evictions_total: ["counter", "Entries that were removed for room."],
  springhouse_cache_entries: ["gauge", "Entries of a tier."],
  springhouse_cache_bytes: ["gauge", "Bytes of its entries."],
  springhouse_circuit_state: ["gauge", "By circuit: 0 closed, 1 half-open, 2 open."],
  springhouse_guard_calls_total: ["counter", "Calls of a guard, by how they ended."],
  springhouse_backups: ["gauge", "Backups in the folder."],
  springhouse_backup_age_seconds: ["gauge", "Age of the last verified backup."],
  springhouse_integrity_age_seconds: [
    "gauge",
    "How long ago all pages were last seen to be sound.",
  ],
  springhouse_table_rows: ["gauge", "Rows of a table; an estimate beyond 1,000."],
} as const;

/** A name of the catalogue. */
export type MetricName = keyof typeof METRICS;

/** What it means. */
export function factsOf(name: MetricName): MetricFacts {
  const [type, help] = METRICS[name];
  return { type, help };
}

/** Collects samples under the names of the catalogue. */
class Samples {
  readonly #samples = new Map<MetricName, MetricSample[]>();

  add(name: MetricName, value: number | undefined, labels: MetricSample["labels"] = {}): void {
    if (value !== undefined) this.put(name, { value, labels });
  }

  put(name: MetricName, sample: MetricSample): void {
    const known = this.#samples.get(name);
    if (known === undefined) this.#samples.set(name, [sample]);
    else known.push(sample);
  }

  toMetrics(): readonly Metric[] {
    return (Object.keys(METRICS) as MetricName[]).flatMap((name) => {
      const samples = this.#samples.get(name);
      return samples === undefined ? [] : [{ name, ...factsOf(name), samples }];
    });
  }
}

/** The figures of now, with those of the last look that cost too much to be asked for each time. */
export function collectMetrics(parts: RoundParts, report: HealthReport): readonly Metric[] {
  const samples = new Samples();
  addReport(samples, report);
  const { database, guards = [] } = parts.sources;
  if (database !== undefined) {
    const vitals = vitalsOf(() => database.vitals());
    if (vitals !== undefined) addVitals(samples, vitals);
    const { total, totalMs } = database.queryStatistics();
    samples.add("springhouse_queries_total", total);
    samples.add("springhouse_query_seconds_total", totalMs / 1_000);
    const slow = database.slowQueries(parts.slowQueryWindowMs);
    samples.add("springhouse_slow_queries", slow.length);
  }
  const delays = parts.eventLoop?.read();
  if (delays !== undefined) {
    const name = "springhouse_event_loop_delay_seconds";
    samples.add(name, delays.p50Ms / 1_000, { quantile: "0.5" });
    samples.add(name, delays.p99Ms / 1_000, { quantile: "0.99" });
    samples.add(name, delays.maxMs / 1_000, { quantile: "1" });
  }
  addCaches(samples, parts);
  for (const [circuit, state] of circuits(parts.sources)) {
    const value = ["closed", "half-open", "open"].indexOf(state);
    samples.add("springhouse_circuit_state", value, { circuit });
  }
  for (const guard of guards) {
    const { successes, failures, aborted } = guard.statistics();
    for (const [outcome, count] of Object.entries({ successes, failures, aborted })) {
      samples.add("springhouse_guard_calls_total", count, { circuit: guard.name, outcome });
    }
  }
  return samples.toMetrics();
}

/** A closed database has none, and its last report still says something. */
function vitalsOf(read: () => DatabaseVitals): DatabaseVitals | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function addReport(samples: Samples, { ready, timestamp, checks, counters }: HealthReport): void {
  samples.add("springhouse_ready", ready ? 1 : 0);
  samples.add("springhouse_health_check_timestamp_seconds", Date.parse(timestamp) / 1_000);
  samples.add("springhouse_connection_errors_total", counters.connectionErrors);
  for (const { name, status, values = {} } of checks) {
    samples.add("springhouse_health_status", severityOf(status), { check: name });
    const seconds = (key: string): number | undefined => {
      const ms = values[key];
      return ms === undefined ? undefined : ms / 1_000;
    };
    if (name === "disk") {
      samples.add("springhouse_disk_free_bytes", values["freeBytes"], { of: "database" });
      samples.add("springhouse_disk_free_bytes", values["backupDiskFreeBytes"], { of: "backups" });
    } else if (name === "write-ahead log") {
      samples.add("springhouse_checkpoint_lag_seconds", seconds("lagMs"));
    } else if (name === "backups") {
      samples.add("springhouse_backups", values["count"]);
      samples.add("springhouse_backup_age_seconds", seconds("ageMs"));
      samples.add("springhouse_database_bytes", values["bytes"], { of: "backups" });
    } else if (name === "integrity") {
      samples.add("springhouse_integrity_age_seconds", seconds("ageMs"));
    } else if (name === "tables") {
      for (const [key, rows] of Object.entries(values)) {
        samples.add("springhouse_table_rows", rows, { table: key.replace(/\.rows$/, "") });
      }
    }
  }
}

function addVitals(samples: Samples, vitals: DatabaseVitals): void {
  const { log, pool, writer } = vitals;
  samples.add("springhouse_database_bytes", vitals.sizeBytes, { of: "database" });
  samples.add("springhouse_database_bytes", vitals.walBytes, { of: "log" });
  samples.add("springhouse_database_pages", vitals.pages, { state: "all" });
  samples.add("springhouse_database_pages", vitals.freePages, { state: "free" });
  samples.add("springhouse_log_waiting_pages", Math.max(0, log.frames - log.checkpointed));
  samples.add("springhouse_oldest_reader_seconds", pool.oldestLoanMs / 1_000);
  samples.add("springhouse_readers", pool.inUse, { state: "in use" });
  samples.add("springhouse_readers", pool.idle, { state: "idle" });
  samples.add("springhouse_reader_waiting", pool.waiting);
  samples.add("springhouse_reader_acquired_total", pool.acquired);
  samples.add("springhouse_reader_timeouts_total", pool.timeouts);
  samples.add("springhouse_reader_leaks_total", pool.leaks);
  samples.add("springhouse_thread_deaths_total", pool.died, { of: "readers" });
  samples.add("springhouse_thread_deaths_total", writer.deaths, { of: "writer" });
  samples.add("springhouse_writer_waiting", writer.waiting);
  samples.add("springhouse_writer_busy_seconds", writer.busyMs / 1_000);
  samples.add("springhouse_busy_errors_total", writer.busyErrors);
  samples.add("springhouse_lock_waits_total", writer.lockWaits);
  addWaits(samples, vitals);
}

/** Buckets of Prometheus count everything up to their bound. */
function addWaits(samples: Samples, { writer }: DatabaseVitals): void {
  const name = "springhouse_writer_wait_seconds";
  let upTo = 0;
  for (const [index, count] of writer.waits.entries()) {
    upTo += count;
    const bound = WAIT_BOUNDS_MS[index];
    const le = bound === undefined ? "+Inf" : String(bound / 1_000);
    samples.put(name, { suffix: "_bucket", labels: { le }, value: upTo });
  }
  samples.put(name, { suffix: "_sum", labels: {}, value: writer.waitedMs / 1_000 });
  samples.put(name, { suffix: "_count", labels: {}, value: upTo });
}

function addCaches(samples: Samples, { sources }: RoundParts): void {
  const { results, caches = {} } = sources;
  const kept = results?.();
  if (kept !== undefined) addResults(samples, Object.values(kept.functions));
  for (const [cache, source] of Object.entries(caches))
    addCache(samples, cache, source.cacheStatistics());
}

function addResults(samples: Samples, functions: readonly FunctionStatistics[]): void {
  const labels = { cache: "results", tier: "memory" };
  const sum = (key: "hits" | "misses" | "evicted" | "entries" | "bytes"): number =>
    functions.reduce((total, counts) => total + counts[key], 0);
  samples.add("springhouse_cache_hits_total", sum("hits"), labels);
  samples.add("springhouse_cache_misses_total", sum("misses"), labels);
  samples.add("springhouse_cache_evictions_total", sum("evicted"), labels);
  samples.add("springhouse_cache_entries", sum("entries"), labels);
  samples.add("springhouse_cache_bytes", sum("bytes"), labels);
}

function addCache(samples: Samples, cache: string, { tiers }: CacheStatistics): void {
  for (const { name: tier, hits, misses, evictions, entries, bytes } of tiers) {
    const labels = { cache, tier };
    samples.add("springhouse_cache_hits_total", hits, labels);
    samples.add("springhouse_cache_misses_total", misses, labels);
    samples.add("springhouse_cache_evictions_total", evictions, labels);
    samples.add("springhouse_cache_entries", entries, labels);
    samples.add("springhouse_cache_bytes", bytes, labels);
  }
}
