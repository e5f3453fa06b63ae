/** Values that were given by mistake, in messages: whatever JavaScript can pass has a text. */

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
