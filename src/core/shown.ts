/** Values that were given by mistake, in messages: whatever JavaScript can pass has a text. */

/** Control characters, and those that turn the direction of what follows. */
const UNPRINTABLE = /[\p{Cc}\u2028-\u202e\u2066-\u2069]/gu;

/** A text of unknown origin on one line of a terminal: what would command it is escaped. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => {
    if (character === "\n") return "\\n";
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

/** The value as one would write it; objects in JSON. */
export function shown(value: unknown): string {
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value !== "string" && typeof value !== "object") return String(value);
  try {
    return JSON.stringify(value);
  } catch {
    // It goes in a circle, or has a number that JSON does not have.
    return "an object";
  }
}
