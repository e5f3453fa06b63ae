/** Rows of a table that no entity declares: each value is checked against its column's type. */

import { SpringhouseError } from "../../core/errors.ts";
import { isPlainObject } from "../../core/plain-object.ts";
import { redactNamed } from "../../core/redact.ts";
import type { SqlValue } from "../../core/statement.ts";
import type { EncodedRows, Encoder } from "./encode.ts";
import { type InferredType, typeOfText, typeOfValue, WHOLE } from "./infer.ts";
import { isBeyondDouble, showValue, stringifyExactly } from "./json-numbers.ts";
import type { TableShape } from "./plan.ts";

/** Long values are cut in reasons. */
const SHOWN_CHARACTERS_MAX = 40;

/** The encoder of one table. */
export class ValueEncoder implements Encoder {
  readonly shapes: readonly [TableShape];
  readonly #columns: ReadonlyMap<string, { readonly at: number; readonly type: InferredType }>;
  readonly #isText: boolean;

  /** @param isText whether the values are texts of CSV. */
  constructor(
    shape: TableShape,
    columns: readonly { readonly name: string; readonly type: InferredType }[],
    isText: boolean,
  ) {
    this.shapes = [shape];
    this.#columns = new Map(columns.map(({ name, type }, at) => [name, { at, type }]));
    this.#isText = isText;
  }

  encode(given: Readonly<Record<string, unknown>>, into: EncodedRows): void {
    const [{ table }] = this.shapes;
    const value = given[table];
    if (!isPlainObject(value)) {
      throw new SpringhouseError("VALIDATION", `is no object: ${shown("", value)}`);
    }
    const row: SqlValue[] = new Array<SqlValue>(this.#columns.size).fill(null);
    const problems: string[] = [];
    for (const [name, part] of Object.entries(value)) {
      const column = this.#columns.get(name);
      if (column === undefined) {
        problems.push(`there is no column "${name}": a larger --sample would have found it`);
        continue;
      }
      const stored = this.#isText ? ofText(column.type, String(part)) : ofValue(column.type, part);
      if (stored === undefined) {
        const value = this.#isText ? wholeOf(String(part)) : part;
        problems.push(`${name}: ${misfit(column.type, name, value)}`);
      } else row[column.at] = stored;
    }
    if (problems.length > 0) throw new SpringhouseError("VALIDATION", problems.join("; "));
    into.shapes.push(0);
    into.rows.push(row);
  }
}

/** Undefined when the text is none of that type. CSV has only texts: `any` keeps them. */
function ofText(type: InferredType, text: string): SqlValue | undefined {
  if (type === "text" || type === "any") return text;
  const found = typeOfText(text);
  if (found === undefined) return null;
  if (type === "json") return text;
  if (type === "boolean")
    return found === "boolean" ? Number(text.toLowerCase() === "true") : undefined;
  if (found === "integer") return type === "real" ? exactReal(BigInt(text)) : exactInteger(text);
  return found === "real" && type === "real" ? Number(text) : undefined;
}

/** Undefined when the value is none of that type. */
function ofValue(type: InferredType, value: unknown): SqlValue | undefined {
  const found = typeOfValue(value);
  if (found === undefined) return null;
  if (type === "json") return stringifyExactly(value);
  if (found === "json" || isBeyondDouble(value)) return undefined;
  if (type === "any") return ofAny(value as boolean | SqlValue);
  if (type === "boolean") return found === "boolean" ? Number(value) : undefined;
  if (type === "real") return ofReal(value);
  if (found !== type) return undefined;
  return typeof value === "bigint" ? stored64(value) : (value as SqlValue);
}

/** A number is bound as a real one, which a column without a type keeps; a bigint is not. */
function ofAny(value: boolean | SqlValue): SqlValue | undefined {
  if (typeof value === "boolean" || Number.isSafeInteger(value)) return BigInt(value as number);
  return typeof value === "bigint" ? stored64(value) : value;
}

function ofReal(value: unknown): SqlValue | undefined {
  if (typeof value === "bigint") return exactReal(value);
  return typeof value === "number" ? value : undefined;
}

/** Undefined for a whole number that a double would round. */
function exactReal(value: bigint): number | undefined {
  const real = Number(value);
  return Number.isFinite(real) && BigInt(real) === value ? real : undefined;
}

/** Undefined for a whole number that SQLite cannot store as one. */
function stored64(value: bigint): bigint | undefined {
  return BigInt.asIntN(64, value) === value ? value : undefined;
}

function exactInteger(text: string): SqlValue {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : BigInt(text);
}

/** A whole number of CSV as that of JSON. */
function wholeOf(text: string): bigint | string {
  return WHOLE.test(text) && !Number.isSafeInteger(Number(text)) ? BigInt(text) : text;
}

/** Why a value does not fit the type. */
function misfit(type: InferredType, name: string, value: unknown): string {
  if (isBeyondDouble(value)) return "is a number beyond 1.8e308, which no column keeps";
  if (type === "json") return "holds a number beyond 1.8e308, which cannot be kept";
  const text = shown(name, value);
  if (typeof value !== "bigint") return `${text} is not of type ${type}`;
  if (type === "real") return `${text} would be rounded in a real column`;
  if (type === "integer" || type === "any") return `${text} does not fit into 64 bits`;
  return `${text} is not of type ${type}`;
}

/** A reason goes into a file and onto the screen: no secret of the item may come along. */
function shown(name: string, given: unknown): string {
  const text = showValue(redactNamed(name, given));
  if (text.length <= SHOWN_CHARACTERS_MAX) return text;
  return `${text.slice(0, SHOWN_CHARACTERS_MAX - 1)}…`;
}
