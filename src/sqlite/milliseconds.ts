/** Times in options. */

import { SpringhouseError } from "../core/errors.ts";

/** A timer of Node.js that is set for longer, 24 days, fires at once. */
const MS_MAX = 2_147_483_647;

/**
 * Throws unless the value is a time that a timer can be set for.
 *
 * @param name the option, for the message.
 */
export function assertMilliseconds(name: string, value: unknown): void {
  if (typeof value === "number" && value >= 0 && value <= MS_MAX) return;
  throw new SpringhouseError(
    "INVALID_ARGUMENT",
    `${name}: ${String(value)} is not a number from 0 to ${MS_MAX}.`,
    { fields: { name, value: String(value) } },
  );
}
