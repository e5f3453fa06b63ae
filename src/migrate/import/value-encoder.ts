/** Rows of a table that no entity declares: each value is checked against its column's type. */

import { SpringhouseError } from "../../core/errors.ts";
import { isPlainObject } from "../../core/plain-object.ts";
import { redactNamed } from "../../core/redact.ts";
import type { SqlValue } from "../../core/statement.ts";
import type { EncodedRows, Encoder } from "./encode.ts";
import { type InferredType, typeOfText, typeOfValue } from "./infer.ts";
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
      if (stored === undefined)
        problems.push(`${name}: ${shown(name, part)} is not of type ${column.type}`);
      else row[column.at] = stored;
    }
    if (problems.length > 0) throw new SpringhouseError("VALIDATION", problems.join("; "));
    into.shapes.push(0);
    into.rows.push(row);
  }
}

/** Undefined when the text is none of that type. */
function ofText(type: InferredType, text: string): SqlValue | undefined {
  if (type === "text" || type === "any") return text;
  const found = typeOfText(text);
  if (found === undefined) return null;
  if (type === "json") return text;
  if (type === "boolean")
    return found === "boolean" ? Number(text.toLowerCase() === "true") : undefined;
  if (found === "integer") return type === "real" ? Number(text) : exactInteger(text);
  return found === "real" && type === "real" ? Number(text) : undefined;
}

/** Undefined when the value is none of that type. */
function ofValue(type: InferredType, value: unknown): SqlValue | undefined {
  const found = typeOfValue(value);
  if (found === undefined) return null;
  if (type === "json") return JSON.stringify(value, bigintAsNumber);
  if (found === "json") return undefined;
  if (type === "any") return typeof value === "boolean" ? Number(value) : (value as SqlValue);
  if (type === "boolean") return found === "boolean" ? Number(value) : undefined;
  if (type === "real") return found === "integer" || found === "real" ? Number(value) : undefined;
  return found === type ? (value as SqlValue) : undefined;
}

function exactInteger(text: string): SqlValue {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : BigInt(text);
}

/** JSON has no bigints, but numbers of any length. */
function bigintAsNumber(_key: string, value: unknown): unknown {
  if (typeof value !== "bigint") return value;
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(String(value));
}

/** A reason goes into a file and onto the screen: no secret of the item may come along. */
function shown(name: string, given: unknown): string {
  const value = redactNamed(name, given);
  const text = typeof value === "bigint" ? String(value) : (JSON.stringify(value) ?? String(value));
  if (text.length <= SHOWN_CHARACTERS_MAX) return text;
  return `${text.slice(0, SHOWN_CHARACTERS_MAX - 1)}…`;
}
