/**
 * Keys: texts, or lists of parts that become one text with `:` between them.
 *
 * Texts that look the same are the same key: they are brought to Unicode's normal form C. A prefix
 * is a number of whole parts, so that dropping "week:1" leaves "week:10" alone.
 */

import { SpringhouseError } from "../core/errors.ts";

/** One part of a key. */
export type KeyPart = string | number | bigint | boolean;

/** What an entry is kept under: `"week:7"` and `["week", 7]` are the same key. */
export type Key = string | readonly KeyPart[];

/** Between the parts of a key. */
const SEPARATOR = ":";
/** Longer keys are values by mistake; tiers on disk keep whole keys. */
const KEY_LENGTH_MAX = 10_000;

/**
 * The text of a key.
 *
 * @throws `INVALID_ARGUMENT` for what is no key: empty, too long, or a part of another type.
 */
export function keyText(key: Key): string {
  const text = typeof key === "string" ? key : partsText(key);
  if (text.length === 0 || text.length > KEY_LENGTH_MAX) {
    throw invalidKey(`it has ${text.length} characters; it needs 1 to ${KEY_LENGTH_MAX}`);
  }
  return text.normalize("NFC");
}

/** Whether the key begins with all the parts of the prefix. */
export function hasPrefix(key: string, prefix: string): boolean {
  return (
    key.startsWith(prefix) && (key.length === prefix.length || key[prefix.length] === SEPARATOR)
  );
}

/** What every key below the prefix begins with. */
export function below(prefix: string): string {
  return prefix + SEPARATOR;
}

/** Separators inside of a part are escaped, so that no list of parts looks like another. */
function partsText(parts: readonly KeyPart[]): string {
  if (!Array.isArray(parts)) throw invalidKey(`it is ${parts === null ? "null" : typeof parts}`);
  return parts.map(partText).join(SEPARATOR);
}

function partText(part: KeyPart): string {
  switch (typeof part) {
    case "string":
      return part.replaceAll("%", "%25").replaceAll(SEPARATOR, "%3A");
    case "number":
    case "bigint":
    case "boolean":
      return String(part);
    default:
      throw invalidKey(`one of its parts is ${part === null ? "null" : typeof part}`);
  }
}

function invalidKey(why: string): SpringhouseError {
  return new SpringhouseError(
    "INVALID_ARGUMENT",
    `The key cannot be used: ${why}. A key is a text, or a list of texts, numbers and booleans.`,
  );
}
