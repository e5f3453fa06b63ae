/** JSON whose numbers are kept: whole numbers beyond 2^53 are bigints, read and written. */

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

/** The text of a value that `parseExactly` gave; undefined when it holds what was 1e400. */
export function stringifyExactly(value: unknown): string | undefined {
  let isWhole = true;
  const text = JSON.stringify(value, (_key, part: unknown) => {
    if (isBeyondDouble(part)) isWhole = false;
    return bigintAsNumber(part);
  });
  return isWhole ? text : undefined;
}

/** The text of any value, for people. */
export function showValue(value: unknown): string {
  const text = JSON.stringify(value, (_key, part: unknown) =>
    isBeyondDouble(part) ? String(part) : bigintAsNumber(part),
  );
  return text ?? String(value);
}

/** JSON has numbers of any size; one that is too large for a double is read as Infinity. */
export function isBeyondDouble(value: unknown): boolean {
  return value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY;
}

/** JSON has no bigints, but numbers of any length. */
function bigintAsNumber(value: unknown): unknown {
  if (typeof value !== "bigint") return value;
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(String(value));
}
