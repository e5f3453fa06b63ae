/** One loop over a live query: a buffer of one between who tells of results and who takes them. */

/** Nothing waits. */
const NONE: unique symbol = Symbol("none");

/** What a source tells of, for one loop. */
export class Consumer {
  #waiting: PromiseWithResolvers<unknown> | undefined;
  #value: unknown = NONE;
  #failure: { readonly error: unknown } | undefined;

  /** Gives a result to the loop, or puts it in the place of the one that waits. */
  offer(value: unknown): void {
    if (this.#waiting === undefined) {
      this.#value = value;
      return;
    }
    const { resolve } = this.#waiting;
    this.#waiting = undefined;
    resolve(value);
  }

  /** Ends the loop. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }

  /** The result that waits, or the next one. */
  next(): Promise<unknown> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure.error);
    if (this.#value !== NONE) {
      const value = this.#value;
      this.#value = NONE;
      return Promise.resolve(value);
    }
    this.#waiting = Promise.withResolvers();
    return this.#waiting.promise;
  }
}
