/** Waiting that can be given up: every wait of the library takes an `AbortSignal`. */

import { SpringhouseError } from "./errors.ts";

/** Throws `ABORTED` when the signal has fired. */
export function throwIfAborted(signal: AbortSignal | undefined, what: string): void {
  if (signal?.aborted) throw abortError(signal, what);
}

/** The error for a wait that was given up; `what` names it. */
export function abortError(signal: AbortSignal, what: string): SpringhouseError {
  return new SpringhouseError("ABORTED", `${what} was aborted.`, { cause: signal.reason });
}

/** Settles as `promise` does, or rejects with `ABORTED` as soon as the signal fires. */
export function abortable<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
  what: string,
): Promise<T> {
  if (signal === undefined) return promise;
  if (signal.aborted) return Promise.reject(abortError(signal, what));
  return new Promise<T>((resolve, reject) => {
    const onAbort = (): void => reject(abortError(signal, what));
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
