/**
 * A reader thread that is kept for several requests: for a stream, or for a snapshot.
 *
 * While it is held its snapshot keeps the write-ahead log from being cut, so it is taken back when
 * it grows too old; what the holder asks afterwards is `TRANSACTION_TIMEOUT`.
 */

import { abortable } from "../core/abort.ts";
import type { Clock } from "../core/clock.ts";
import { SpringhouseError } from "../core/errors.ts";
import type { Lease, Pool } from "./pool.ts";
import type { ReaderRequest } from "./protocol.ts";
import type { Reader } from "./reader.ts";

/** What holding a reader needs. */
export interface HoldOptions {
  readonly pool: Pool<Reader>;
  readonly clock: Clock;
  readonly maxAgeMs: number;
  readonly signal: AbortSignal | undefined;
}

/** A reader on loan for as long as its holder wants, up to a limit. */
export class HeldReader implements AsyncDisposable {
  readonly #lease: Lease<Reader>;
  readonly #signal: AbortSignal | undefined;
  readonly #timer: Disposable;
  #released: Promise<void> | undefined;
  #expired: SpringhouseError | undefined;

  static async take({ pool, clock, maxAgeMs, signal }: HoldOptions): Promise<HeldReader> {
    const lease = await pool.acquire({ signal, watched: true });
    return new HeldReader(lease, clock, maxAgeMs, signal);
  }

  private constructor(
    lease: Lease<Reader>,
    clock: Clock,
    maxAgeMs: number,
    signal: AbortSignal | undefined,
  ) {
    this.#lease = lease;
    this.#signal = signal;
    this.#timer = clock.schedule(() => this.#expire(maxAgeMs), maxAgeMs);
  }

  /** Sends a request; gives up waiting when the signal fires. */
  async send<T>(request: ReaderRequest): Promise<T> {
    if (this.#expired !== undefined) throw this.#expired;
    const reply = this.#lease.connection.request<T>(request);
    reply.catch(() => undefined);
    try {
      return await abortable(reply, this.#signal, "The read");
    } catch (error) {
      throw this.#expired ?? error;
    }
  }

  /** Ends all reads and gives the thread back. Idempotent. */
  release(): Promise<void> {
    this.#released ??= this.#release();
    return this.#released;
  }

  /** Ends it from outside; what the holder asks afterwards throws `error`. */
  end(error: SpringhouseError): Promise<void> {
    this.#expired ??= error;
    return this.release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }

  async #release(): Promise<void> {
    this.#timer[Symbol.dispose]();
    try {
      await this.#lease.connection.request({ kind: "reset" });
    } catch {
      // A thread that died has been taken out of the pool by its death.
    } finally {
      this.#lease.release();
    }
  }

  #expire(maxAgeMs: number): void {
    const error = new SpringhouseError(
      "TRANSACTION_TIMEOUT",
      `The stream or snapshot was ended after ${maxAgeMs} ms, because it kept the log from being ` +
        "cut. Take the rows faster, read in pages, or raise snapshotMaxAge.",
      { fields: { maxAgeMs } },
    );
    void this.end(error);
  }
}
