/** The main thread's side of the thread of an import. */

import { extname } from "node:path";
import { ThreadLink } from "../../sqlite/thread-link.ts";
import type { LoadRequest } from "./plan.ts";

/** A running thread. */
export class ImportThread implements AsyncDisposable {
  readonly #link: ThreadLink<LoadRequest>;

  constructor(target: string) {
    const entry = new URL(`./import-thread${extname(import.meta.filename)}`, import.meta.url);
    const data = { path: target, profile: "durable", busyTimeoutMs: 0 } as const;
    this.#link = new ThreadLink(entry, "import", data, { onDeath: () => undefined });
  }

  request<T>(request: LoadRequest): Promise<T> {
    return this.#link.request<T>(request);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#link.close({ kind: "close" });
  }
}
