/** The dictionary server as a process of its own, as a server is, that ends with its owner. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { SpringhouseError } from "springhouse";

/** How to start it; see `serve --help`. */
export interface ServerProcessOptions {
  readonly dataFolder: string;
  readonly latencyMs: number;
  readonly requestsPerSecond: number;
}

/** A server that listens. */
export class ServerProcess implements AsyncDisposable {
  readonly url: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.url = url;
  }

  /** @throws `IO` when it ends before it listens. */
  static async start(options: ServerProcessOptions): Promise<ServerProcess> {
    const flags = [
      ...["--latency", String(options.latencyMs), "--rate", String(options.requestsPerSecond)],
      ...["--data", options.dataFolder, "--port", "0", "--json"],
    ];
    const script = join(import.meta.dirname, "cli.ts");
    const child = spawn(process.execPath, [...process.execArgv, script, "serve", ...flags], {
      // Its end of the channel closes with this process, however that ends.
      stdio: ["ignore", "pipe", "inherit", "ipc"],
    });
    for await (const line of createInterface(child.stdout as Readable)) {
      return new ServerProcess(child, (JSON.parse(line) as { readonly url: string }).url);
    }
    throw new SpringhouseError("IO", "The dictionary server ended before it listened.");
  }

  /** Lets the next requests of words fail. */
  async fail(how: string, requests: number): Promise<void> {
    await fetch(`${this.url}/fail?how=${how}&requests=${requests}`, { method: "POST" });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { exitCode, signalCode } = this.#child;
    if (exitCode !== null || signalCode !== null) return;
    this.#child.kill();
    await once(this.#child, "exit");
  }
}
