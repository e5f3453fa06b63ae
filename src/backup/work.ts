/**
 * The process that does the work of backups: copying, hashing, compressing and checking gigabytes.
 * Nothing of that may hold up the main process, and a check of a damaged file can end a process.
 *
 * It is killed to be cancelled, since nothing else interrupts SQLite. When the main process is gone
 * it ends by itself.
 */

import { type ChildProcess, fork } from "node:child_process";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { abortError, onAbort, throwIfAborted } from "../core/abort.ts";
import { SpringhouseError } from "../core/errors.ts";
import { fromWireError } from "../sqlite/errors.ts";
import type { Progress, Reply, Results, Task } from "./protocol.ts";

/** For `BackupWork`. */
export interface WorkOptions {
  /** What is given up when the signal fires: "The backup". */
  readonly what: string;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** The last words of a process that died; the end of a stack says nothing more. */
const ERRORS_CHARACTERS_MAX = 2_000;

/** One such process. It does one task after the other. */
export class BackupWork implements AsyncDisposable {
  readonly #options: WorkOptions;
  readonly #process: ChildProcess;
  readonly #ended: Promise<void>;
  readonly #listening: Disposable;
  #errors = "";

  constructor(options: WorkOptions) {
    throwIfAborted(options.signal, options.what);
    this.#options = options;
    const entry = new URL(`./backup-process${extname(import.meta.filename)}`, import.meta.url);
    // Flags of this process (--input-type, --test) are not meant for a file of ours.
    this.#process = fork(fileURLToPath(entry), [], {
      execArgv: [],
      serialization: "advanced",
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    this.#process.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#errors = (this.#errors + text).slice(-ERRORS_CHARACTERS_MAX);
    });
    this.#ended = new Promise((resolve) => {
      this.#process.once("close", () => resolve());
      this.#process.once("error", (error) => {
        this.#errors = error.message;
        resolve();
      });
    });
    this.#listening = onAbort(options.signal, () => void this.#process.kill("SIGKILL"));
  }

  /**
   * Has a task done.
   *
   * @throws what the task throws; `ABORTED` when the signal fires; `WORKER_DIED` when the process
   *   ends by itself.
   */
  async run<Kind extends Task["kind"]>(
    task: Extract<Task, { kind: Kind }>,
  ): Promise<Results[Kind]> {
    const { promise, resolve, reject } = Promise.withResolvers<Results[Kind]>();
    const onMessage = (message: unknown): void => {
      const reply = message as Reply;
      if (reply.kind === "progress") this.#options.onProgress?.(reply.progress);
      else if (reply.kind === "done") resolve(reply.result as Results[Kind]);
      else reject(fromWireError(reply.error));
    };
    this.#process.on("message", onMessage);
    void this.#ended.then(() => reject(this.#death(task.kind)));
    if (this.#process.connected) this.#process.send(task, () => undefined);
    try {
      return await promise;
    } finally {
      this.#process.off("message", onMessage);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listening[Symbol.dispose]();
    this.#process.kill("SIGKILL");
    await this.#ended;
  }

  #death(task: string): SpringhouseError {
    const { signal, what } = this.#options;
    if (signal?.aborted) return abortError(signal, what);
    const said = this.#errors.trim();
    const why = said === "" ? " It may have been killed for want of memory." : `\n${said}`;
    const message = `${what} failed: its process died (${task}). Nothing was changed.${why}`;
    return new SpringhouseError("WORKER_DIED", message, { fields: { task } });
  }
}
