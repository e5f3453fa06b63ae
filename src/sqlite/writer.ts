/**
 * The main thread's side of the one writer: a queue, first in first out.
 *
 * Units that wait together are sent together and share one commit. Whoever needs the writer for
 * itself (an interactive transaction, a bulk write, a unit too large for one message) waits in the
 * same queue and then holds it. The thread starts with the first use, and again after it has died:
 * what had been sent gets `WORKER_DIED`, what still waited goes on.
 *
 * A caller can give up until the transaction of its unit has begun (`claims.ts`). What was sent and
 * then given up is never written; its caller is told at once, although the thread may still wait.
 */

import { AsyncLocalStorage } from "node:async_hooks";
import { extname } from "node:path";
import type { Expectation } from "../change/expectation.ts";
import { abortError, onAbort } from "../core/abort.ts";
import { SpringhouseError } from "../core/errors.ts";
import { Claims, GROUP_UNITS_MAX } from "./claims.ts";
import { CommitCounters } from "./commit-counters.ts";
import { decodeOutcomes, encodeGroup, type WireOutcomes } from "./group-wire.ts";
import type { FileData, WireResult, WriterRequest } from "./protocol.ts";
import { collectAll, isWhole } from "./results.ts";
import { ThreadLink } from "./thread-link.ts";
import { MESSAGE_BYTES_MAX, MESSAGE_STATEMENTS_MAX, pieces, unitBytes } from "./unit-size.ts";
import type { CallOptions, ResultSet, Statement, UnitOptions } from "./values.ts";
import { processMs } from "./write-lock.ts";
import { WriterLoad, type WriterStatistics } from "./writer-load.ts";

/** Callers that wait; a program that queues more has lost its back-pressure. */
const QUEUE_MAX = 100_000;

/** Sends a request to the writer thread. */
export type WriterSend = <T>(request: WriterRequest) => Promise<T>;

/** Whoever has a unit written: told of its end, and given its results to make them public. */
export interface UnitOwner {
  publishUnit(unit: readonly Statement[], results: readonly WireResult[]): readonly ResultSet[];
  unitEnded(): void;
}

/** A unit of an owner, or a holder. */
interface Call {
  readonly unit: readonly Statement[];
  readonly bytes: number;
  readonly expects: readonly Expectation[] | undefined;
  readonly owner: UnitOwner | undefined;
  readonly hold: ((send: WriterSend) => Promise<void>) | undefined;
  readonly resolve: (results: readonly ResultSet[]) => void;
  readonly reject: (error: unknown) => void;
}

/** One caller in the queue. Thousands may wait: keep it small. */
class Entry {
  readonly call: Call;
  /** When the caller asked, by `processMs`. */
  readonly askedMs: number = processMs();
  listening: Disposable | undefined;
  /** Its number among those that were sent to the thread and may not have begun there. */
  place: number | undefined;
  /** The caller knows the end. */
  ended = false;

  constructor(call: Call) {
    this.call = call;
  }
}

/** Writes to one file. */
export class Writer {
  /** Tell when the file may have changed. */
  readonly commits: CommitCounters = new CommitCounters();
  /** Called when something was committed, before those who wait for it go on. */
  onCommitted: (() => void) | undefined;
  readonly #data: () => FileData;
  readonly #onNotice: (value: unknown) => void;
  #link: ThreadLink<WriterRequest> | undefined;
  readonly #queue = new Set<Entry>();
  readonly #claims = new Claims();
  readonly #load = new WriterLoad();
  #busy = false;
  #scheduled = false;
  #onQuiet: (() => void) | undefined;

  /**
   * @param data for a thread that starts now.
   * @param onNotice is given what the thread reports unasked.
   */
  constructor(data: () => FileData, onNotice: (value: unknown) => void = () => undefined) {
    this.#data = data;
    this.#onNotice = onNotice;
  }

  /** Whether the thread runs. */
  get started(): boolean {
    return this.#link !== undefined;
  }

