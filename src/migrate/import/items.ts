/** From a file to its items: parsed values with the place where they stand. */

import { isSpringhouseError, messageOf, SpringhouseError } from "../../core/errors.ts";
import { type CsvRecord, readCsv } from "./csv.ts";
import { parseExactly } from "./json-numbers.ts";
import { type JsonDocument, JsonScanner } from "./json-scanner.ts";
import type { ImportFormat, SourceFile } from "./source.ts";
import { readText } from "./text.ts";

/** One item as it stands in the file. */
export interface RawItem {
  readonly line: number;
  readonly key: number | string | undefined;
  /** The parsed value; undefined when there is a problem. */
  readonly value: unknown;
  readonly problem?: string;
}

/** Makes an item when it is its turn: what is skipped need not be parsed. */
export type LazyItem = () => RawItem;

/** So much of a file is looked at to tell how it is cut. */
const SAMPLE_CHARACTERS = 262_144;
/** Members of an object that are looked at to tell a map from a document. */
const MEMBERS_SAMPLED = 5;

/** The items of a file, as many at a time as a chunk of it has. */
export async function* readItems(
  file: SourceFile,
  format: ImportFormat,
  onBytes?: (bytes: number) => void,
): AsyncGenerator<readonly LazyItem[]> {
  const chunks = readText(file.path, { onBytes });
  if (format === "csv") yield* csvItems(file, chunks);
  else if (format === "ndjson") yield* lineItems(file, chunks);
  else yield* jsonItems(file, format, chunks);
}

/**
 * How a file is cut, from its name and its beginning. An object whose first members are objects is
 * a map of items, any other object is one document.
 */
export async function formatOf(file: SourceFile): Promise<ImportFormat> {
  if (file.format !== undefined) return file.format;
  if (/\.csv(?:\.\w+)?$/i.test(file.path)) return "csv";
  if (/\.(?:jsonl|ndjson)(?:\.\w+)?$/i.test(file.path)) return "ndjson";
  const text = await beginningOf(file.path);
  const [first = ""] = text.trimStart();
  if (file.at.length > 0 || first === "[") return "array";
  if (first !== "{") return "document";
  return isSeveralTexts(text) ? "ndjson" : objectFormat(file, text);
}

async function beginningOf(path: string): Promise<string> {
  let text = "";
  for await (const chunk of readText(path)) {
    text += chunk;
    if (text.length >= SAMPLE_CHARACTERS) break;
  }
  return text;
}

/** Whether a whole JSON text stands on the first line, and another one behind it. */
function isSeveralTexts(text: string): boolean {
  const [first = "", ...rest] = text.trimStart().split(/\r?\n/, 3);
  return rest.join("").trimStart().startsWith("{") && isJson(first);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function objectFormat(file: SourceFile, text: string): ImportFormat {
  if (file.omit.length > 0) return "document";
  const scanner = new JsonScanner(file.path, { documents: "items" });
  const members = scanner.push(text).slice(0, MEMBERS_SAMPLED);
  // One long member may have no end in the sample: then only its beginning can be told.
  const begun = /^\s*\{\s*"(?:[^"\\]|\\.)*"\s*:\s*(.)/.exec(text)?.[1];
  const isMap =
    members.length === 0 ? begun === "{" : members.every((member) => member.text.startsWith("{"));
  return isMap ? "map" : "document";
}

async function* jsonItems(
  file: SourceFile,
  format: ImportFormat,
  chunks: AsyncIterable<string>,
): AsyncGenerator<readonly LazyItem[]> {
  const documents = format === "document" ? "whole" : "items";
  const { at, omit } = file;
  const scanner = new JsonScanner(file.path, { documents, at, omit });
  for await (const chunk of chunks) yield scanner.push(chunk).map(lazy);
  yield scanner.end().map(lazy);
}

function lazy(document: JsonDocument): LazyItem {
  return () => parsed(document);
}

async function* lineItems(
  file: SourceFile,
  chunks: AsyncIterable<string>,
): AsyncGenerator<readonly LazyItem[]> {
  if (file.at.length > 0 || file.omit.length > 0) {
    const message = `${file.path}: lines of JSON have no "at" and no "omit"; name another format.`;
    throw new SpringhouseError("INVALID_ARGUMENT", message, { fields: { path: file.path } });
  }
  let rest = "";
  let line = 1;
  for await (const chunk of chunks) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    yield linesOf(lines, line);
    line += lines.length;
  }
  yield linesOf([rest], line);
}

