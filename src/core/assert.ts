/** Checks for programmer errors. A failed check is a bug in the library, never in the input. */

import { SpringhouseError } from "./errors.ts";

/** Throws `ASSERTION` unless `condition` holds. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new SpringhouseError("ASSERTION", `This is a bug: ${message}`);
}

/** Marks a branch that the types prove cannot be reached. */
export function unreachable(value: never): never {
  throw new SpringhouseError("ASSERTION", `This is a bug: unexpected ${JSON.stringify(value)}`);
}
