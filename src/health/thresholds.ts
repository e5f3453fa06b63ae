/** From which figure on something is worth a warning, or is unhealthy. One table of all of them. */

import { type ByteSize, formatBytes, parseBytes } from "../core/bytes.ts";
import { type Duration, formatAge, parseDurationMs } from "../core/duration.ts";
import { SpringhouseError } from "../core/errors.ts";
import { refuseUnknownKeys } from "../core/options.ts";
import { shown } from "../core/shown.ts";
import type { HealthStatus } from "./report.ts";

/** The two limits of one figure. 0 switches a limit off. */
export interface ThresholdLevels {
  readonly warning?: ByteSize | Duration | undefined;
  readonly unhealthy?: ByteSize | Duration | undefined;
}

interface ThresholdFacts {
  readonly unit: "bytes" | "duration" | "count" | "percent";
  /** On which side of the limit trouble lies. */
  readonly trouble: "above" | "below";
  readonly warning: ByteSize | Duration;
  readonly unhealthy: ByteSize | Duration;
  readonly doc: string;
}

/** Every threshold with its defaults. */
export const THRESHOLDS = {
  diskFree: {
    doc: "Room that is left on a disk.",
    unit: "bytes",
    trouble: "below",
    warning: "1GB",
    unhealthy: "100MB",
  },
  logSize: {
    doc: "The write-ahead log.",
    unit: "bytes",
    trouble: "above",
    warning: "64MB",
    unhealthy: "1GB",
  },
  checkpointLag: {
    doc: "How long no page has moved from the log to the file, though many wait.",
    unit: "duration",
    trouble: "above",
    warning: "60s",
    unhealthy: 0,
  },
  readerAge: {
    doc: "How long the oldest read, stream or snapshot has lasted.",
    unit: "duration",
    trouble: "above",
    warning: "30s",
    unhealthy: 0,
  },
  readerQueue: {
    doc: "Callers that wait for a reader.",
    unit: "count",
    trouble: "above",
    warning: 100,
    unhealthy: 10_000,
  },
  readerTimeouts: {
    doc: "Callers that got no reader in time, since the last check.",
    unit: "count",
    trouble: "above",
    warning: 1,
    unhealthy: 0,
  },
  writerQueue: {
    doc: "Callers that wait for the writer.",
    unit: "count",
    trouble: "above",
    warning: 10_000,
    unhealthy: 90_000,
  },
  writerWait: {
    doc: "How long the first of them has waited.",
    unit: "duration",
    trouble: "above",
    warning: "1s",
    unhealthy: "30s",
  },
  busyErrors: {
    doc: "Writes that failed because another process held the lock, since the last check.",
    unit: "count",
    trouble: "above",
    warning: 1,
    unhealthy: 0,
  },
  eventLoopDelay: {
    doc: "Delay of the event loop, at the 99th percentile since the last check.",
    unit: "duration",
    trouble: "above",
    warning: "50ms",
    unhealthy: "500ms",
  },
  eventLoopBlock: {
    doc: "The longest delay since the last check.",
    unit: "duration",
    trouble: "above",
    warning: "250ms",
    unhealthy: "5s",
  },
  cacheHitRate: {
    doc: "Hits among the reads of a cache since the last check.",
    unit: "percent",
    trouble: "below",
    warning: 0,
    unhealthy: 0,
  },
  backupAge: {
    doc: "Age of the last backup that has been proved to be whole.",
    unit: "duration",
    trouble: "above",
    warning: "26h",
    unhealthy: "8d",
  },
  integrityAge: {
    doc: "How long ago the pages of the database were last seen to be sound.",
    unit: "duration",
    trouble: "above",
    warning: "14d",
    unhealthy: 0,
  },
  slowQueries: {
    doc: "Slow statements in the window.",
    unit: "count",
    trouble: "above",
    warning: 10,
    unhealthy: 0,
  },
} as const;

