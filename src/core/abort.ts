/** Waiting that can be given up: every wait of the library takes an `AbortSignal`. */

import { wrongArgument } from "./arguments.ts";
import { SpringhouseError } from "./errors.ts";

/** Throws `ABORTED` when the signal has fired, and `INVALID_ARGUMENT` when it is none. */
export function throwIfAborted(signal: AbortSignal | undefined, what: string): void {
  assertSignal(signal);
  if (signal?.aborted) throw abortError(signal, what);
}

/** Throws `INVALID_ARGUMENT` for what is no signal; it would fail where nobody waits for it. */
export function assertSignal(signal: unknown): void {
  if (signal === undefined || isSignal(signal)) return;
  throw wrongArgument("signal", "an AbortSignal", signal);
}

/** By what it can do, for other realms have a class of their own. */
function isSignal(signal: unknown): boolean {
  if (typeof signal !== "object" || signal === null) return false;
  const { aborted, addEventListener } = signal as Partial<AbortSignal>;
  return typeof aborted === "boolean" && typeof addEventListener === "function";
}

/** The error for a wait that was given up; `what` names it. */
export function abortError(signal: AbortSignal | undefined, what: string): SpringhouseError {
  return new SpringhouseError("ABORTED", `${what} was aborted.`, { cause: signal?.reason });
}

const listeners = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls `callback` once when the signal fires; disposing of the result takes it back.
 *
 * Many waits share one signal (that of a request, or of the whole program), and an `EventTarget`
 * looks through all its listeners for each one added. So each signal gets one listener of ours.
 */
export function onAbort(signal: AbortSignal | undefined, callback: () => void): Disposable {
  if (signal === undefined) return { [Symbol.dispose]: () => undefined };
  const callbacks = listeners.get(signal) ?? listenTo(signal);
  // A wrapper, so that a callback that is added twice is called twice.
  const own = (): void => callback();
  callbacks.add(own);
  return { [Symbol.dispose]: () => void callbacks.delete(own) };
}

function listenTo(signal: AbortSignal): Set<() => void> {
  const callbacks = new Set<() => void>();
  listeners.set(signal, callbacks);
  const callAll = (): void => {
    for (const callback of callbacks) callback();
    callbacks.clear();
  };
  signal.addEventListener("abort", callAll, { once: true });
  return callbacks;
}

/** Settles as `promise` does, or rejects with `ABORTED` as soon as the signal fires. */
export function abortable<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
  what: string,
): Promise<T> {
  if (signal === undefined) return promise;
  if (signal.aborted) {
    // Nobody will wait for it any more, and its own failure must not end the process.
    promise.catch(() => undefined);
    return Promise.reject(abortError(signal, what));
  }
  return new Promise<T>((resolve, reject) => {
    const listening = onAbort(signal, () => reject(abortError(signal, what)));
    promise.then(resolve, reject).finally(() => listening[Symbol.dispose]());
  });
}
