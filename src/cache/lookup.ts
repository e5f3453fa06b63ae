/** What a read that says where its value came from gives. */

import type { Resolved } from "./flight.ts";

/** A value and where it came from, or that there is none: `if (found.hit) found.value.id`. */
export type Lookup<T> = Found<T> | NotFound;

/** A value; null is one. */
interface Found<T> extends LookedUp {
  readonly hit: true;
  readonly value: Exclude<T, undefined>;
}

interface NotFound extends LookedUp {
  readonly hit: false;
  readonly value: undefined;
}

interface LookedUp {
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
  const known = { stale, source, error };
  return hit
    ? { hit, value: value as Exclude<T, undefined>, ...known }
    : { hit, value: undefined, ...known };
}
