/**
 * How the reading of a node ends early. Whatever is not understood ends the whole reading: a part
 * that was skipped could be the part that mattered. Thrown deep inside, data at the edge.
 */

import type { Reading } from "../change/footprint.ts";

/** The nodes do not say what the query reads; the database has to be asked, see `explain.ts`. */
export interface OpaqueReading {
  readonly cacheable: undefined;
  /** What was not understood. */
  readonly reason: string;
}

export type NodeReading = Reading | OpaqueReading;

/** Carries the verdict up to whoever began the reading. */
export class Verdict extends Error {
  readonly reading: NodeReading;

  constructor(reading: Extract<NodeReading, { readonly reason: string }>) {
    super(reading.reason);
    this.reading = reading;
  }
}

/** Ends the reading: the nodes are not enough. */
export function opaque(reason: string): never {
  throw new Verdict({ cacheable: undefined, reason });
}

/** Ends the reading: the result must not be kept, whatever else it reads. */
export function refuse(reason: string): never {
  throw new Verdict({ cacheable: false, reason });
}
