/**
 * Records what an application asks its database, for `springhouse advise`: each statement with how
 * often it ran, how long it took and how many rows it gave, never its values. The file grows by
 * what was run since it was written last, so it can be kept across restarts.
 *
 * A literal that is the same in every run is part of the program and stays, since an index may be
 * for it alone (`WHERE done = 0`); one that differs, or was seen once, is a value and becomes `?`.
 */

import { chmod, readFile, rename, rm, writeFile } from "node:fs/promises";
import { warn } from "../core/channels.ts";
import type { Clock } from "../core/clock.ts";
import { messageOf } from "../core/errors.ts";
import { fingerprintOf, maskLiterals } from "../core/sql-fingerprint.ts";
import type { QueryLog } from "../sqlite/query-log.ts";
import {
  mergeWorkloads,
  parseWorkload,
  renderRecorded,
  WORKLOAD_STATEMENTS_MAX,
  type Workload,
  type WorkloadStatement,
} from "./workload.ts";

/** What a crash may lose. */
const FLUSH_MS = 60_000;
/** Texts whose fingerprint is remembered; a program that builds more pays for each. */
const TEXTS_MAX = 2_000;
/** Others, and those of the library itself, are no part of what an application asks. */
const RECORDED = /^\s*(?:SELECT|INSERT|REPLACE|UPDATE|DELETE|WITH|VALUES)\b/i;
const OURS = /\b(?:springhouse_|sqlite_|pragma_)/i;

interface Figures {
  sql: string;
  count: number;
  totalMs: number;
  rows: number;
}

/** Records the runs of one open file until it is disposed of. */
export class WorkloadRecorder implements AsyncDisposable {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #observing: Disposable;
  readonly #prints = new Map<string, string>();
  #figures = new Map<string, Figures>();
  #sinceMs: number;
  #timer: Disposable;
  #writing: Promise<void> = Promise.resolve();

  constructor(log: QueryLog, path: string, clock: Clock) {
    this.#path = path;
    this.#clock = clock;
    this.#sinceMs = clock.monotonicMs();
    this.#observing = log.observe((sql, ms, rows) => this.#record(sql, ms, rows));
    this.#timer = this.#nextFlush();
  }

  /** Adds what was recorded to the file. A file that cannot be written is told of by a warning. */
  flush(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#observing[Symbol.dispose]();
    this.#timer[Symbol.dispose]();
    await this.flush();
  }

  #nextFlush(): Disposable {
    return this.#clock.schedule(() => {
      this.#timer = this.#nextFlush();
      void this.flush();
    }, FLUSH_MS);
  }

  #record(sql: string, ms: number, rows: number): void {
    const print = this.#printOf(sql);
    if (print === undefined) return;
    const known = this.#figures.get(print);
    if (known === undefined) {
      if (this.#figures.size >= WORKLOAD_STATEMENTS_MAX) return;
      this.#figures.set(print, { sql, count: 1, totalMs: ms, rows });
      return;
    }
    if (known.sql !== sql) known.sql = maskLiterals(known.sql);
    known.count++;
    known.totalMs += ms;
    known.rows += rows;
  }

  #printOf(sql: string): string | undefined {
    if (this.#prints.has(sql)) return this.#prints.get(sql);
    if (!RECORDED.test(sql) || OURS.test(sql)) return undefined;
    const print = fingerprintOf(sql);
    if (this.#prints.size < TEXTS_MAX) this.#prints.set(sql, print);
    return print;
  }

  async #write(): Promise<void> {
    const nowMs = this.#clock.monotonicMs();
    const recorded: Workload = {
      recordedMs: nowMs - this.#sinceMs,
      statements: [...this.#figures.values()].map(shareable),
    };
    if (recorded.statements.length === 0) return;
    this.#figures = new Map();
    this.#sinceMs = nowMs;
    try {
      await replaceFile(this.#path, mergeWorkloads(await this.#known(), recorded));
    } catch (error) {
      const path = this.#path;
      const message = `The workload cannot be recorded in ${path}: ${messageOf(error)}`;
      warn("WORKLOAD_NOT_RECORDED", message, { path });
    }
  }

  /** @throws for a file that holds something else: it must not be overwritten. */
  async #known(): Promise<Workload> {
    const text = await readFile(this.#path, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    });
    if (text === undefined) return { statements: [], recordedMs: 0 };
    return parseWorkload(text, this.#path);
  }
}

function shareable({ sql, ...figures }: Figures): WorkloadStatement {
  return { sql: figures.count === 1 ? maskLiterals(sql) : sql, ...figures };
}

/** Whole or not at all, and for its owner alone: statements tell how a program works. */
async function replaceFile(path: string, workload: Workload): Promise<void> {
  const beside = `${path}.${process.pid}.tmp`;
  try {
    await writeFile(beside, renderRecorded(workload), { mode: 0o600 });
    await chmod(beside, 0o600);
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}
