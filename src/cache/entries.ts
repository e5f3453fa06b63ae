/** What is given to be kept, checked before any of it is. */

import { wrongArgument } from "../core/arguments.ts";
import { SpringhouseError } from "../core/errors.ts";
import { mapAtOnce } from "../core/slices.ts";
import { type Key, keyText } from "./key.ts";

/** The text of a key and a value that nobody else can change. */
export type OwnEntry = readonly [string, unknown];

/**
 * Pairs of the text of a key and a value; in later turns when there are many.
 *
 * @param own gives a value that nobody else can change.
 * @param pause waits for the next slice.
 * @throws `INVALID_ARGUMENT` for what is no iterable of pairs, no key or no value.
 */
export function entriesOf(
  entries: Iterable<readonly [Key, unknown]>,
  own: (value: unknown) => unknown,
  pause: () => Promise<void>,
): OwnEntry[] | Promise<OwnEntry[]> {
  if (typeof entries !== "object" || entries === null || !(Symbol.iterator in entries)) {
    throw wrongArgument("setMany: entries", "a list of pairs of key and value", entries);
  }
  let index = -1;
  const ownEntry = (entry: readonly [Key, unknown]): OwnEntry => {
    index++;
    if (!Array.isArray(entry)) {
      throw wrongArgument(`setMany: entries.${index}`, "a pair of key and value", entry);
    }
    const [key, value] = entry;
    if (value === undefined) throw undefinedValue(key);
    return [keyText(key), own(value)];
  };
  return mapAtOnce(entries, ownEntry, pause);
}

function undefinedValue(key: Key): SpringhouseError {
  const message =
    `The value of "${keyText(key)}" is undefined, which means that there is none. Use null for ` +
    "what is known not to exist, or drop the key.";
  return new SpringhouseError("INVALID_ARGUMENT", message, { fields: { key } });
}
