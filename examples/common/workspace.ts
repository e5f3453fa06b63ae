/**
 * The folder that the main job works in, and the promise that it leaves nothing behind.
 *
 * The first SIGINT or SIGTERM fires `signal`, on which the job stops at the next chunk, closes its
 * database and leaves. A second one, or a job that does not stop in time, ends the process at once;
 * the folder is removed in either case, from the "exit" event, which is the last that runs.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Exit code of a job that was interrupted: 128 and the number of SIGINT. */
export const INTERRUPTED = 130;

/** Time that an interrupted job has to close its database. */
const STOP_MS = 3_000;
const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** A folder that lives as long as one job. */
export class Workspace implements Disposable {
  readonly folder: string;
  readonly #controller = new AbortController();
  readonly #onSignal = (): void => this.#interrupt();
  readonly #onExit = (): void => this.#remove();

  /** @param parent where the folder is made. Default: the system's folder for such. */
  constructor(parent: string = tmpdir()) {
    this.folder = mkdtempSync(join(parent, "springhouse-example-"));
    for (const signal of SIGNALS) process.on(signal, this.#onSignal);
    process.on("exit", this.#onExit);
  }

  /** Fires when the job is to stop. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  [Symbol.dispose](): void {
    for (const signal of SIGNALS) process.off(signal, this.#onSignal);
    process.off("exit", this.#onExit);
    this.#remove();
  }

  #interrupt(): void {
    if (this.signal.aborted) process.exit(INTERRUPTED);
    this.#controller.abort();
    setTimeout(() => process.exit(INTERRUPTED), STOP_MS).unref();
  }

  #remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
