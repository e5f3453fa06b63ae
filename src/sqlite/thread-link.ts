/**
 * The main thread's side of the protocol: starts a worker thread, matches replies to requests,
 * and turns its death into errors. A thread keeps the process alive while a request is pending,
 * and not otherwise.
 */

import { MessageChannel, type MessagePort, type ResourceLimits, Worker } from "node:worker_threads";
import { SpringhouseError } from "../core/errors.ts";
import { isSliceOver, nextSlice } from "../core/slices.ts";
import { BURST_GAP_MS, canStayAwake, REPLY_LOOK_OUT_MS } from "./burst.ts";
import { fromWireError } from "./errors.ts";
import type { Envelope, FileData, Reply } from "./protocol.ts";

interface Pending {
  readonly resolve: (value: never) => void;
  readonly reject: (error: SpringhouseError) => void;
}

/** What the owner of a thread is told. */
export interface LinkEvents {
  /** The thread has ended without being asked to; its requests have been refused already. */
  readonly onDeath: () => void;
  /** Something that nobody asked for. */
  readonly onNotice?: (value: unknown) => void;
}

/** A running worker thread. */
export class ThreadLink<Request extends { readonly kind: string }> {
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly #events: LinkEvents;
  readonly #pending = new Map<number, Pending>();
  readonly #name: string;
  #nextId = 1;
  #ended: SpringhouseError | undefined;
  #closing = false;
  readonly #handlesBursts: boolean;
  #repliedMs = Number.NEGATIVE_INFINITY;

  /**
   * @param handlesBursts whether the thread does; see `thread-server.ts`.
   * @param resourceLimits of its heap, for a thread that makes much garbage.
   */
  constructor(
    entry: URL,
    name: string,
    data: FileData,
    events: LinkEvents,
    handlesBursts = false,
    resourceLimits: ResourceLimits = {},
  ) {
    this.#handlesBursts = handlesBursts && canStayAwake;
    const { port1, port2 } = new MessageChannel();
    this.#name = name;
    this.#events = events;
    this.#port = port1;
    this.#port.on("message", (reply: Reply) => this.#settle(reply));
    this.#port.unref();
    // Flags of this process (--input-type, --test) are not meant for a file of ours.
    this.#worker = new Worker(entry, {
      name,
      execArgv: [],
      resourceLimits,
      workerData: { ...data, port: port2 },
      transferList: [port2],
    });
    this.#worker.unref();
    this.#worker.once("error", (error) => this.#die(error));
    this.#worker.once("exit", () => this.#die(undefined));
  }

  /** Sends a request; resolves with its reply. */
  request<T>(request: Request): Promise<T> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    return new Promise<T>((resolve, reject) => {
      const id = this.#nextId++;
      const envelope: Envelope<Request> = { id, request };
      this.#port.postMessage(envelope);
      this.#pending.set(id, { resolve, reject });
      if (this.#pending.size > 1) return;
      this.#port.ref();
      const nowMs = performance.now();
      if (this.#handlesBursts && nowMs - this.#repliedMs < BURST_GAP_MS) {
        this.#stayAwake(nowMs + REPLY_LOOK_OUT_MS);
      }
    });
  }

  /** Keeps the event loop turning, in which everything else has its turn too. */
  #stayAwake(untilMs: number): void {
    setImmediate(() => {
      if (this.#pending.size > 0 && performance.now() < untilMs) this.#stayAwake(untilMs);
    });
  }

  /** Lets the thread finish what it has, close its connection and end. */
  async close(request: Request): Promise<void> {
    if (this.#ended !== undefined || this.#closing) return;
    this.#closing = true;
    const exited = new Promise<void>((resolve) => this.#worker.once("exit", () => resolve()));
    this.#worker.ref();
    try {
      await this.request<void>(request);
    } finally {
      // Without its port the thread has nothing left to wait for.
      this.#port.close();
      await exited;
    }
  }

  /** Ends the thread at once, as a crash would. */
  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }

  #settle(reply: Reply): void {
    const { id, value } = reply;
    const pending = this.#pending.get(id);
    if (pending === undefined) {
      this.#events.onNotice?.(value);
      return;
    }
    this.#pending.delete(id);
    if (this.#pending.size === 0) {
      this.#port.unref();
      this.#repliedMs = performance.now();
    }
    // A port delivers replies for as long as they come, and whoever asks for the next chunk at each
    // one makes them come: a thread that is quick would hold the event loop.
    if (isSliceOver()) void nextSlice().then(() => answer(pending, reply));
    else answer(pending, reply);
  }

  #die(cause: unknown): void {
    if (this.#ended !== undefined) return;
    this.#ended = new SpringhouseError(
      "WORKER_DIED",
      `The ${this.#name} thread ended while this was under way. Whether a write was committed ` +
        "is unknown: read before you repeat it. The thread is replaced.",
      cause === undefined ? {} : { cause },
    );
    this.#port.close();
    for (const { reject } of this.#pending.values()) reject(this.#ended);
    this.#pending.clear();
    if (!this.#closing) this.#events.onDeath();
  }
}

function answer({ resolve, reject }: Pending, { value, error }: Reply): void {
  if (error === undefined) resolve(value as never);
  else reject(fromWireError(error));
}
