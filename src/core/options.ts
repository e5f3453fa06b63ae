/** Option objects at the edge: a misspelt key is an error that names the right ones. */

import { type ErrorCode, SpringhouseError } from "./errors.ts";

/**
 * Throws when `options` is not an object, or has a key that is not in `known`.
 *
 * @param what the function or object that takes the options, for the message.
 */
export function refuseUnknownKeys(
  options: object,
  known: readonly string[],
  what: string,
  code: ErrorCode = "INVALID_ARGUMENT",
): void {
  if (typeof options !== "object" || options === null) {
    const given = options === null ? "null" : typeof options;
    const message = `${what} takes an object of options, not ${given}: ${known.join(", ")}.`;
    throw new SpringhouseError(code, message, { fields: { known } });
  }
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue;
    const near = nearest(key, known);
    const hint = near === undefined ? "" : ` Did you mean "${near}"?`;
    throw new SpringhouseError(code, `${what}: unknown option "${key}".${hint} ${listOf(known)}`, {
      fields: { key, known },
    });
  }
}

function listOf(known: readonly string[]): string {
  return known.length === 0 ? "It takes no options." : `Known options: ${known.join(", ")}.`;
}

/** So many letters that a known name begins with are an abbreviation of it, "maxLen" for one. */
const BEGINNING_MIN = 3;

/** The known name closest to `name`, when one is close enough to be meant. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const limit = Math.ceil(name.length / 3);
  let best: string | undefined;
  let bestDistance = limit + 1;
  for (const candidate of known) {
    const [given, meant] = [name.toLowerCase(), candidate.toLowerCase()];
    const isBeginning = given.length >= BEGINNING_MIN && meant.startsWith(given);
    const distance = isBeginning ? 1 : editDistance(given, meant);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Levenshtein's distance, by the two-row method. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      current[j] = Math.min((previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1, substitution);
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
