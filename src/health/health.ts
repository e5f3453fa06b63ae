/**
 * The health of a database and what is around it.
 *
 * Liveness and readiness are two questions. A process is alive as long as its event loop turns;
 * to start it again does not bring back a full disk or a file that was taken away. It is ready when
 * it can serve requests: the database answers, its disk has room, its writer moves on. Everything
 * else is for people, by severity; the worst one is that of the whole.
 *
 * Looks never overlap: who asks while one is under way is given that one.
 */

import { channel } from "node:diagnostics_channel";
import { abortable, throwIfAborted } from "../core/abort.ts";
import { warn } from "../core/channels.ts";
import { type Clock, isOfFuture, systemClock } from "../core/clock.ts";
import { formatAge } from "../core/duration.ts";
import { isSpringhouseError, messageOf, SpringhouseError } from "../core/errors.ts";
import { refuseUnknownKeys } from "../core/options.ts";
import { CHECKS, type CheckDefinition } from "./checks.ts";
import { type DiskSpace, diskSpaceOf } from "./disk.ts";
import { type DelayHistogram, EventLoopMonitor } from "./event-loop.ts";
import { collectMetrics, type Metric } from "./metrics.ts";
import {
  type CreateHealthOptions,
  type ResolvedHealthOptions,
  resolveHealthOptions,
} from "./options.ts";
import { lastQuickCheck, type QuickCheck, runQuickCheck } from "./quick-check.ts";
import { type HealthCheck, type HealthFinding, type HealthReport, worstOf } from "./report.ts";
import { LookMemory, Round, type RoundParts } from "./round.ts";

/** `springhouse:health`, with a `HealthReport` for each look whose status is another one. */
export const healthChannel: ReturnType<typeof channel> = channel("springhouse:health");

/** A program that has just started has enough to do. */
const QUICK_CHECK_AFTER_START_MS = 10 * 60_000;

/** What a test may put in the place of the real thing. */
export interface HealthEnvironment {
  readonly clock?: Clock;
  readonly diskSpaceOf?: (path: string) => Promise<DiskSpace>;
  readonly delays?: DelayHistogram;
  readonly random?: () => number;
}

/** For one look. */
export interface HealthCallOptions {
  /** Ends the waiting for it; the look itself goes on for others. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Looks after a database, caches and guards. An open database gives one by `db.health()`.
 *
 * @param environment the clock, the disk and the event loop, for tests.
 * @throws `INVALID_ARGUMENT` for options that cannot work.
 * @example
 * await using health = createHealth({ caches: { pages: cache }, guards: [api] });
 * const { status, checks } = await health.check();
 */
export function createHealth(
  options: CreateHealthOptions = {},
  environment: HealthEnvironment = {},
): Health {
  return new Health(resolveHealthOptions(options), environment);
}

/** Made by `createHealth` and `db.health()`. */
export class Health implements AsyncDisposable {
  readonly #options: ResolvedHealthOptions;
  readonly #parts: RoundParts;
  readonly #checks: readonly CheckDefinition[];
  readonly #memory = new LookMemory();
  #look: Promise<HealthReport> | undefined;
  #readinessLook: Promise<HealthReport> | undefined;
  #last: HealthReport | undefined;
  #lastMs = Number.NEGATIVE_INFINITY;
  readonly #madeMs: number;
  #connectionErrors = 0;
  #timer: Disposable | undefined;
  #background: Promise<void> | undefined;
  #isClosed = false;

  constructor(options: ResolvedHealthOptions, environment: HealthEnvironment) {
    this.#options = options;
    const { sources, thresholds, slowQueryWindowMs } = options;
    this.#parts = {
      sources,
      thresholds,
      slowQueryWindowMs,
      clock: environment.clock ?? systemClock,
      eventLoop: options.eventLoop ? new EventLoopMonitor(environment.delays) : undefined,
      diskSpaceOf: environment.diskSpaceOf ?? diskSpaceOf,
      random: environment.random ?? Math.random,
    };
    this.#madeMs = this.#parts.clock.monotonicMs();
    const probes = Object.entries(sources.probes ?? {}).map(
      ([name, probe]): CheckDefinition => ({ name, run: ({ signal }) => probe(signal) }),
    );
    this.#checks = [...CHECKS, ...probes];
  }

