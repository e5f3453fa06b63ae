/**
 * The advisor's process, as the one who asks it sees it: one question at a time, each with a limit.
 * What does not answer in time is killed and started anew for the next question.
 */

import { type ChildProcess, fork } from "node:child_process";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { abortError, onAbort, throwIfAborted } from "../core/abort.ts";
import type { Clock } from "../core/clock.ts";
import { SpringhouseError } from "../core/errors.ts";
import type { CopyRequest } from "./copy-file.ts";
import type { Changed, ChangeRequest, Measured, MeasureRequest } from "./measure.ts";
import type { ChildRequest } from "./proof-thread.ts";
import type { Study, StudyRequest } from "./study.ts";

type Reply = { readonly ok: true; readonly value: unknown } | Refusal;

interface Refusal {
  readonly ok: false;
  readonly message: string;
}

/** How a question is asked. */
export interface AskOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** A child process that comes with the first question and ends with `dispose`. */
export class ProofProcess implements AsyncDisposable {
  readonly #clock: Clock;
  #child: ChildProcess | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  study(request: StudyRequest, options: AskOptions): Promise<Study> {
    return this.#ask(request, options) as Promise<Study>;
  }

  copy(request: CopyRequest, options: AskOptions): Promise<void> {
    return this.#ask(request, options) as Promise<void>;
  }

  measure(request: MeasureRequest, options: AskOptions): Promise<Measured> {
    return this.#ask(request, options) as Promise<Measured>;
  }

  change(request: ChangeRequest, options: AskOptions): Promise<Changed> {
    return this.#ask(request, options) as Promise<Changed>;
  }

  /** Ends the process, whatever it does. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#kill();
  }

  /**
   * @throws `TIMEOUT` when it takes too long, `SQL` with what SQLite says, `ABORTED`,
   * `WORKER_DIED`.
   */
  async #ask(request: ChildRequest, { timeoutMs, signal }: AskOptions): Promise<unknown> {
    throwIfAborted(signal, "The advice");
    const child = this.#start();
    const answer = Promise.withResolvers<unknown>();
    const onMessage = (reply: Reply): void => {
      if (reply.ok) answer.resolve(reply.value);
      else answer.reject(new SpringhouseError("SQL", `The advisor failed: ${reply.message}`));
    };
    const onExit = (): void => answer.reject(died());
    child.once("message", onMessage);
    child.once("exit", onExit);
    using _timer = this.#clock.schedule(() => answer.reject(tooLong(timeoutMs)), timeoutMs, true);
    using _abort = onAbort(signal, () => answer.reject(abortError(signal, "The advice")));
    child.send(request);
    try {
      return await answer.promise;
    } catch (error) {
      if (!(error instanceof SpringhouseError && error.code === "SQL")) await this.#kill();
      throw error;
    } finally {
      child.off("message", onMessage);
      child.off("exit", onExit);
    }
  }

  #start(): ChildProcess {
    if (this.#child !== undefined) return this.#child;
    const entry = new URL(`./proof-thread${extname(import.meta.filename)}`, import.meta.url);
    // Flags of this process (--input-type, --test, --inspect) are not meant for one of ours.
    const child = fork(fileURLToPath(entry), [], {
      execArgv: ["--no-warnings"],
      serialization: "advanced",
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    child.unref();
    this.#child = child;
    return child;
  }

  /** Nothing else stops a statement: SIGTERM would wait for its end. */
  async #kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    // From here on somebody waits for it.
    child.ref();
    child.kill("SIGKILL");
    await ended;
  }
}

function tooLong(timeoutMs: number): SpringhouseError {
  const message = `The advisor was stopped: one of its steps took longer than ${timeoutMs} ms.`;
  return new SpringhouseError("TIMEOUT", message, { fields: { timeoutMs } });
}

function died(): SpringhouseError {
  return new SpringhouseError("WORKER_DIED", "The process of the advisor has ended unexpectedly.");
}