  /** How many wait, for how long, and what became of those before them. */
  statistics(): WriterStatistics {
    const [first] = this.#queue;
    const { lockWaits } = this.commits;
    return this.#load.statistics({
      waiting: this.#queue.size,
      askedMs: first?.askedMs,
      lockWaits,
    });
  }

  /** Asks the thread something that needs no transaction. */
  ask<T>(kind: "open" | "check" | "settings"): Promise<T> {
    return this.#connect().request<T>({ kind });
  }

  /** Runs one unit, in one commit with its neighbours. */
  write(
    unit: readonly Statement[],
    owner: UnitOwner,
    options: UnitOptions = {},
  ): Promise<readonly ResultSet[]> {
    const { expects } = options;
    const bytes = unitBytes(unit);
    if (bytes === Number.POSITIVE_INFINITY) return this.#writeInPieces(unit, owner, options);
    return new Promise((resolve, reject) => {
      const call = { unit, bytes, expects, owner, hold: undefined, resolve, reject };
      this.#enqueue(new Entry(call), options);
    });
  }

  /** Gives the writer to `run` alone, in its turn. */
  hold<T>(run: (send: WriterSend) => Promise<T>, options: CallOptions = {}): Promise<T> {
    // The queue is served from whichever caller came first; `run` is to find its own context.
    const inContext = AsyncLocalStorage.snapshot();
    return new Promise((resolve, reject) => {
      const hold = (send: WriterSend): Promise<void> =>
        inContext(() => run(send).then(resolve, reject));
      const resolveUnit = (): void => undefined;
      this.#enqueue(new Entry({ ...HOLDER, hold, resolve: resolveUnit, reject }), options);
    });
  }

  /** Waits for everything in the queue, then ends the thread. */
  async close(): Promise<void> {
    if (this.#busy || this.#queue.size > 0) {
      await new Promise<void>((resolve) => {
        this.#onQuiet = resolve;
      });
    }
    await this.#link?.close({ kind: "close" });
    this.#link = undefined;
  }

  /** Ends the thread as a crash would. For tests of what follows. */
  async terminate(): Promise<void> {
    await this.#link?.terminate();
  }

  #enqueue(entry: Entry, { signal }: CallOptions): void {
    const refusal = this.#refusal(signal);
    if (refusal !== undefined) {
      this.#refuse(entry, refusal);
      return;
    }
    if (signal !== undefined) {
      entry.listening = onAbort(signal, () => {
        if (!this.#withdraw(entry)) return;
        refuse(entry, abortError(signal, "The write"));
      });
    }
    this.#queue.add(entry);
    this.#schedule();
  }

  #refusal(signal: AbortSignal | undefined): SpringhouseError | undefined {
    if (signal?.aborted) return abortError(signal, "The write");
    if (this.#queue.size < QUEUE_MAX) return undefined;
    const message = `${QUEUE_MAX} writes wait already. Await some of them before you go on.`;
    return new SpringhouseError("BUSY", message);
  }

  /** Whether the entry had not begun, and never will. */
  #withdraw(entry: Entry): boolean {
    if (this.#queue.delete(entry)) return true;
    return entry.place !== undefined && this.#claims.withdraw(entry.place);
  }

  /** Sends after the callers of this turn have all had their say, so that they share a commit. */
  #schedule(): void {
    if (this.#busy || this.#scheduled) return;
    this.#scheduled = true;
    process.nextTick(() => {
      this.#scheduled = false;
      if (!this.#busy) void this.#run();
    });
  }

  /** Serves the head of the queue. Never rejects: every failure has a caller. */
  async #run(): Promise<void> {
    this.#busy = true;
    const [first] = this.#queue;
    const hold = first?.call.hold;
    if (first !== undefined && hold !== undefined) {
      this.#queue.delete(first);
      this.#load.begin([first]);
      await this.#serveHolder(first, hold);
    } else if (first !== undefined) {
      const group = this.#takeGroup();
      this.#load.begin(group);
      await this.#sendGroup(group);
    }
    this.#load.end();
    this.#busy = false;
    if (this.#queue.size > 0) this.#schedule();
    else this.#onQuiet?.();
  }

  async #serveHolder(holder: Entry, hold: (send: WriterSend) => Promise<void>): Promise<void> {
    try {
      const link = this.#connect();
      await hold(async (request) => {
        if (request.kind === "commit") return await this.#commit(link, request);
        if (request.kind === "prepareLog") {
          return await this.#commit(link, { ...request, askedMs: holder.askedMs });
        }
        if (request.kind !== "begin") return await link.request(request);
        this.#claims.reset();
        holder.place = 0;
        try {
          return await link.request({ ...request, askedMs: holder.askedMs });
        } catch (error) {
          this.#load.noteError(error);
          throw error;
        }
      });
    } catch (error) {
      holder.call.reject(error);
    } finally {
      end(holder);
    }
  }

  async #commit<T>(link: ThreadLink<WriterRequest>, request: WriterRequest): Promise<T> {
    const reply = await link.request<T>(request);
    this.onCommitted?.();
    return reply;
  }

  #takeGroup(): Entry[] {
    const group: Entry[] = [];
    let statements = 0;
    let bytes = 0;
    for (const entry of this.#queue) {
      const { call } = entry;
      if (call.owner === undefined || group.length === GROUP_UNITS_MAX) break;
      statements += call.unit.length;
      bytes += call.bytes;
      const full = statements > MESSAGE_STATEMENTS_MAX || bytes > MESSAGE_BYTES_MAX;
      if (full && group.length > 0) break;
      group.push(entry);
    }
    for (const entry of group) this.#queue.delete(entry);
    return group;
  }

  async #sendGroup(group: readonly Entry[]): Promise<void> {
    let left = group;
    try {
      const link = this.#connect();
      const send: WriterSend = (request) => link.request(request);
      while (left.length > 0) {
        await this.#sendOnce(send, left);
        // Those that may wait on for the lock, when others could not.
        left = left.filter(({ ended }) => !ended);
      }
    } catch (error) {
      for (const entry of left) if (!entry.ended) this.#refuse(entry, error);
    }
  }

  async #sendOnce(send: WriterSend, group: readonly Entry[]): Promise<void> {
    this.#claims.reset();
    const askedMs = new Float64Array(group.length);
    const expects = new Map<number, readonly Expectation[]>();
    const units = group.map((entry, place) => {
      entry.place = place;
      askedMs[place] = entry.askedMs;
      if (entry.call.expects !== undefined) expects.set(place, entry.call.expects);
      return entry.call.unit;
    });
    const request = { kind: "group", group: encodeGroup(units, expects), askedMs } as const;
    const outcomes = decodeOutcomes(await send<WireOutcomes>(request), units);
    this.onCommitted?.();
    for (const [index, outcome] of outcomes.entries()) {
      const entry = group[index] as Entry;
      if (entry.ended) continue;
      if (outcome.error !== undefined) this.#refuse(entry, outcome.error);
      else if (isWhole(outcome.results)) fulfil(entry, outcome.results);
      else fulfil(entry, await collectAll(send, outcome.results));
    }
  }

  /** A unit too large for one message: a transaction of its own, piece by piece. */
  async #writeInPieces(
    unit: readonly Statement[],
    owner: UnitOwner,
    options: UnitOptions,
  ): Promise<readonly ResultSet[]> {
    try {
      const write = (send: WriterSend): Promise<readonly WireResult[]> =>
        inTransaction(send, () => sendPieces(send, unit), options.expects);
      return owner.publishUnit(unit, await this.hold(write, options));
    } finally {
      owner.unitEnded();
    }
  }

  #refuse(entry: Entry, error: unknown): void {
    this.#load.noteError(error);
    refuse(entry, error);
  }

  #connect(): ThreadLink<WriterRequest> {
    if (this.#link !== undefined) return this.#link;
    const link = new ThreadLink<WriterRequest>(
      new URL(`./writer-thread${extname(import.meta.filename)}`, import.meta.url),
      "writer",
      { ...this.#data(), claims: this.#claims.memory, commits: this.commits.memory },
      {
        onDeath: () => {
          this.commits.abandon();
          this.#load.noteDeath();
          if (this.#link === link) this.#link = undefined;
        },
        onNotice: this.#onNotice,
      },
      true,
    );
    this.#link = link;
    return link;
  }
}

/** What a call that only holds has in place of a unit. */
const HOLDER = { unit: [], bytes: 0, expects: undefined, owner: undefined } as const;

/** From here on its signal means nothing. */
function end(entry: Entry): void {
  entry.listening?.[Symbol.dispose]();
  entry.place = undefined;
  entry.ended = true;
}

function fulfil(entry: Entry, results: readonly WireResult[]): void {
  const { unit, owner, resolve } = entry.call;
  end(entry);
  owner?.unitEnded();
  resolve(owner?.publishUnit(unit, results) ?? results);
}

function refuse(entry: Entry, error: unknown): void {
  end(entry);
  entry.call.owner?.unitEnded();
  entry.call.reject(error);
}

/** Sends the pieces of a unit; the caller holds a transaction or a savepoint. */
export async function sendPieces(
  send: WriterSend,
  statements: readonly Statement[],
): Promise<readonly WireResult[]> {
  const results: WireResult[] = [];
  for (const piece of pieces(statements)) {
    const part = await send<WireResult[]>({ kind: "unit", statements: piece });
    for (const result of await collectAll(send, part)) results.push(result);
  }
  return results;
}

/** Runs `run` between BEGIN and COMMIT on a writer that is held. */
export async function inTransaction<T>(
  send: WriterSend,
  run: () => Promise<T>,
  expects?: readonly Expectation[],
): Promise<T> {
  await send({ kind: "begin", foreignKeys: true, expects });
  try {
    const result = await run();
    await send({ kind: "commit" });
    return result;
  } catch (error) {
    // A thread that died, or a failure that ended the transaction, leaves nothing to roll back.
    await send({ kind: "rollback" }).catch(() => undefined);
    throw error;
  }
}
