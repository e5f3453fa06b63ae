/** One look at everything: what its checks share, and what is remembered from the look before. */

import type { Clock } from "../core/clock.ts";
import type { DatabaseVitals } from "../sqlite/describe.ts";
import type { DiskSpace } from "./disk.ts";
import type { EventLoopMonitor } from "./event-loop.ts";
import type { HealthSources } from "./sources.ts";
import type { Thresholds } from "./thresholds.ts";

/** What all looks of one `Health` share. */
export interface RoundParts {
  readonly sources: HealthSources;
  readonly thresholds: Thresholds;
  readonly slowQueryWindowMs: number;
  readonly clock: Clock;
  readonly eventLoop: EventLoopMonitor | undefined;
  readonly diskSpaceOf: (path: string) => Promise<DiskSpace>;
  readonly random: () => number;
}

/** Counters as they were at the last look, so that trouble is over when it no longer happens. */
export class LookMemory {
  readonly #totals = new Map<string, number>();
  #log:
    | { readonly frames: number; readonly checkpointed: number; readonly sinceMs: number }
    | undefined;

  /** By how much a counter has grown since the last look. */
  since(name: string, total: number): number {
    const before = this.#totals.get(name) ?? 0;
    this.#totals.set(name, total);
    // One that was set back begins at 0.
    return total >= before ? total - before : total;
  }

  /** How long pages have waited in the log without one being moved to the file. */
  lagMs(log: DatabaseVitals["log"], nowMs: number): number {
    const before = this.#log;
    const moved =
      before === undefined ||
      log.frames <= log.checkpointed ||
      log.checkpointed > before.checkpointed ||
      log.frames < before.frames;
    const sinceMs = moved ? nowMs : before.sinceMs;
    this.#log = { ...log, sinceMs };
    return nowMs - sinceMs;
  }
}

/** One look. */
export class Round {
  readonly parts: RoundParts;
  readonly memory: LookMemory;
  /** UTC milliseconds since 1970. */
  readonly nowMs: number;
  /** Fires when the checks have taken too long. */
  readonly signal: AbortSignal;
  #vitals: DatabaseVitals | undefined;

  constructor(parts: RoundParts, memory: LookMemory, signal: AbortSignal) {
    this.parts = parts;
    this.memory = memory;
    this.nowMs = parts.clock.nowMs();
    this.signal = signal;
  }

  get sources(): HealthSources {
    return this.parts.sources;
  }

  get thresholds(): Thresholds {
    return this.parts.thresholds;
  }

  /** The same for all checks of the look. Undefined without a database. */
  get vitals(): DatabaseVitals | undefined {
    this.#vitals ??= this.sources.database?.vitals();
    return this.#vitals;
  }
}
