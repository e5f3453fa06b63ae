/** The calls that are under way on one handle: close waits for them and refuses later ones. */

import { SpringhouseError } from "../core/errors.ts";

/** Counts calls. */
export class OpenCalls {
  readonly #name: string;
  #count = 0;
  #closed: Promise<void> | undefined;
  #onQuiet: (() => void) | undefined;

  /** @param name what is refused when closed, for the message. */
  constructor(name: string) {
    this.#name = name;
  }

  /** Throws `CLOSED` when the handle is closed. */
  assertOpen(): void {
    if (this.#closed !== undefined) throw this.closedError();
  }

  closedError(): SpringhouseError {
    return new SpringhouseError("CLOSED", `${this.#name} is closed. Open it again to use it.`);
  }

  /** Runs a call and counts it while it is under way; parts of it may begin after `close`. */
  async track<T>(run: () => Promise<T>): Promise<T> {
    this.begin();
    try {
      return await run();
    } finally {
      this.end();
    }
  }

  /** Counts a call in; `end` must follow. */
  begin(): void {
    this.#count++;
  }

  end(): void {
    if (--this.#count === 0) this.#onQuiet?.();
  }

  /** Refuses new calls, waits for those under way, then runs `finish`. Idempotent. */
  close(finish: () => Promise<void>): Promise<void> {
    this.#closed ??= this.#close(finish);
    return this.#closed;
  }

  async #close(finish: () => Promise<void>): Promise<void> {
    if (this.#count > 0) {
      await new Promise<void>((resolve) => {
        this.#onQuiet = resolve;
      });
    }
    await finish();
  }
}
