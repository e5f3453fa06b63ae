/**
 * State of a user interface and preferences of its users, kept in a category: what a program wants
 * to find again when it comes back, and can do without.
 */

import { assertMethods, assertText } from "../core/arguments.ts";
import type { Key } from "./key.ts";
import type { CallOptions } from "./options.ts";

/** The part of a category that is needed. */
export interface SessionCategory {
  get(key: Key): Promise<unknown>;
  set(key: Key, value: unknown, options?: CallOptions): Promise<void>;
  drop(key: Key): Promise<void>;
}

/** State by name, with a value for when there is none. */
export interface Session<State extends object> {
  /** What was saved last, laid over the defaults. */
  load(): Promise<State>;
  /** Lays a change over what is there. @returns the whole state. */
  save(change: Partial<State>): Promise<State>;
  /** Back to the defaults. */
  reset(): Promise<void>;
}

/**
 * A piece of state that outlives the program when its category has a tier that does.
 *
 * Changes are made one after the other, so that two at a time lose nothing.
 *
 * @example
 * const ui = session(cache.category("ui_state"), "main-window", { width: 800, sidebar: true });
 * await ui.save({ width: 1024 });
 */
export function session<State extends object>(
  category: SessionCategory,
  name: string,
  defaults: State,
): Session<State> {
  assertMethods("session: category", "a category of a cache", category, ["get", "set", "drop"]);
  assertText("session: name", name);
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const next = last.then(work, work);
    last = next.catch(() => undefined);
    return next;
  };
  const load = async (): Promise<State> => {
    const saved = await category.get(["session", name]);
    return { ...defaults, ...(saved as Partial<State> | undefined) };
  };
  return {
    load,
    save: (change) =>
      inTurn(async () => {
        const state = { ...(await load()), ...change };
        await category.set(["session", name], state, { ttl: Number.POSITIVE_INFINITY });
        return state;
      }),
    reset: () => inTurn(() => category.drop(["session", name])),
  };
}
