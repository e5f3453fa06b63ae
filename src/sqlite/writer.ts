/**
 * The main thread's side of the one writer: a queue, first in first out.
 *
 * Units that wait together are sent together and share one commit. Whoever needs the writer for
 * itself (an interactive transaction, a bulk write) waits in the same queue and then holds it.
 * The thread starts with the first use, and again after it has died: those that had been sent get
 * `WORKER_DIED`, those that still waited go on.
 */

import { extname } from "node:path";
import { abortError } from "../core/abort.ts";
import { SpringhouseError } from "../core/errors.ts";
import { fromWireError } from "./errors.ts";
import type { Outcome, ThreadData, WireResult, WriterRequest } from "./protocol.ts";
import { collect } from "./results.ts";
import { ThreadLink } from "./thread-link.ts";
import type { CallOptions, ResultSet, Statement } from "./values.ts";

/** Units in one commit: more would delay the first for the last without gain. */
const GROUP_UNITS_MAX = 512;
/** Statements in one message; copying as many takes about two milliseconds. */
const GROUP_STATEMENTS_MAX = 2_000;
/** Callers that wait; a program that queues more has lost its back-pressure. */
const QUEUE_MAX = 100_000;

/** Sends a request to the writer thread. */
export type WriterSend = <T>(request: WriterRequest) => Promise<T>;

interface UnitEntry {
  readonly kind: "unit";
  readonly statements: readonly Statement[];
  readonly resolve: (results: readonly WireResult[]) => void;
  readonly reject: (error: unknown) => void;
  withdrawn: boolean;
}

interface HolderEntry {
  readonly kind: "holder";
  readonly hold: (send: WriterSend) => Promise<void>;
  withdrawn: boolean;
}

type Entry = UnitEntry | HolderEntry;

/** Writes to one file. */
export class Writer {
  readonly #data: Omit<ThreadData, "port">;
  #link: ThreadLink<WriterRequest> | undefined;
  #queue: Entry[] = [];
  #busy = false;
  #scheduled = false;
  #drained: (() => void)[] = [];

  constructor(data: Omit<ThreadData, "port">) {
    this.#data = data;
  }

  /** Whether the thread runs. */
  get started(): boolean {
    return this.#link !== undefined;
  }

  /** Starts the thread and opens the file. */
  async open(): Promise<void> {
    await this.#connect().request({ kind: "open" });
  }

  /** Runs one unit, in one commit with its neighbours. */
  async write(
    statements: readonly Statement[],
    options: CallOptions = {},
  ): Promise<readonly WireResult[]> {
    return new Promise((resolve, reject) => {
      const entry: UnitEntry = { kind: "unit", statements, resolve, reject, withdrawn: false };
      this.#enqueue(entry, options.signal, reject);
    });
  }

  /** Gives the writer to `run` alone, in its turn. */
  hold<T>(run: (send: WriterSend) => Promise<T>, options: CallOptions = {}): Promise<T> {
    return new Promise((resolve, reject) => {
      const hold = (send: WriterSend): Promise<void> => run(send).then(resolve, reject);
      this.#enqueue({ kind: "holder", hold, withdrawn: false }, options.signal, reject);
    });
  }

  /** Waits for everything in the queue, then ends the thread. */
  async close(): Promise<void> {
    if (this.#busy || this.#queue.length > 0) {
      await new Promise<void>((resolve) => this.#drained.push(resolve));
    }
    await this.#link?.close({ kind: "close" });
    this.#link = undefined;
  }

  /** Ends the thread as a crash would. For tests of the replacement. */
  async terminate(): Promise<void> {
    await this.#link?.terminate();
  }

  #enqueue(entry: Entry, signal: AbortSignal | undefined, reject: (error: unknown) => void): void {
    if (this.#queue.length >= QUEUE_MAX) {
      reject(
        new SpringhouseError(
          "BUSY",
          `${QUEUE_MAX} writes wait already. Await some of them before you start more.`,
        ),
      );
      return;
    }
    if (signal !== undefined) {
      if (signal.aborted) {
        reject(abortError(signal, "The write"));
        return;
      }
      const onAbort = (): void => {
        entry.withdrawn = true;
        reject(abortError(signal, "The write"));
      };
      signal.addEventListener("abort", onAbort, { once: true });
    }
    this.#queue.push(entry);
    this.#schedule();
  }

  /** Sends after the callers of this turn have all had their say, so that they share a commit. */
  #schedule(): void {
    if (this.#busy || this.#scheduled) return;
    this.#scheduled = true;
    process.nextTick(() => {
      this.#scheduled = false;
      void this.#dispatch();
    });
  }

  async #dispatch(): Promise<void> {
    const first = this.#queue[0];
    if (this.#busy || first === undefined) return;
    this.#busy = true;
    try {
      const link = this.#connect();
      if (first.kind === "holder") {
        this.#queue.shift();
        const send: WriterSend = (request) => link.request(request);
        if (!first.withdrawn) await first.hold(send);
      } else {
        await this.#sendGroup(link, this.#takeGroup());
      }
    } finally {
      this.#busy = false;
      if (this.#queue.length > 0) queueMicrotask(() => this.#schedule());
      else for (const resolve of this.#drained.splice(0)) resolve();
    }
  }

  #takeGroup(): UnitEntry[] {
    const group: UnitEntry[] = [];
    let statements = 0;
    let taken = 0;
    for (const entry of this.#queue) {
      if (entry.kind !== "unit" || group.length === GROUP_UNITS_MAX) break;
      statements += entry.statements.length;
      if (statements > GROUP_STATEMENTS_MAX && group.length > 0) break;
      taken++;
      if (!entry.withdrawn) group.push(entry);
    }
    this.#queue.splice(0, taken);
    return group;
  }

  async #sendGroup(link: ThreadLink<WriterRequest>, group: readonly UnitEntry[]): Promise<void> {
    if (group.length === 0) return;
    try {
      const units = group.map((entry) => entry.statements);
      const outcomes = await link.request<readonly Outcome[]>({ kind: "group", units });
      for (const [index, outcome] of outcomes.entries()) {
        const entry = group[index] as UnitEntry;
        if (outcome.error !== undefined) entry.reject(fromWireError(outcome.error));
        else entry.resolve(await wholeResults(link, outcome.results));
      }
    } catch (error) {
      for (const entry of group) entry.reject(error);
    }
  }

  #connect(): ThreadLink<WriterRequest> {
    this.#link ??= new ThreadLink<WriterRequest>(
      new URL(`./writer-thread${extname(import.meta.filename)}`, import.meta.url),
      "writer",
      this.#data,
      {
        onDeath: () => {
          this.#link = undefined;
        },
      },
    );
    return this.#link;
  }
}

async function wholeResults(
  link: ThreadLink<WriterRequest>,
  results: readonly WireResult[],
): Promise<readonly WireResult[]> {
  if (results.every((result) => result.cursor === undefined)) return results;
  const send = (request: WriterRequest): Promise<unknown> => link.request(request);
  const whole: WireResult[] = [];
  for (const result of results) {
    const { rows } = await collect(send, result);
    whole.push({ ...result, rows: rows as WireResult["rows"] });
  }
  return whole;
}

/** The parts of a result that callers get. */
export function toResultSet({ columns, rows, changes }: WireResult): ResultSet {
  return { columns, rows, changes };
}
