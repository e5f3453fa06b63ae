/** Options of `advise`, validated and filled. */

import { wrongArgument } from "../core/arguments.ts";
import { parseBytes } from "../core/bytes.ts";
import { type Clock, systemClock } from "../core/clock.ts";
import { type Duration, parseDurationMs } from "../core/duration.ts";
import { SpringhouseError } from "../core/errors.ts";
import { refuseUnknownKeys } from "../core/options.ts";
import type { Workload } from "./workload.ts";

/** What is to be advised on, and from when on it is worth a word. */
export interface AdviseOptions {
  /** The file of the database. It is only ever read. */
  readonly path: string;
  /** What the database is asked; see `readWorkload`. */
  readonly workload: Workload;
  /**
   * On what statements are measured: a copy with some of the rows, which takes a moment, or a full
   * copy, which takes as much room as the database. Default: "sample".
   */
  readonly measureOn?: "sample" | "copy";
  /** Rows of a table in the sample. Default: 50,000. */
  readonly sampleRows?: number;
  /** Tables with fewer rows get no advice. Default: 1,000. */
  readonly smallRows?: number;
  /** A new index makes its statements so many times as fast, or it is not advised. Default: 2. */
  readonly speedupMin?: number;
  /** A new index saves so much in each run, or a second in the workload. Default: "1ms". */
  readonly savedMin?: Duration;
  /** An index that could go is named when it is of this size. Default: "1MB". */
  readonly droppedBytesMin?: number | string;
  /** An index counts as unused when so long a recording does not use it. Default: "7d". */
  readonly unusedAfter?: Duration;
  /** Statements with a longer mean time are listed with their plan. Default: "100ms". */
  readonly slowQueryThreshold?: Duration;
  /** A statement that runs longer is stopped. Default: "10s". */
  readonly statementTimeout?: Duration;
  /** The look at the database, the copy and each index may take so long. Default: "10m". */
  readonly stepTimeout?: Duration;
  readonly signal?: AbortSignal | undefined;
  /** Called before each step. */
  readonly onProgress?: (step: AdviseProgress) => void;
  /** Where the present moment comes from. Default: the machine's clock. */
  readonly clock?: Clock;
}

/** What `advise` is about to do. */
export interface AdviseProgress {
  readonly step: "study" | "copy" | "measure";
  /** Statements and indexes done, and how many there are. */
  readonly done: number;
  readonly total: number;
}

/** Options with nothing left open. */
export interface ResolvedAdviseOptions {
  readonly path: string;
  readonly workload: Workload;
  readonly measureOn: "sample" | "copy";
  readonly sampleRows: number;
  readonly smallRows: number;
  readonly speedupMin: number;
  readonly savedMsMin: number;
  readonly droppedBytesMin: number;
  readonly unusedAfterMs: number;
  readonly slowQueryThresholdMs: number;
  readonly statementTimeoutMs: number;
  readonly stepTimeoutMs: number;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: (step: AdviseProgress) => void;
  readonly clock: Clock;
}

const KEYS: readonly string[] = [
  "path",
  "workload",
  "measureOn",
  "sampleRows",
  "smallRows",
  "speedupMin",
  "savedMin",
  "droppedBytesMin",
  "unusedAfter",
  "slowQueryThreshold",
  "statementTimeout",
  "stepTimeout",
  "signal",
  "onProgress",
  "clock",
];

/**
 * Fills the defaults.
 *
 * @throws `INVALID_ARGUMENT` for an unknown key or a value out of range.
 */
export function resolveAdviseOptions(options: AdviseOptions): ResolvedAdviseOptions {
  refuseUnknownKeys(options, KEYS, "advise");
  const { path, workload, measureOn = "sample", clock = systemClock } = options;
  if (typeof path !== "string" || path === "") throw wrongArgument("advise: path", "a file", path);
  if (!Array.isArray(workload?.statements)) {
    throw wrongArgument("advise: workload", "what readWorkload gives", workload);
  }
  if (measureOn !== "sample" && measureOn !== "copy") {
    throw invalid("measureOn", measureOn, '"sample" or "copy"');
  }
  const ms = (key: "savedMin" | "unusedAfter" | "slowQueryThreshold", standard: Duration): number =>
    parseDurationMs(options[key] ?? standard, `advise: ${key}`);
  return {
    path,
    workload,
    measureOn,
    sampleRows: atLeastOne("sampleRows", options.sampleRows ?? 50_000),
    smallRows: atLeastOne("smallRows", options.smallRows ?? 1_000),
    speedupMin: atLeastOne("speedupMin", options.speedupMin ?? 2),
    savedMsMin: ms("savedMin", 1),
    droppedBytesMin: parseBytes(options.droppedBytesMin ?? "1MB", "advise: droppedBytesMin"),
    unusedAfterMs: ms("unusedAfter", "7d"),
    slowQueryThresholdMs: ms("slowQueryThreshold", "100ms"),
    statementTimeoutMs: parseDurationMs(options.statementTimeout ?? "10s", "statementTimeout"),
    stepTimeoutMs: parseDurationMs(options.stepTimeout ?? "10m", "stepTimeout"),
    signal: options.signal,
    onProgress: options.onProgress ?? (() => undefined),
    clock,
  };
}

function atLeastOne(name: string, value: number): number {
  if (Number.isFinite(value) && value >= 1) return value;
  throw invalid(name, value, "a number from 1");
}

function invalid(name: string, value: unknown, rule: string): SpringhouseError {
  const message = `advise: ${name} must be ${rule}, not ${JSON.stringify(value)}.`;
  return new SpringhouseError("INVALID_ARGUMENT", message, { fields: { name, value } });
}