  /** The report of the last whole look; undefined before the first. */
  get last(): HealthReport | undefined {
    return this.#last;
  }

  /**
   * Looks at everything. It does not throw for what is wrong: that is in the report.
   *
   * @throws `CLOSED` when health is closed, `ABORTED`.
   */
  async check(options: HealthCallOptions = {}): Promise<HealthReport> {
    const signal = this.#admit(options, "check");
    this.#look ??= this.#lookAt(this.#checks).finally(() => {
      this.#look = undefined;
    });
    return await abortable(this.#look, signal, "The look at health");
  }

  /**
   * Looks at what is needed to serve requests, and at nothing else: for a probe that comes every
   * few seconds. @throws `CLOSED` when health is closed, `ABORTED`.
   */
  async readiness(options: HealthCallOptions = {}): Promise<HealthReport> {
    const signal = this.#admit(options, "readiness");
    this.#readinessLook ??= this.#lookAt(
      this.#checks.filter(({ isForReadiness }) => isForReadiness),
    ).finally(() => {
      this.#readinessLook = undefined;
    });
    return await abortable(this.#readinessLook, signal, "The look at readiness");
  }

  /**
   * Has SQLite read all pages, and keeps the outcome in the database. On a large file it takes
   * minutes, in which the write-ahead log grows.
   */
  async quickCheck({ signal }: HealthCallOptions = {}): Promise<QuickCheck> {
    const { sources, clock } = this.#parts;
    if (sources.database !== undefined) {
      return runQuickCheck(sources.database, clock, signal === undefined ? {} : { signal });
    }
    throw new SpringhouseError("INVALID_ARGUMENT", "quickCheck: health was given no database.");
  }

  /**
   * Figures for a monitoring system: those of now, and those of the last look, which is made anew
   * when it is older than `healthCheckInterval`.
   */
  async metrics(options: HealthCallOptions = {}): Promise<readonly Metric[]> {
    const isFresh = this.#parts.clock.monotonicMs() - this.#lastMs <= this.#options.intervalMs;
    const report = isFresh ? this.#last : undefined;
    return collectMetrics(this.#parts, report ?? (await this.check(options)));
  }

  /**
   * Looks now and at intervals, and has `quick_check` run when it is due. Whenever the status is
   * another one, `healthChannel` carries the report; when it is worse, `HEALTH` is a warning.
   * It keeps no process alive. Does nothing with `enabled: false`.
   */
  start(): void {
    if (this.#isClosed || !this.#options.enabled || this.#timer !== undefined) return;
    this.#schedule(0);
  }

  /** Stops looking at intervals, and waits for what is under way. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.[Symbol.dispose]();
    this.#parts.eventLoop?.[Symbol.dispose]();
    await Promise.allSettled([this.#look, this.#readinessLook, this.#background]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #admit(options: HealthCallOptions, call: string): AbortSignal | undefined {
    refuseUnknownKeys(options, ["signal"], call);
    throwIfAborted(options.signal, `The call of ${call}`);
    if (!this.#isClosed) return options.signal;
    throw new SpringhouseError("CLOSED", `${call}: health is closed. Make a new one.`);
  }

  #schedule(delayMs: number): void {
    this.#timer = this.#parts.clock.schedule(() => {
      this.#background = this.#watch().finally(() => {
        if (!this.#isClosed) this.#schedule(this.#options.intervalMs);
      });
    }, delayMs);
  }

  /** One turn of the watch. Never rejects: nobody would hear it. */
  async #watch(): Promise<void> {
    const before = this.#last?.status;
    try {
      const report = await this.check();
      if (report.status !== (before ?? "healthy")) tell(report, before ?? "healthy");
      await this.#checkPagesWhenDue();
    } catch (error) {
      if (!this.#isClosed) warn("HEALTH", `Health could not be looked at: ${messageOf(error)}`);
    }
  }

  async #checkPagesWhenDue(): Promise<void> {
    const { clock, sources } = this.#parts;
    const { database } = sources;
    const { quickCheckIntervalMs } = this.#options;
    const isStarting = clock.monotonicMs() - this.#madeMs < QUICK_CHECK_AFTER_START_MS;
    if (database === undefined || quickCheckIntervalMs === 0 || isStarting) return;
    if (database.vitals().readOnly) return;
    const last = await lastQuickCheck(database);
    const nowMs = clock.nowMs();
    const isDue =
      last === undefined ||
      nowMs >= last.atMs + quickCheckIntervalMs ||
      isOfFuture(last.atMs, nowMs);
    if (!this.#isClosed && isDue) await this.quickCheck();
  }

  async #lookAt(definitions: readonly CheckDefinition[]): Promise<HealthReport> {
    const deadline = new AbortController();
    const { clock, sources, slowQueryWindowMs } = this.#parts;
    const timer = clock.schedule(() => deadline.abort(), this.#options.checkTimeoutMs, true);
    const round = new Round(this.#parts, this.#memory, deadline.signal);
    const found = await Promise.all(definitions.map((one) => this.#run(one, round)));
    timer[Symbol.dispose]();
    const checks = found.filter((check) => check !== undefined);
    const gates = new Set(
      definitions.filter(({ isForReadiness }) => isForReadiness).map(({ name }) => name),
    );
    const report: HealthReport = {
      status: worstOf(checks.map(({ status }) => status)),
      ready: !checks.some(({ name, status }) => gates.has(name) && status === "unhealthy"),
      timestamp: new Date(round.nowMs).toISOString(),
      checks,
      counters: {
        queries: sources.database?.queryStatistics().total ?? 0,
        slowQueries: sources.database?.slowQueries(slowQueryWindowMs).length ?? 0,
        connectionErrors: this.#connectionErrors,
      },
    };
    if (definitions === this.#checks) {
      this.#last = report;
      this.#lastMs = clock.monotonicMs();
    }
    return report;
  }

  /** A check that fails is a finding; one that does not answer in time, too. */
  async #run(definition: CheckDefinition, round: Round): Promise<HealthCheck | undefined> {
    const { name } = definition;
    try {
      const running = (async () => await definition.run(round))();
      // Whether or not it heeds the signal itself.
      const finding = await abortable(running, round.signal, "The check");
      return finding === undefined ? undefined : { name, ...withoutGaps(finding) };
    } catch (error) {
      if (name === "connection") this.#connectionErrors++;
      return { name, status: "unhealthy", found: this.#problem(error, round) };
    }
  }

  #problem(error: unknown, { signal }: Round): string {
    if (signal.aborted) return `no answer within ${formatAge(this.#options.checkTimeoutMs)}`;
    return isSpringhouseError(error) ? `${error.code}: ${error.message}` : messageOf(error);
  }
}

/** A probe of the application may say `advice: undefined`. */
function withoutGaps({ status, found, advice, values }: HealthFinding): HealthFinding {
  return {
    status,
    found,
    ...(advice === undefined ? {} : { advice }),
    ...(values === undefined ? {} : { values }),
  };
}

function tell(report: HealthReport, before: HealthReport["status"]): void {
  if (healthChannel.hasSubscribers) healthChannel.publish(report);
  if (worstOf([report.status, before]) === before) return;
  const worst = report.checks.filter(({ status }) => status === report.status);
  const text = worst.map(({ name, found }) => `${name}: ${found}`).join("; ");
  const names = worst.map(({ name }) => name);
  warn("HEALTH", `Health is ${report.status}. ${text}`, { status: report.status, checks: names });
}
