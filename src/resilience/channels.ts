/** What guards tell of, as a channel of Node's `diagnostics_channel`. */

import { channel } from "node:diagnostics_channel";
import type { CircuitState } from "./statistics.ts";

/** A circuit has changed its state. */
export interface CircuitEvent {
  /** The name of the guard. */
  readonly guard: string;
  readonly state: CircuitState;
}

/** `springhouse:circuit`, with a `CircuitEvent` for each change. */
export const circuitChannel: ReturnType<typeof channel> = channel("springhouse:circuit");
