/** The main thread's side of the thread of an import. */

import { extname } from "node:path";
import { ThreadLink } from "../../sqlite/thread-link.ts";
import type { LoadRequest } from "./plan.ts";

/**
 * Everything that the thread makes is gone after a batch, so a small young generation costs hardly
 * any time and saves much of the memory.
 */
const LIMITS = { maxYoungGenerationSizeMb: 8 };

/** A running thread. */
export class ImportThread implements AsyncDisposable {
  readonly #link: ThreadLink<LoadRequest>;

  constructor(target: string) {
    const entry = new URL(`./import-thread${extname(import.meta.filename)}`, import.meta.url);
    const data = { path: target, profile: "durable", busyTimeoutMs: 0 } as const;
    const events = { onDeath: () => undefined };
    this.#link = new ThreadLink(entry, "import", data, events, false, LIMITS);
  }

  request<T>(request: LoadRequest): Promise<T> {
    return this.#link.request<T>(request);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#link.close({ kind: "close" });
  }
}
