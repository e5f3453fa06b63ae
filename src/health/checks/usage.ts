/** How the work goes: hits of caches, circuits, slow statements, rows of tables. */

import { formatAge, formatDuration } from "../../core/duration.ts";
import { type HealthFinding, worstOf } from "../report.ts";
import type { Round } from "../round.ts";
import type { HealthSources } from "../sources.ts";
import { formatRows, tableSizes } from "../table-sizes.ts";
import { formatLimit, statusOf } from "../thresholds.ts";

/** With fewer reads since the last look, a rate says nothing. */
const READS_MIN = 100;
/** Enough to see which statement it is. */
const SQL_CHARS_MAX = 80;
const TABLES_SHOWN_MAX = 3;

/** Reads of one cache, since it was made. */
export interface CacheReads {
  readonly name: string;
  readonly hits: number;
  readonly misses: number;
}

/** The reads of each cache; all cached functions of the database count as one, "results". */
export function cacheReads({ results, caches = {} }: HealthSources): readonly CacheReads[] {
  const reads: CacheReads[] = [];
  const kept = results?.();
  if (kept !== undefined) {
    const functions = Object.values(kept.functions);
    const sum = (key: "hits" | "misses"): number =>
      functions.reduce((total, counts) => total + counts[key], 0);
    reads.push({ name: "results", hits: sum("hits"), misses: sum("misses") });
  }
  for (const [name, cache] of Object.entries(caches)) {
    const { hits, misses } = cache.cacheStatistics();
    reads.push({ name, hits, misses });
  }
  return reads;
}

/** The share of hits since the last look. */
export function checkCaches(round: Round): HealthFinding | undefined {
  const { sources, memory, thresholds } = round;
  const all = cacheReads(sources);
  if (all.length === 0) return undefined;
  const rates = all.map(({ name, ...totals }) => {
    const hits = memory.since(`hits of ${name}`, totals.hits);
    const reads = hits + memory.since(`misses of ${name}`, totals.misses);
    const percent = reads === 0 ? 0 : (100 * hits) / reads;
    return { name, reads, percent };
  });
  const poor = rates.filter(({ reads, percent }) => {
    return reads >= READS_MIN && statusOf(thresholds, "cacheHitRate", percent) !== "healthy";
  });
  const limit = formatLimit("cacheHitRate", thresholds.cacheHitRate.warning);
  return {
    status: worstOf(poor.map(({ percent }) => statusOf(thresholds, "cacheHitRate", percent))),
    found: rates
      .map(({ name, reads, percent }) => `${name} ${percent.toFixed(1)} % of ${reads} reads`)
      .join("; "),
    advice:
      poor.length === 0
        ? undefined
        : `${poor.map(({ name }) => name).join(", ")}: fewer hits than ${limit}. Look at ` +
          "evictions (more room), lives (a longer ttl) and keys that never come again.",
    values: Object.fromEntries(
      rates.flatMap(({ name, reads, percent }) => [
        [`${name}.reads`, reads],
        [`${name}.hitPercent`, percent],
      ]),
    ),
  };
}

/** The state of each circuit, those of the tiers of caches included. */
export function circuits(sources: HealthSources): ReadonlyMap<string, string> {
  const { guards = [], caches = {}, results } = sources;
  const states = new Map<string, string>(guards.map((one) => [one.name, one.statistics().state]));
  for (const [name, tier] of Object.entries(results?.()?.tiers ?? {})) {
    states.set(`results/${name}`, tier.circuit);
  }
  for (const [cache, source] of Object.entries(caches)) {
    for (const { name, guard } of source.cacheStatistics().tiers) {
      if (guard !== undefined) states.set(`${cache}/${name}`, guard.circuit);
    }
  }
  return states;
}

/** Whether what is called answers. An open circuit degrades; it does not end anything. */
export function checkCircuits(round: Round): HealthFinding | undefined {
  const states = circuits(round.sources);
  if (states.size === 0) return undefined;
  const open = [...states].filter(([, state]) => state !== "closed");
  if (open.length === 0) {
    return { status: "healthy", found: `${states.size} closed`, values: { open: 0 } };
  }
  return {
    status: "warning",
    found: open.map(([name, state]) => `${name} is ${state}`).join("; "),
    advice: "What these call has failed several times in a row. Look whether it is there.",
    values: { open: open.length },
  };
}

/** Slow statements of the window; the window moves on, so the trouble passes. */
export function checkSlowQueries(round: Round): HealthFinding | undefined {
  const { database } = round.sources;
  const { slowQueryWindowMs: windowMs } = round.parts;
  if (database === undefined) return undefined;
  const slow = database.slowQueries(windowMs);
  const count = slow.length;
  const slowest = slow.reduce((worst, query) => (query.ms > worst.ms ? query : worst), {
    sql: "",
    ms: 0,
  });
  const status = statusOf(round.thresholds, "slowQueries", count);
  const shown = slowest.sql.replace(/\s+/g, " ").slice(0, SQL_CHARS_MAX);
  const detail = count === 0 ? "" : `, the slowest ${formatDuration(slowest.ms)}: ${shown}`;
  return {
    status,
    found: `${count} in ${formatAge(windowMs)}${detail}`,
    advice: status === "healthy" ? undefined : "Run: npx springhouse advise. Look for an index.",
    values: { count, slowestMs: slowest.ms },
  };
}

/** The largest tables. It is no judgement: what is large is for people to say. */
export async function checkTables(round: Round): Promise<HealthFinding | undefined> {
  const { database } = round.sources;
  if (database === undefined) return undefined;
  const tables = await tableSizes(database, round.parts.random, round.signal);
  const shown = tables.slice(0, TABLES_SHOWN_MAX).map((size) => {
    return `${size.table} ${formatRows(size)}`;
  });
  const more = tables.length > shown.length ? `; ${tables.length - shown.length} more` : "";
  return {
    status: "healthy",
    found: tables.length === 0 ? "none" : `${shown.join(", ")}${more}`,
    values: Object.fromEntries(
      tables.flatMap(({ table, rows }) => {
        return rows === undefined ? [] : [[`${table}.rows`, rows]];
      }),
    ),
  };
}