function linesOf(lines: readonly string[], first: number): LazyItem[] {
  const items: LazyItem[] = [];
  for (const [index, text] of lines.entries()) {
    const line = first + index;
    if (text !== "" && text.trim() !== "") items.push(() => parsed({ line, key: undefined, text }));
  }
  return items;
}

function parsed({ line, key, text, value: known }: JsonDocument): RawItem {
  try {
    const value = known ?? parseExactly(text);
    const isWell = !HALF_PAIR.test(text) || isWellFormed(value);
    const isNamedWell = typeof key !== "string" || key.isWellFormed();
    return isWell && isNamedWell
      ? { line, key, value }
      : { line, key: undefined, value: undefined, problem: NOT_WELL_FORMED };
  } catch (error) {
    const problem = isTooDeep(error) ? TOO_DEEP : notJson(error);
    return { line, key, value: undefined, problem };
  }
}

/** The reason for an item of which `isTooDeep` is true. */
export const TOO_DEEP = "is nested too deeply";

/** Whether something has failed because of lists in lists in lists, thousands of them. */
export function isTooDeep(error: unknown): boolean {
  return error instanceof RangeError && /call stack/.test(error.message);
}

/** Only an escape can be half of a pair: the text itself was decoded strictly. */
const HALF_PAIR = /\\u[dD][89a-fA-F]/;
const NOT_WELL_FORMED =
  "is not well-formed text: half of a surrogate pair, such as \\ud800, stands alone";

function isWellFormed(value: unknown): boolean {
  if (typeof value === "string") return value.isWellFormed();
  if (typeof value !== "object" || value === null) return true;
  return Object.entries(value).every(([name, part]) => name.isWellFormed() && isWellFormed(part));
}

/** The parser quotes what stands around the mistake, which may be a secret. */
const QUOTED = /(?:, )?(?:\.\.\.)?".*"(?:\.\.\.)? is not valid JSON$/s;

function notJson(error: unknown): string {
  const said = messageOf(error).replace(QUOTED, "");
  return said === "" ? "is no JSON" : `is no JSON: ${said}`;
}

/** How many records are handed on together. */
const RECORDS_AT_ONCE = 200;

async function* csvItems(
  file: SourceFile,
  chunks: AsyncIterable<string>,
): AsyncGenerator<readonly LazyItem[]> {
  let header: readonly string[] | undefined;
  let items: LazyItem[] = [];
  for await (const record of csvRecords(file.path, chunks)) {
    if (header === undefined) {
      header = headerOf(file.path, record);
      continue;
    }
    const names = header;
    items.push(() => csvItem(names, record));
    if (items.length < RECORDS_AT_ONCE) continue;
    yield items;
    items = [];
  }
  if (header === undefined) throw fileError(file.path, 1, "the file is empty");
  yield items;
}

/** As `readCsv`, whose errors do not know the file. */
async function* csvRecords(path: string, chunks: AsyncIterable<string>): AsyncGenerator<CsvRecord> {
  try {
    yield* readCsv(chunks);
  } catch (error) {
    const isNamed = isSpringhouseError(error, "VALIDATION") && error.fields["path"] === undefined;
    if (!isNamed) throw error;
    const { line } = error.fields;
    const message = `${path}, ${error.message.replace(/^L/, "l")}`;
    throw new SpringhouseError("VALIDATION", message, { cause: error, fields: { path, line } });
  }
}

function headerOf(path: string, record: CsvRecord): readonly string[] {
  const names = record.fields.map((name) => name.trim());
  if (record.problem !== undefined) throw fileError(path, record.line, `it ${record.problem}`);
  const empty = names.indexOf("");
  if (empty >= 0) throw fileError(path, record.line, `column ${empty + 1} has no name`);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice === undefined) return names;
  throw fileError(path, record.line, `the column "${twice}" is there twice`);
}

function csvItem(header: readonly string[], { line, fields, problem }: CsvRecord): RawItem {
  const place = { line, key: undefined };
  if (problem !== undefined) return { ...place, value: undefined, problem };
  if (fields.length !== header.length) {
    const count = fields.length === 1 ? "1 field" : `${fields.length} fields`;
    const wrong = `has ${count} where the header has ${header.length}`;
    return { ...place, value: undefined, problem: wrong };
  }
  const value = Object.fromEntries(header.map((name, index) => [name, fields[index] ?? ""]));
  return { ...place, value };
}

/** The error for a file that cannot be read on. */
export function fileError(path: string, line: number, what: string): SpringhouseError {
  const message = `${path}, line ${line}: ${what}. Mend the file and run the import again.`;
  return new SpringhouseError("VALIDATION", message, { fields: { path, line } });
}
