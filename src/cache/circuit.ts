/**
 * Whether a tier is asked at all. After some failures in a row it is left alone for a while, then
 * one call tries whether it is back.
 */

import type { Clock } from "../core/clock.ts";

/** `half-open`: one call is under way to see whether the tier is back. */
type State =
  | { readonly name: "closed"; readonly failures: number }
  | { readonly name: "open"; readonly untilMs: number }
  | { readonly name: "half-open" };

const CLOSED: State = { name: "closed", failures: 0 };

/** When it opens, and for how long. */
export interface CircuitOptions {
  readonly clock: Clock;
  /** Failures in a row that open it. */
  readonly failuresMax: number;
  /** How long an open one lets nothing through. */
  readonly pauseMs: number;
}

/** The circuit of one tier. */
export class Circuit {
  readonly #options: CircuitOptions;
  #state: State = CLOSED;

  constructor(options: CircuitOptions) {
    this.#options = options;
  }

  get state(): State["name"] {
    return this.#state.name;
  }

  /** Whether a call may be made now; whoever is told so says how it went. */
  mayTry(): boolean {
    const state = this.#state;
    if (state.name === "closed") return true;
    if (state.name === "half-open") return false;
    if (this.#options.clock.monotonicMs() < state.untilMs) return false;
    this.#state = { name: "half-open" };
    return true;
  }

  /** @returns whether the tier is back. */
  succeeded(): boolean {
    const isBack = this.#state.name !== "closed";
    this.#state = CLOSED;
    return isBack;
  }

  failed(): void {
    const { clock, failuresMax, pauseMs } = this.#options;
    const state = this.#state;
    const failures = state.name === "closed" ? state.failures + 1 : failuresMax;
    this.#state =
      failures < failuresMax
        ? { name: "closed", failures }
        : { name: "open", untilMs: clock.monotonicMs() + pauseMs };
  }
}
