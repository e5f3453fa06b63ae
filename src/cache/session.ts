/**
 * State of a user interface and preferences of its users, kept in a category: what a program wants
 * to find again when it comes back, and can do without.
 */

import { assertMethods, assertText } from "../core/arguments.ts";
import { ownCopy } from "../tier/memory/own-copy.ts";
import type { Key } from "./key.ts";
import type { CallOptions } from "./options.ts";
import { KeyTurns } from "./strategy.ts";

/** The part of a category that is needed. */
export interface SessionCategory {
  get(key: Key): Promise<unknown>;
  set(key: Key, value: unknown, options?: CallOptions): Promise<void>;
  drop(key: Key): Promise<void>;
}

/** What is to become of some keys. */
export type SessionChange<State> = { readonly [Key in keyof State]?: State[Key] | undefined };

/** State by name, with a value for when there is none. */
export interface Session<State extends object> {
  /** What was saved last, laid over the defaults; as all values of the cache, frozen within. */
  load(): Promise<State>;
  /**
   * Lays a change over what is there; `undefined` brings a key back to its default.
   *
   * @returns the whole state.
   */
  save(change: SessionChange<State>): Promise<State>;
  /** Back to the defaults. */
  reset(): Promise<void>;
}

/** All objects of one name share its turn, whichever part of the program has made them. */
const turnsOf = new WeakMap<SessionCategory, KeyTurns>();

/**
 * A piece of state that outlives the program when its category has a tier that does.
 *
 * Changes of one name are made one after the other, by whichever object, so that two at a time lose
 * nothing; those of another process may be written over.
 *
 * @throws `INVALID_ARGUMENT` for defaults that are not data.
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
  const turns = turnsOf.get(category) ?? new KeyTurns();
  turnsOf.set(category, turns);
  // What the caller does with his own must not change what others are given.
  const own = ownCopy(defaults);
  const freshDefaults = (): State =>
    (own.changeable ? ownCopy(own.value).value : own.value) as State;
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => turns.inTurn([name], work);
  const load = async (): Promise<State> => {
    const saved = await category.get(["session", name]);
    return withDefaults(freshDefaults(), (saved ?? {}) as Partial<State>);
  };
  return {
    load,
    save: (change) =>
      inTurn(async () => {
        const state = withDefaults(freshDefaults(), { ...(await load()), ...change });
        await category.set(["session", name], state, { ttl: Number.POSITIVE_INFINITY });
        return state;
      }),
    reset: () => inTurn(() => category.drop(["session", name])),
  };
}

function withDefaults<State extends object>(defaults: State, state: SessionChange<State>): State {
  const given = Object.entries(state).filter(([, value]) => value !== undefined);
  return { ...defaults, ...(Object.fromEntries(given) as Partial<State>) };
}
