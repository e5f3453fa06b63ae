/**
 * JSON whose numbers stay what they are. JavaScript rounds whole numbers beyond 2^53 and makes
 * Infinity of 1e400, which JSON then writes as null. Here the first are bigints, which issues keep
 * to the digit; everything else, which is stored as JSON by JavaScript, refuses both.
 */

import { type Complain, isObject, type Path } from "./json-reader.ts";

/** Few texts have numbers of so many digits, or such exponents. */
const SUSPECT = /\d{16}|\d[eE]\+?\d{3}/;

/** A number that is too large even for a double. */
export class TooLargeNumber extends Error {
  override readonly name = "TooLargeNumber";
  /** As it is written. */
  readonly source: string;

  constructor(source: string) {
    super(`the number ${source}, which is too large`);
    this.source = source;
  }
}

/**
 * Parses a text.
 *
 * @throws `SyntaxError` when it is no JSON, `TooLargeNumber` when it has a number beyond 1.8e308.
 */
export function parseJson(text: string): unknown {
  if (!SUSPECT.test(text)) return JSON.parse(text);
  return JSON.parse(text, exactNumber as (key: string, value: unknown) => unknown);
}

/** The third argument, the text of a number, is new to the types. */
function exactNumber(_key: string, value: unknown, context: { readonly source?: string }): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  const { source = "" } = context;
  if (/^-?\d+$/.test(source)) return BigInt(source);
  if (!Number.isFinite(value)) throw new TooLargeNumber(source);
  return value;
}

/** The text of a value in which bigints may be. */
export function writeJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, bigintAsNumber, indent);
}

function bigintAsNumber(_key: string, value: unknown): unknown {
  if (typeof value !== "bigint") return value;
  // The types of ES2024 do not know it yet.
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(String(value));
}

/** A value that JSON can store: numbers that it cannot are complained of, and null instead. */
export function storable(value: unknown, path: Path, complain: Complain): unknown {
  if (typeof value === "bigint" || isEndless(value)) {
    complain(path, "is a number that would be rounded; write it as a text");
    return null;
  }
  if (Array.isArray(value)) {
    return value.map((item, index) => storable(item, [...path, index], complain));
  }
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => [key, storable(part, [...path, key], complain)]),
  );
}

/** Where a value has a number that no JSON can have; undefined when it has none. */
export function endlessPath(value: unknown): Path | undefined {
  if (isEndless(value)) return [];
  if (typeof value !== "object" || value === null) return undefined;
  for (const [key, part] of Object.entries(value)) {
    const inside = endlessPath(part);
    if (inside !== undefined) return [key, ...inside];
  }
  return undefined;
}

function isEndless(value: unknown): boolean {
  return typeof value === "number" && !Number.isFinite(value);
}
