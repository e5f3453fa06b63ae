/** Processes that write, and are killed with no warning. */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { Choices } from "../../../src/testing/coherence/choices.ts";
import { BURST, nextStatements, REST_MS } from "./statements.ts";

const NODE_FLAGS = ["--conditions=springhouse-source", "--no-warnings"];

/** Whether SQLite's shell is there. */
export const hasShell: boolean = spawnSync("sqlite3", ["--version"]).status === 0;

/** One process after another, always of the same kind. */
export class WritingProcess implements AsyncDisposable {
  readonly #start: (seed: number) => ChildProcess;
  #child: ChildProcess;
  #seed: number;

  constructor(start: (seed: number) => ChildProcess, seed: number) {
    this.#start = start;
    this.#seed = seed;
    this.#child = start(seed);
  }

  /** Kills it in the middle of what it does, and starts the next. */
  async replace(): Promise<void> {
    await this.#kill();
    this.#seed += 1_000;
    this.#child = this.#start(this.#seed);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#kill();
  }

  async #kill(): Promise<void> {
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("close", resolve));
    child.kill("SIGKILL");
    await ended;
  }
}

/** A process that runs one of the scripts of this folder. */
export function scriptWriter(script: string, path: string): (seed: number) => ChildProcess {
  return (seed) => {
    const file = join(import.meta.dirname, script);
    return spawn(process.execPath, [...NODE_FLAGS, file, path, String(seed)], {
      stdio: ["ignore", "ignore", "inherit"],
    });
  };
}

/** SQLite's shell, which is sent statements in bursts. */
export function shellWriter(path: string): (seed: number) => ChildProcess {
  return (seed) => {
    const choices = new Choices(seed);
    const child = spawn("sqlite3", [path], { stdio: ["pipe", "ignore", "ignore"] });
    // A shell that was killed takes no more.
    child.stdin.on("error", () => undefined);
    child.stdin.write(".timeout 2000\nPRAGMA foreign_keys = ON;\n");
    const send = (): void => {
      if (child.stdin.destroyed || child.signalCode !== null) return;
      // What is left open by a statement that failed is given up, or refused when there is none.
      const batch = Array.from({ length: BURST }, () => {
        return `${nextStatements(choices)}\nROLLBACK;\n`;
      });
      child.stdin.write(batch.join(""), () => setTimeout(send, REST_MS));
    };
    send();
    return child;
  };
}
