/**
 * The columns of a table from a sample of items: which there are, what they hold, which is the key.
 * What comes later and does not fit is a reject, with the line; nothing is bent to fit.
 */

import { SpringhouseError } from "../../core/errors.ts";
import { lowerAscii } from "../../core/lower-ascii.ts";
import { isPlainObject } from "../../core/plain-object.ts";
import { redactNamed } from "../../core/redact.ts";
import { quoteIdentifier, quoteList } from "../../schema/quote.ts";
import { fileError, isTooDeep, readItems } from "./items.ts";
import { showValue } from "./json-numbers.ts";
import type { ReadableFile } from "./run.ts";

/** What a column holds. `json` is text, `any` keeps each value as it is. */
export type InferredType = "any" | "boolean" | "integer" | "json" | "real" | "text";

/** One column, as the sample has it. */
export interface InferredColumn {
  readonly name: string;
  readonly type: InferredType;
  /** Items of the sample without a value. */
  readonly nulls: number;
  /** A value of the sample, cut, and without secrets. */
  readonly example: string;
}

/** A table, as the sample has it. */
export interface InferredTable {
  readonly table: string;
  readonly columns: readonly InferredColumn[];
  /** Columns that tell rows apart; empty when nothing was found that does. */
  readonly key: readonly string[];
  /** Items that were looked at. */
  readonly sampled: number;
}

/** A table has no more columns in SQLite. */
const COLUMNS_MAX = 2_000;
const EXAMPLE_CHARACTERS_MAX = 40;
/** Names that are taken for the key when their values are all there and all different. */
const KEY_NAMES = ["id", "key", "uuid"];

/** Looks at the first items of each file, as many as are wanted in all. */
export async function inferTable(
  files: readonly ReadableFile[],
  table: string,
  sampleItems: number,
): Promise<InferredTable> {
  const sample = new Sample();
  const perFile = Math.ceil(sampleItems / files.length);
  for (const file of files) await sample.read(file, perFile);
  return sample.table(table);
}

/** CREATE TABLE for what was found. */
export function createInferred({ table, columns, key }: InferredTable): string {
  const lines = columns.map(({ name, type }) => {
    const column = quoteIdentifier(name);
    const required = key.includes(name) ? " NOT NULL" : "";
    const check =
      type === "boolean"
        ? ` CHECK (${column} IN (0, 1))`
        : type === "json"
          ? ` CHECK (json_valid(${column}))`
          : "";
    return `${column} ${SQL_TYPES[type]}${required}${check}`;
  });
  if (key.length > 0) lines.push(`PRIMARY KEY (${quoteList(key)})`);
  return `CREATE TABLE ${quoteIdentifier(table)} (\n  ${lines.join(",\n  ")}\n) STRICT`;
}

const SQL_TYPES: Readonly<Record<InferredType, string>> = {
  any: "ANY",
  boolean: "INTEGER",
  integer: "INTEGER",
  json: "TEXT",
  real: "REAL",
  text: "TEXT",
};

/** A whole number of CSV that 64 bits hold. */
export const WHOLE: RegExp = /^-?(?:0|[1-9]\d{0,17})$/;
const DECIMAL = /^-?(?:0|[1-9]\d*)\.\d+(?:[eE][+-]?\d+)?$/;

/** What a text of CSV looks like; undefined when it is empty. Leading zeros make a text. */
export function typeOfText(text: string): InferredType | undefined {
  if (text === "") return undefined;
  if (WHOLE.test(text)) return "integer";
  if (DECIMAL.test(text) && Number.isFinite(Number(text))) return "real";
  return /^(?:true|false)$/i.test(text) ? "boolean" : "text";
}

/** What a value of JSON is; undefined when it is null. */
export function typeOfValue(value: unknown): InferredType | undefined {
  switch (typeof value) {
    case "string":
      return "text";
    case "bigint":
      return "integer";
    case "number":
      return Number.isSafeInteger(value) ? "integer" : "real";
    case "boolean":
      return "boolean";
    default:
      return value === null || value === undefined ? undefined : "json";
  }
}

