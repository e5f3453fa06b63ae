/** Starts the process of `foreign-writer.ts` and has it write. */

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { extname, join } from "node:path";
import type { MixedWrite } from "./mixed-writes.ts";

/** A process that writes by plain SQLite. Disposing of it ends it. */
export class ForeignProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #end: Promise<unknown>;

  /** @param path the database file. */
  constructor(path: string) {
    const script = join(import.meta.dirname, `foreign-writer${extname(import.meta.filename)}`);
    // It is to be like a program of its own, so it has none of our options.
    const execArgv = ["--disable-warning=ExperimentalWarning"];
    this.#child = fork(script, [path], { execArgv, stdio: ["ignore", "ignore", "inherit", "ipc"] });
    this.#end = once(this.#child, "exit");
  }

  /** Runs the statements one after the other; resolves when the last one is committed. */
  async write(writes: readonly MixedWrite[]): Promise<void> {
    const done = once(this.#child, "message");
    this.#child.send(writes);
    const ended = this.#end.then(() => {
      throw new Error("The second process ended before it had written all.");
    });
    await Promise.race([done, ended]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    await this.#end;
  }
}
