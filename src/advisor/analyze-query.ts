/**
 * What a query, its time and its plan tell by themselves: slow, reads every row, sorts, repeats.
 * These are hints from one look; `advise` proves what an index would change.
 */

import { assertList, assertText } from "../core/arguments.ts";
import { type Duration, formatDuration, parseDurationMs } from "../core/duration.ts";
import { SpringhouseError } from "../core/errors.ts";
import { refuseUnknownKeys } from "../core/options.ts";
import { codeTokens, isWord } from "../core/sql-tokens.ts";
import type { SqlValue } from "../core/statement.ts";
import { WatchedRequest } from "./n-plus-one.ts";
import { type Plan, type PlanLine, parsePlan } from "./plan.ts";

/** Something that a query could do better. */
export interface QueryPattern {
  readonly kind:
    | "slow-query"
    | "full-scan"
    | "index-scan"
    | "automatic-index"
    | "sort"
    | "leading-wildcard"
    | "n-plus-one";
  /** A warning costs time now; an information may, when the table grows. */
  readonly level: "warning" | "info";
  readonly message: string;
  readonly suggestion: string;
}

/** What was found. */
export interface QueryAnalysis {
  readonly patterns: readonly QueryPattern[];
}

/** From when on something is worth a word. */
export interface QueryAnalyzerOptions {
  /** Whether repeated statements are looked for. Default: true. */
  readonly n1Detection?: boolean;
  /** Runs of one statement with different values that are too many. Default: 5. */
  readonly n1Threshold?: number;
  /** A query that takes as long is slow. Default: "100ms". */
  readonly slowQueryThreshold?: Duration;
}

/** Analyses the queries of one request, one by one. */
export interface QueryAnalyzer {
  /**
   * @param time how long the query took.
   * @param plan what EXPLAIN QUERY PLAN gives, as rows or as texts. Default: none.
   * @param parameters its values, which tell an N+1 from a repeated question. Default: none.
   */
  analyzeQuery(
    sql: string,
    time: Duration,
    plan?: readonly (PlanLine | string)[],
    parameters?: readonly SqlValue[],
  ): QueryAnalysis;
}

/**
 * An analyzer for one request: what is asked through it again and again is an N+1.
 *
 * @throws `INVALID_ARGUMENT` for an unknown option or a value out of range.
 * @example
 * const analyzer = createQueryAnalyzer({ slowQueryThreshold: "50ms" });
 * const { patterns } = analyzer.analyzeQuery(sql, "120ms", plan);
 */
export function createQueryAnalyzer(options: QueryAnalyzerOptions = {}): QueryAnalyzer {
  refuseUnknownKeys(
    options,
    ["n1Detection", "n1Threshold", "slowQueryThreshold"],
    "createQueryAnalyzer",
  );
  const { n1Detection = true, n1Threshold = 5, slowQueryThreshold = "100ms" } = options;
  const slowMs = parseDurationMs(slowQueryThreshold, "slowQueryThreshold");
  if (!Number.isInteger(n1Threshold) || n1Threshold < 2) {
    const message = `n1Threshold must be a whole number from 2, not ${String(n1Threshold)}.`;
    throw new SpringhouseError("INVALID_ARGUMENT", message, { fields: { n1Threshold } });
  }
  const request = new WatchedRequest(n1Threshold);
  return {
    analyzeQuery(sql, time, plan = [], parameters = []) {
      assertText("analyzeQuery: sql", sql);
      assertList("analyzeQuery: plan", plan);
      const ms = parseDurationMs(time, "analyzeQuery: time");
      const slow = ms >= slowMs ? [slowQuery(ms, slowMs)] : [];
      const patterns = [...slow, ...planPatterns(parsePlan(plan)), ...textPatterns(sql)];
      if (n1Detection) request.note({ sql, parameters });
      return { patterns: [...patterns, ...(n1Detection ? repeated(request, sql) : [])] };
    },
  };
}

/**
 * Analyses one query by itself.
 *
 * @example
 * analyzeQuery("SELECT * FROM tasks WHERE score > 5", "180ms", ["SCAN tasks"]).patterns
 */
export function analyzeQuery(
  sql: string,
  time: Duration,
  plan: readonly (PlanLine | string)[] = [],
): QueryAnalysis {
  return createQueryAnalyzer().analyzeQuery(sql, time, plan);
}

function slowQuery(ms: number, limitMs: number): QueryPattern {
  return {
    kind: "slow-query",
    level: "warning",
    message: `It took ${formatDuration(ms)}; more than ${formatDuration(limitMs)} is slow.`,
    suggestion:
      "Look at its plan (EXPLAIN QUERY PLAN), run `springhouse advise`, or keep the result: " +
      "db.cached, or a rollup for statistics.",
  };
}

function planPatterns({ steps, sorts }: Plan): readonly QueryPattern[] {
  const patterns: QueryPattern[] = [];
  for (const { access, by, name, index } of steps) {
    if (by === "automatic") patterns.push(automaticIndex(name));
    if (access === "scan" && by === "nothing") patterns.push(fullScan(name));
    if (access === "scan" && by === "index") patterns.push(indexScan(name, index));
  }
  return [...patterns, ...sorts.map(({ what }) => sort(what))];
}

function fullScan(name: string): QueryPattern {
  return {
    kind: "full-scan",
    level: "warning",
    message: `Every row of ${name} is read.`,
    suggestion: `Make an index on the columns of ${name} that WHERE, JOIN or ORDER BY name.`,
  };
}

function indexScan(name: string, index: string | undefined): QueryPattern {
  return {
    kind: "index-scan",
    level: "info",
    message: `The whole index ${index} of ${name} is read, in its order.`,
    suggestion: "With LIMIT that is right; otherwise compare its first column in WHERE.",
  };
}

function automaticIndex(name: string): QueryPattern {
  return {
    kind: "automatic-index",
    level: "warning",
    message: `SQLite makes an index on ${name} for each run, and throws it away.`,
    suggestion: `Make an index on the columns by which ${name} is joined.`,
  };
}

function sort(what: string): QueryPattern {
  return {
    kind: "sort",
    level: "info",
    message: `All rows are sorted for ${what} before the first one comes out.`,
    suggestion: "Let the index end with the columns of ORDER BY, behind those compared by =.",
  };
}

function textPatterns(sql: string): readonly QueryPattern[] {
  const tokens = codeTokens(sql);
  const isWild = tokens.some(
    ({ kind, text }, index) =>
      kind === "string" && /^'[%_]/.test(text) && isWord(tokens[index - 1], "like"),
  );
  if (!isWild) return [];
  return [
    {
      kind: "leading-wildcard",
      level: "info",
      message: "LIKE with a wildcard in front can use no index.",
      suggestion: "Search in full text: `search` of a repository.",
    },
  ];
}

/** Told from the run on that is one too many. */
function repeated(request: WatchedRequest, sql: string): readonly QueryPattern[] {
  return request.findings(sql).map(({ count, suggestion }) => ({
    kind: "n-plus-one",
    level: "warning",
    message: `The same statement has run ${count} times in this request, with other values.`,
    suggestion,
  }));
}
