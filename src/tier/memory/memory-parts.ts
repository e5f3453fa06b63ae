/** What the partitions of one memory tier share. */

import type { Clock } from "../../core/clock.ts";
import type { CoarseClock } from "../../core/coarse-clock.ts";
import type { MemoryEntry } from "./memory-entry.ts";
import type { TimerWheel } from "./timer-wheel.ts";

/** Made by the tier. */
export interface MemoryParts {
  readonly clock: Clock;
  readonly time: CoarseClock;
  readonly wheel: TimerWheel<MemoryEntry>;
  readonly seed: number;
  /** Told of entries among which are dead ones, whose room is to be given back in time. */
  reclaimLater(entries: Iterable<MemoryEntry>): void;
  /** Gives back the room of some of them now. */
  reclaimSome(): void;
}
