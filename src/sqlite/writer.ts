/**
 * The main thread's side of the one writer: a queue, first in first out.
 *
 * Units that wait together are sent together and share one commit. Whoever needs the writer for
 * itself (an interactive transaction, a bulk write, a unit too large for one message) waits in the
 * same queue and then holds it. The thread starts with the first use, and again after it has died:
 * what had been sent gets `WORKER_DIED`, what still waited goes on.
 */

import { AsyncLocalStorage } from "node:async_hooks";
import { extname } from "node:path";
import { abortError, onAbort } from "../core/abort.ts";
import { SpringhouseError } from "../core/errors.ts";
import { decodeOutcomes, encodeGroup, type WireOutcomes } from "./group-wire.ts";
import type { FileData, WireResult, WriterRequest } from "./protocol.ts";
import { collectAll, isWhole } from "./results.ts";
import { ThreadLink } from "./thread-link.ts";
import { MESSAGE_BYTES_MAX, MESSAGE_STATEMENTS_MAX, pieces, unitBytes } from "./unit-size.ts";
import type { CallOptions, ResultSet, Statement } from "./values.ts";

/** Units in one commit: more would delay the first for the last without gain. */
const GROUP_UNITS_MAX = 512;
/** Callers that wait; a program that queues more has lost its back-pressure. */
const QUEUE_MAX = 100_000;

/** Sends a request to the writer thread. */
export type WriterSend = <T>(request: WriterRequest) => Promise<T>;

/** Whoever has a unit written: told of its end, and given its results to make them public. */
export interface UnitOwner {
  publishUnit(unit: readonly Statement[], results: readonly WireResult[]): readonly ResultSet[];
  unitEnded(): void;
}

/** One caller in the queue: a unit of an owner, or a holder. Thousands may wait: keep it small. */
interface Entry {
  readonly unit: readonly Statement[];
  readonly bytes: number;
  readonly owner: UnitOwner | undefined;
  readonly hold: ((send: WriterSend) => Promise<void>) | undefined;
  readonly resolve: (results: readonly ResultSet[]) => void;
  readonly reject: (error: unknown) => void;
  listening: Disposable | undefined;
}

/** Writes to one file. */
export class Writer {
  readonly #data: FileData;
  readonly #onNotice: (value: unknown) => void;
  #link: ThreadLink<WriterRequest> | undefined;
  readonly #queue = new Set<Entry>();
  #busy = false;
  #scheduled = false;
  #onQuiet: (() => void) | undefined;

  /** @param onNotice is given what the thread reports unasked. */
  constructor(data: FileData, onNotice: (value: unknown) => void = () => undefined) {
    this.#data = data;
    this.#onNotice = onNotice;
  }

  /** Whether the thread runs. */
  get started(): boolean {
    return this.#link !== undefined;
  }

  /** Asks the thread something that needs no transaction. */
  ask<T>(kind: "open" | "check" | "settings"): Promise<T> {
    return this.#connect().request<T>({ kind });
  }

  /** Runs one unit, in one commit with its neighbours. */
  write(
    unit: readonly Statement[],
    owner: UnitOwner,
    options: CallOptions = {},
  ): Promise<readonly ResultSet[]> {
    const bytes = unitBytes(unit);
    if (bytes === Number.POSITIVE_INFINITY) return this.#writeInPieces(unit, owner, options);
    return new Promise((resolve, reject) => {
      const listening = undefined;
      const entry = { unit, bytes, owner, hold: undefined, resolve, reject, listening };
      this.#enqueue(entry, options.signal);
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
      const entry = { ...HOLDER, hold, resolve: resolveUnit, reject, listening: undefined };
      this.#enqueue(entry, options.signal);
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

  #enqueue(entry: Entry, signal: AbortSignal | undefined): void {
    const refusal = this.#refusal(signal);
    if (refusal !== undefined) {
      refuse(entry, refusal);
      return;
    }
    if (signal !== undefined) {
      entry.listening = onAbort(signal, () => {
        this.#queue.delete(entry);
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

  /** Takes an entry out for good: from here on its signal means nothing. */
  #take(entry: Entry): void {
    this.#queue.delete(entry);
    entry.listening?.[Symbol.dispose]();
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
    if (first?.hold !== undefined) {
      this.#take(first);
      await this.#serveHolder(first.hold, first.reject);
    } else if (first !== undefined) {
      await this.#sendGroup(this.#takeGroup());
    }
    this.#busy = false;
    if (this.#queue.size > 0) this.#schedule();
    else this.#onQuiet?.();
  }

  async #serveHolder(
    hold: (send: WriterSend) => Promise<void>,
    reject: (error: unknown) => void,
  ): Promise<void> {
    try {
      const link = this.#connect();
      await hold((request) => link.request(request));
    } catch (error) {
      reject(error);
    }
  }

  #takeGroup(): Entry[] {
    const group: Entry[] = [];
    let statements = 0;
    let bytes = 0;
    for (const entry of this.#queue) {
      if (entry.owner === undefined || group.length === GROUP_UNITS_MAX) break;
      statements += entry.unit.length;
      bytes += entry.bytes;
      const full = statements > MESSAGE_STATEMENTS_MAX || bytes > MESSAGE_BYTES_MAX;
      if (full && group.length > 0) break;
      group.push(entry);
    }
    for (const entry of group) this.#take(entry);
    return group;
  }

  async #sendGroup(group: readonly Entry[]): Promise<void> {
    let settled = 0;
    try {
      const link = this.#connect();
      const send: WriterSend = (request) => link.request(request);
      const units = group.map(({ unit }) => unit);
      const reply = await send<WireOutcomes>({ kind: "group", group: encodeGroup(units) });
      for (const outcome of decodeOutcomes(reply, units)) {
        const entry = group[settled] as Entry;
        if (outcome.error !== undefined) refuse(entry, outcome.error);
        else if (isWhole(outcome.results)) fulfil(entry, outcome.results);
        else fulfil(entry, await collectAll(send, outcome.results));
        settled++;
      }
    } catch (error) {
      for (const entry of group.slice(settled)) refuse(entry, error);
    }
  }

  /** A unit too large for one message: a transaction of its own, piece by piece. */
  async #writeInPieces(
    unit: readonly Statement[],
    owner: UnitOwner,
    options: CallOptions,
  ): Promise<readonly ResultSet[]> {
    try {
      const write = (send: WriterSend): Promise<readonly WireResult[]> =>
        inTransaction(send, () => sendPieces(send, unit));
      return owner.publishUnit(unit, await this.hold(write, options));
    } finally {
      owner.unitEnded();
    }
  }

  #connect(): ThreadLink<WriterRequest> {
    if (this.#link !== undefined) return this.#link;
    const link = new ThreadLink<WriterRequest>(
      new URL(`./writer-thread${extname(import.meta.filename)}`, import.meta.url),
      "writer",
      this.#data,
      {
        onDeath: () => {
          if (this.#link === link) this.#link = undefined;
        },
        onNotice: this.#onNotice,
      },
    );
    this.#link = link;
    return link;
  }
}

/** What an entry that only holds has in place of a unit. */
const HOLDER = { unit: [], bytes: 0, owner: undefined } as const;

function fulfil({ unit, owner, resolve }: Entry, results: readonly WireResult[]): void {
  owner?.unitEnded();
  resolve(owner?.publishUnit(unit, results) ?? results);
}

function refuse({ owner, reject }: Entry, error: unknown): void {
  owner?.unitEnded();
  reject(error);
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
export async function inTransaction<T>(send: WriterSend, run: () => Promise<T>): Promise<T> {
  await send({ kind: "begin", foreignKeys: true });
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
