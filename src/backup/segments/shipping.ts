/**
 * Ships a database in the background: its write-ahead log goes to a folder or to S3 while the
 * application writes, in a thread of its own.
 */

import { extname } from "node:path";
import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import { assertFunction, assertText } from "../../core/arguments.ts";
import { type ByteSize, parseBytes } from "../../core/bytes.ts";
import { type Duration, parseDurationMs } from "../../core/duration.ts";
import { SpringhouseError } from "../../core/errors.ts";
import { refuseUnknownKeys } from "../../core/options.ts";
import { fromWireError } from "../../sqlite/errors.ts";
import { parseLocation } from "../../sqlite/location.ts";
import { parseBackupKey } from "../encryption.ts";
import type { ShipEvent, ShipperState } from "./shipper.ts";
import type { ShippingData, ShippingReply, ShippingRequest } from "./shipping-protocol.ts";

/** Options of `startShipping`. */
export interface ShippingOptions {
  /** The database, `sqlite:app.db`. No default. */
  readonly url: string;
  /** A folder, or `s3://bucket/prefix`, there with `?endpoint=…&region=…`. No default. */
  readonly to: string;
  /** Between two looks at the log: what a crash of the machine can cost. Default: "250ms". */
  readonly interval?: Duration;
  /** How often all pages are shipped again, so that restores stay short. Default: "1d". */
  readonly baseEvery?: Duration;
  /** How far back restores reach. Older segments are removed after a new base. Default: "7d". */
  readonly keep?: Duration;
  /**
   * When the place cannot be reached, the log grows until it has this size; then it is let go, and
   * shipping goes on later with a gap and a new base. Default: "1GB".
   */
  readonly logSizeMax?: ByteSize;
  /** Encrypts the segments: as for `createBackup`. Default: none. */
  readonly key?: string | undefined;
  /** Is told what happens, failures too; they are tried again. Default: nobody is told. */
  readonly onEvent?: (event: ShipEvent) => void;
}

const KEYS = ["url", "to", "interval", "baseEvery", "keep", "logSizeMax", "key", "onEvent"];
/** A look costs some tens of microseconds; more often than this helps nobody. */
const INTERVAL_MS_MIN = 10;

/** A database that is being shipped. */
export interface Shipping extends AsyncDisposable {
  state(): Promise<ShipperState>;
  /** Resolves when everything that was committed before the call is in the store. */
  flush(): Promise<ShipperState>;
  /** Ships the rest and ends. The log is let go: what is written after it makes a gap. */
  close(): Promise<void>;
}

/**
 * Begins to ship; resolves when the first look at the log was shipped.
 *
 * Close it after the database, so that nothing is written in between. It does not keep the process
 * alive.
 *
 * @throws `INVALID_ARGUMENT`, `INVALID_URL`, `UNOPENABLE`; `BUSY` when somebody else ships the
 *   database; what the store throws.
 * @example
 * await using shipping = await startShipping({ url: "sqlite:app.db", to: "backups/segments" });
 */
export async function startShipping(options: ShippingOptions): Promise<Shipping> {
  const shipping = new ShippingThread(resolve(options), options.onEvent);
  try {
    await shipping.state();
    return shipping;
  } catch (error) {
    await shipping.end();
    throw error;
  }
}

function resolve(options: ShippingOptions): Omit<ShippingData, "port"> {
  refuseUnknownKeys(options, KEYS, "startShipping");
  const { url, to, interval = "250ms", baseEvery = "1d", keep = "7d" } = options;
  const { logSizeMax = "1GB", key, onEvent } = options;
  assertText("startShipping: to", to);
  if (onEvent !== undefined) assertFunction("startShipping: onEvent", onEvent);
  const location = parseLocation(url);
  if (location.kind !== "file") {
    const message = "startShipping: a temporary database ends with its process; ship a file.";
    throw new SpringhouseError("INVALID_ARGUMENT", message, { fields: { url } });
  }
  return {
    database: location.path,
    place: to,
    key: key === undefined ? undefined : parseBackupKey(key),
    intervalMs: Math.max(INTERVAL_MS_MIN, parseDurationMs(interval, "startShipping: interval")),
    baseEveryMs: parseDurationMs(baseEvery, "startShipping: baseEvery"),
    keepMs: parseDurationMs(keep, "startShipping: keep"),
    logBytesMax: parseBytes(logSizeMax, "startShipping: logSizeMax"),
  };
}

interface Pending {
  readonly resolve: (state: ShipperState) => void;
  readonly reject: (error: SpringhouseError) => void;
}

class ShippingThread implements Shipping {
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly #onEvent: (event: ShipEvent) => void;
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;
  #ended: SpringhouseError | undefined;
  #closing: Promise<void> | undefined;

  constructor(data: Omit<ShippingData, "port">, onEvent: ShippingOptions["onEvent"]) {
    const { port1, port2 } = new MessageChannel();
    this.#onEvent = onEvent ?? (() => undefined);
    this.#port = port1;
    this.#port.on("message", (reply: ShippingReply) => this.#settle(reply));
    this.#port.unref();
    const entry = new URL(`./shipping-thread${extname(import.meta.filename)}`, import.meta.url);
    // Flags of this process (--input-type, --test) are not meant for a file of ours.
    this.#worker = new Worker(entry, {
      name: "shipping",
      execArgv: [],
      workerData: { ...data, port: port2 },
      transferList: [port2],
    });
    this.#worker.unref();
    this.#worker.once("error", (error) => this.#die(error));
    this.#worker.once("exit", () => this.#die(undefined));
  }

  state(): Promise<ShipperState> {
    return this.#request("state");
  }

  flush(): Promise<ShipperState> {
    return this.#request("flush");
  }

  close(): Promise<void> {
    this.#closing ??= this.#flushAndEnd();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Ends the thread without asking it. */
  async end(): Promise<void> {
    this.#ended ??= closed();
    this.#port.close();
    await this.#worker.terminate();
  }

  async #flushAndEnd(): Promise<void> {
    if (this.#ended !== undefined) return;
    try {
      await this.#request("flush");
    } finally {
      await this.#request("close").finally(() => this.end());
    }
  }

  #request(kind: ShippingRequest["kind"]): Promise<ShipperState> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      this.#pending.set(id, { resolve, reject });
      // While somebody waits, the process has to live.
      this.#port.ref();
      this.#port.postMessage({ id, kind } satisfies ShippingRequest);
    });
  }

  #settle(reply: ShippingReply): void {
    if (reply.kind === "event") {
      const { event } = reply;
      const isFailure = event.kind === "failed";
      this.#onEvent(isFailure ? { kind: "failed", error: fromWireError(event.error) } : event);
      return;
    }
    const pending = this.#pending.get(reply.id);
    this.#pending.delete(reply.id);
    if (this.#pending.size === 0) this.#port.unref();
    if (reply.kind === "state") pending?.resolve(reply.state);
    else pending?.reject(fromWireError(reply.error));
  }

  #die(cause: unknown): void {
    if (this.#ended !== undefined) return;
    const message = "The thread that ships the database ended. Start shipping again.";
    this.#ended = new SpringhouseError("WORKER_DIED", message, { cause });
    this.#port.close();
    for (const { reject } of this.#pending.values()) reject(this.#ended);
    this.#pending.clear();
    this.#onEvent({ kind: "failed", error: this.#ended });
  }
}

function closed(): SpringhouseError {
  return new SpringhouseError("CLOSED", "The shipping has been closed.");
}
