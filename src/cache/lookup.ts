/** What a read that says where its value came from gives. */

import type { Resolved } from "./flight.ts";

/** A value and where it came from. */
export interface Lookup<T> {
  /** Whether there is a value; null is one. */
  readonly hit: boolean;
  readonly value: T | undefined;
  /** Whether its time was over, and there was nothing better. */
  readonly stale: boolean;
  /** The name of the tier; "load", "stale", "lease" or "none". */
  readonly source: string;
  /** The failure that made do with something stale. */
  readonly error: unknown;
}

/**
 * What a call with a load gives: what the category is said to hold, which another load may have
 * made; in a category of which nothing is said, what the load makes.
 */
export type LoadedAs<T, U> = unknown extends T ? U : T;

/** Without what is the reader's own. */
export function lookupOf<T>({ hit, value, stale, source, error }: Resolved): Lookup<T> {
  return { hit, value: value as T | undefined, stale, source, error };
}