/** The name of a threshold. */
export type ThresholdName = keyof typeof THRESHOLDS;

/** Thresholds by name; those left out are as in the table. */
export type ThresholdOptions = { readonly [Name in ThresholdName]?: ThresholdLevels | undefined };

/** Thresholds in milliseconds, bytes, numbers and percent; 0 is none. */
export type Thresholds = Readonly<
  Record<ThresholdName, { readonly warning: number; readonly unhealthy: number }>
>;

/** Fills the defaults. @throws `INVALID_ARGUMENT` naming what cannot be. */
export function resolveThresholds(options: ThresholdOptions = {}): Thresholds {
  const names = Object.keys(THRESHOLDS) as ThresholdName[];
  refuseUnknownKeys(options, names, "health thresholds");
  return Object.fromEntries(
    names.map((name) => [name, resolveLevels(name, THRESHOLDS[name], options[name] ?? {})]),
  ) as unknown as Thresholds;
}

function resolveLevels(
  name: string,
  facts: ThresholdFacts,
  levels: ThresholdLevels,
): Thresholds[ThresholdName] {
  refuseUnknownKeys(levels, ["warning", "unhealthy"], `health thresholds.${name}`);
  const resolved = {
    warning: numberOf(`${name}.warning`, facts, levels.warning ?? facts.warning),
    unhealthy: numberOf(`${name}.unhealthy`, facts, levels.unhealthy ?? facts.unhealthy),
  };
  const { warning, unhealthy } = resolved;
  // Of two limits the worse one is met later; a default gives way to a limit that was given.
  const isCrossed = facts.trouble === "above" ? unhealthy < warning : unhealthy > warning;
  if (warning === 0 || unhealthy === 0 || !isCrossed) return resolved;
  if (levels.warning === undefined) return { warning: unhealthy, unhealthy };
  if (levels.unhealthy === undefined) return { warning, unhealthy: warning };
  throw new SpringhouseError(
    "INVALID_ARGUMENT",
    `health thresholds.${name}: unhealthy ${shown(levels.unhealthy)} is met before warning ` +
      `${shown(levels.warning)}. Exchange them.`,
    { fields: { name } },
  );
}

function numberOf(name: string, { unit }: ThresholdFacts, given: ByteSize | Duration): number {
  const path = `thresholds.${name}`;
  if (unit === "bytes") return parseBytes(given as ByteSize, path);
  if (unit === "duration") return parseDurationMs(given as Duration, path);
  const max = unit === "percent" ? 100 : Number.MAX_SAFE_INTEGER;
  if (typeof given === "number" && given >= 0 && given <= max) return given;
  const wanted = unit === "percent" ? "a number from 0 to 100" : "a number from 0";
  const message = `health ${path}: ${shown(given)} is refused. It is ${wanted}.`;
  throw new SpringhouseError("INVALID_ARGUMENT", message, { fields: { name: path } });
}

/** What a figure means by the limits of its threshold. */
export function statusOf(
  thresholds: Thresholds,
  name: ThresholdName,
  figure: number,
): HealthStatus {
  const { warning, unhealthy } = thresholds[name];
  const { trouble, unit } = THRESHOLDS[name];
  const isMet = (limit: number): boolean => {
    if (limit === 0) return false;
    if (trouble === "below") return figure < limit;
    // "1 error" is met by one error; a size or a time must be exceeded.
    return unit === "count" ? figure >= limit : figure > limit;
  };
  if (isMet(unhealthy)) return "unhealthy";
  return isMet(warning) ? "warning" : "healthy";
}

/** A limit as people write it. */
export function formatLimit(name: ThresholdName, limit: number): string {
  const { unit } = THRESHOLDS[name];
  if (unit === "bytes") return formatBytes(limit);
  if (unit === "duration") return formatAge(limit);
  return unit === "percent" ? `${limit} %` : String(limit);
}
