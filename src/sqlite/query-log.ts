/**
 * What was run and how long it took: statistics by SQL text, the debug and the slow-query channel,
 * and the echo. Parameter values are never kept or shown.
 */

import { queryChannel, slowQueryChannel, warn } from "../core/channels.ts";
import { formatDuration } from "../core/duration.ts";
import { messageOf } from "../core/errors.ts";
import { type QueryPlace, SlowQueries, type SlowQuery } from "./slow-queries.ts";

/** Figures of one SQL text. */
export interface QueryFigures {
  readonly sql: string;
  readonly count: number;
  readonly totalMs: number;
  readonly meanMs: number;
  readonly maxMs: number;
}

/** Figures of all statements, the costliest text first. */
export interface QueryStatistics {
  /** Statements run since the file was opened. */
  readonly total: number;
  readonly totalMs: number;
  /** The texts used last; see `TEXTS_MAX`. */
  readonly queries: readonly QueryFigures[];
}

/** Is told of every run: its text without values, its milliseconds, its rows. */
export type RunObserver = (sql: string, ms: number, rows: number) => void;

/** Prints statements as they run. */
export type Echo = (line: string) => void;

/** Texts that are remembered: a program has some hundreds, unless it builds them as strings. */
const TEXTS_MAX = 500;

interface Figures {
  count: number;
  totalMs: number;
  maxMs: number;
}

/** The log of one open file. */
export class QueryLog {
  readonly #figures = new Map<string, Figures>();
  readonly #slowQueryThresholdMs: number;
  readonly #echo: Echo | undefined;
  readonly #nowMs: () => number;
  readonly #slow = new SlowQueries();
  readonly #observers = new Set<RunObserver>();
  #total = 0;
  #totalMs = 0;

  constructor(slowQueryThresholdMs: number, echo: Echo | undefined, nowMs: () => number) {
    this.#slowQueryThresholdMs = slowQueryThresholdMs;
    this.#echo = echo;
    this.#nowMs = nowMs;
  }

  /** Notes one run. */
  record(sql: string, ms: number, rows: number, where: QueryPlace): void {
    this.#total++;
    this.#totalMs += ms;
    const figures = this.#figuresOf(sql);
    figures.count++;
    figures.totalMs += ms;
    if (ms > figures.maxMs) figures.maxMs = ms;
    if (queryChannel.hasSubscribers) queryChannel.publish({ sql, ms, rows, where });
    if (ms >= this.#slowQueryThresholdMs) {
      this.#slow.add({ sql, ms, rows, where, atMs: this.#nowMs() });
      if (slowQueryChannel.hasSubscribers) slowQueryChannel.publish({ sql, ms, rows, where });
    }
    for (const observer of this.#observers) observer(sql, ms, rows);
    if (this.#echo !== undefined) {
      this.#print(this.#echo, `${where} ${formatDuration(ms)} ${rows} rows: ${sql}`);
    }
  }

  /** The statement has run: an echo that fails must not make it look as if it had not. */
  #print(echo: Echo, line: string): void {
    try {
      echo(line);
    } catch (error) {
      warn("ECHO_FAILED", `The echo function threw: ${messageOf(error)}`);
    }
  }

  statistics(): QueryStatistics {
    const queries = Array.from(this.#figures, ([sql, { count, totalMs, maxMs }]) => ({
      sql,
      count,
      totalMs,
      meanMs: totalMs / count,
      maxMs,
    }));
    queries.sort((a, b) => b.totalMs - a.totalMs);
    return { total: this.#total, totalMs: this.#totalMs, queries };
  }

  /** The last slow runs, at most a hundred, of the last `windowMs` milliseconds; latest first. */
  slowQueries(windowMs: number): readonly SlowQuery[] {
    return this.#slow.since(this.#nowMs() - windowMs);
  }

  /** Tells `observer` of every run from now on, until the result is disposed of. */
  observe(observer: RunObserver): Disposable {
    this.#observers.add(observer);
    return { [Symbol.dispose]: () => this.#observers.delete(observer) };
  }

  /** The figures of a text; the text used longest ago makes room. */
  #figuresOf(sql: string): Figures {
    const known = this.#figures.get(sql);
    if (known !== undefined) {
      // Moving a text to the end only matters when something will be given up.
      if (this.#figures.size === TEXTS_MAX) {
        this.#figures.delete(sql);
        this.#figures.set(sql, known);
      }
      return known;
    }
    if (this.#figures.size === TEXTS_MAX) {
      const oldest = this.#figures.keys().next();
      if (oldest.done !== true) this.#figures.delete(oldest.value);
    }
    const figures = { count: 0, totalMs: 0, maxMs: 0 };
    this.#figures.set(sql, figures);
    return figures;
  }
}
