/**
 * A footprint as one line of JSON, for tiers that outlive the process. Values keep their storage
 * class: `{"integer":"7"}`, `{"real":"-0"}`, `{"blob":"00ff"}`, a text as a string, NULL as null.
 * Equal footprints have equal texts, whatever the order of their atoms and columns.
 */

import type { Atom, Footprint } from "./footprint.ts";
import type { Comparison, Predicate } from "./predicate.ts";
import type { StoredValue } from "./value.ts";

/** Stands in every text. A text of another form is not read. */
const FORM = 1;

const COMPARISONS: readonly unknown[] = ["=", "<>", "<", "<=", ">", ">=", "is", "is not"];

/** The text that `parseFootprint` reads. */
export function footprintText({ atoms }: Footprint): string {
  const texts = new Set(atoms.map(atomText));
  return `[${FORM},[${[...texts].sort().join()}]]`;
}

/** The text of one atom, equal for equal atoms. */
export function atomText({ table, columns, predicate }: Atom): string {
  const names = columns === "all" ? "all" : [...columns].sort();
  return JSON.stringify([table, names, predicateData(predicate)]);
}

function predicateData(predicate: Predicate): unknown {
  switch (predicate.kind) {
    case "always":
    case "opaque":
      return [predicate.kind];
    case "compare":
      return [predicate.operator, predicate.column, valueData(predicate.value)];
    case "in":
      return ["in", predicate.column, predicate.values.map(valueData)];
    case "and":
    case "or":
      return [predicate.kind, predicate.parts.map(predicateData)];
    case "not":
      return ["not", predicateData(predicate.part)];
  }
}

function valueData(value: StoredValue): unknown {
  if (value === null || typeof value === "string") return value;
  if (typeof value === "bigint") return { integer: String(value) };
  if (typeof value === "number") return { real: realText(value) };
  return { blob: Buffer.from(value).toString("hex") };
}

/** The shortest decimal that is read as this number, with the sign of a zero. */
function realText(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

/**
 * The footprint of a text, or undefined when the text is damaged or of another version: then
 * nothing is known of what was read.
 */
export function parseFootprint(text: string): Footprint | undefined {
  try {
    const [form, atoms] = tuple(JSON.parse(text), 2);
    return form === FORM ? { atoms: list(atoms).map(parseAtom) } : undefined;
  } catch {
    return undefined;
  }
}

function parseAtom(data: unknown): Atom {
  const [table, names, predicate] = tuple(data, 3);
  const columns = names === "all" ? "all" : new Set(list(names).map(string));
  return { table: string(table), columns, predicate: parsePredicate(predicate) };
}

function parsePredicate(data: unknown): Predicate {
  const [kind, first, second] = list(data);
  switch (kind) {
    case "always":
    case "opaque":
      tuple(data, 1);
      return { kind };
    case "and":
    case "or":
      tuple(data, 2);
      return { kind, parts: list(first).map(parsePredicate) };
    case "not":
      tuple(data, 2);
      return { kind, part: parsePredicate(first) };
    case "in":
      tuple(data, 3);
      return { kind, column: string(first), values: list(second).map(parseValue) };
    default: {
      tuple(data, 3);
      const operator = comparison(kind);
      return { kind: "compare", operator, column: string(first), value: parseValue(second) };
    }
  }
}

function parseValue(data: unknown): StoredValue {
  if (data === null || typeof data === "string") return data;
  const [storageClass, value] = tuple(Object.entries(data as object).flat(), 2);
  const digits = string(value);
  if (storageClass === "integer" && /^-?\d+$/.test(digits)) return BigInt(digits);
  if (storageClass === "real" && realText(Number(digits)) === digits) return Number(digits);
  if (storageClass === "blob" && /^(?:[0-9a-f]{2})*$/.test(digits)) {
    return new Uint8Array(Buffer.from(digits, "hex"));
  }
  throw new SyntaxError("not a value");
}

function comparison(data: unknown): Comparison {
  if (COMPARISONS.includes(data)) return data as Comparison;
  throw new SyntaxError("not a comparison");
}

function list(data: unknown): readonly unknown[] {
  if (Array.isArray(data)) return data;
  throw new SyntaxError("not a list");
}

function tuple(data: unknown, length: number): readonly unknown[] {
  if (list(data).length === length) return list(data);
  throw new SyntaxError(`not a list of ${length}`);
}

function string(data: unknown): string {
  if (typeof data === "string") return data;
  throw new SyntaxError("not a string");
}