/** What was seen of one column. */
class ColumnSample {
  readonly #types = new Set<InferredType>();
  readonly #isText: boolean;
  readonly #distinct = new Set<unknown>();
  values = 0;
  example = "";

  /** @param isText whether the values are texts of CSV. */
  constructor(isText: boolean) {
    this.#isText = isText;
  }

  add(name: string, value: unknown): void {
    const type = this.#isText ? typeOfText(String(value)) : typeOfValue(value);
    if (type === undefined) return;
    if (this.values === 0) this.example = exampleOf(name, value);
    this.values++;
    this.#types.add(type);
    this.#distinct.add(value);
  }

  get isDistinct(): boolean {
    return this.#distinct.size === this.values && !this.#types.has("json");
  }

  get type(): InferredType {
    const types = [...this.#types];
    const [first = "text"] = types;
    if (types.length <= 1) return first;
    if (types.every((type) => type === "integer" || type === "real")) return "real";
    if (this.#isText) return "text";
    return this.#types.has("json") ? "json" : "any";
  }
}

/** The columns of all items that were looked at. */
class Sample {
  readonly #columns = new Map<string, ColumnSample>();
  #items = 0;

  async read(file: ReadableFile, itemsMax: number): Promise<void> {
    let read = 0;
    for await (const items of readItems(file, file.cut)) {
      for (const item of items) {
        if (read++ >= itemsMax) return;
        const { value, line } = item();
        // What is no object becomes a reject when it is its turn.
        if (!isPlainObject(value)) continue;
        if (Object.keys(value).some((name) => name.includes("\0"))) {
          throw fileError(file.path, line, 'a name holds "\\u0000", which no column can have');
        }
        this.#add(value, file.cut === "csv");
      }
    }
  }

  table(table: string): InferredTable {
    if (this.#items === 0) {
      throw new SpringhouseError(
        "VALIDATION",
        "The files hold no objects, so there are no columns. Give a mapping with --map.",
      );
    }
    const columns = [...this.#columns].map(([name, column]) => ({
      name,
      type: column.type,
      nulls: this.#items - column.values,
      example: column.example,
    }));
    refuseSameNames(columns.map(({ name }) => name));
    const key = KEY_NAMES.find((name) => {
      const column = this.#columns.get(name);
      return column?.values === this.#items && column.isDistinct;
    });
    return { table, columns, key: key === undefined ? [] : [key], sampled: this.#items };
  }

  #add(value: Readonly<Record<string, unknown>>, isText: boolean): void {
    this.#items++;
    for (const [name, part] of Object.entries(value)) {
      let column = this.#columns.get(name);
      if (column === undefined) {
        if (this.#columns.size === COLUMNS_MAX) throw tooManyColumns();
        column = new ColumnSample(isText);
        this.#columns.set(name, column);
      }
      column.add(name, part);
    }
  }
}

function exampleOf(name: string, given: unknown): string {
  let text: string;
  try {
    const value = redactNamed(name, given);
    text = typeof value === "string" ? value : showValue(value);
  } catch (error) {
    // Its item becomes a reject when it is its turn.
    if (!isTooDeep(error)) throw error;
    return "…";
  }
  if (text.length <= EXAMPLE_CHARACTERS_MAX) return text;
  return `${text.slice(0, EXAMPLE_CHARACTERS_MAX - 1)}…`;
}

/** SQLite does not tell "Id" from "id". */
function refuseSameNames(names: readonly string[]): void {
  const seen = new Map<string, string>();
  for (const name of names) {
    const other = seen.get(lowerAscii(name));
    if (other !== undefined) {
      const message = `"${other}" and "${name}" would be one column. Give a mapping with --map.`;
      throw new SpringhouseError("VALIDATION", message, { fields: { names: [other, name] } });
    }
    seen.set(lowerAscii(name), name);
  }
}

function tooManyColumns(): SpringhouseError {
  const message =
    `The items have more than ${COLUMNS_MAX} different members: a map, perhaps, rather than a ` +
    "list. Name the format, or give a mapping with --map.";
  return new SpringhouseError("VALIDATION", message);
}
