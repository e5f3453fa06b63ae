/** Parses JSON without rounding: whole numbers beyond 2^53 become bigints. */

/** So many digits may be a whole number that a double does not hold; few texts have them. */
const LONG_NUMBER = /\d{16}/;

/** @throws `SyntaxError` when it is no JSON. */
export function parseExactly(text: string): unknown {
  if (!LONG_NUMBER.test(text)) return JSON.parse(text);
  return JSON.parse(text, exactNumber as (key: string, value: unknown) => unknown);
}

/** `context` is the third argument that the types do not know yet: the text of the number. */
function exactNumber(_key: string, value: unknown, context: { readonly source?: string }): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  const { source = "" } = context;
  return /^-?\d+$/.test(source) ? BigInt(source) : value;
}
