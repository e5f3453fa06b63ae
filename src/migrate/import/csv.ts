/**
 * A streaming reader and a writer for CSV after RFC 4180: quoted fields with doubled quotes, line
 * breaks inside quotes, LF and CRLF, a byte order mark.
 *
 * It holds one chunk and one record at a time. A quote that is never closed would swallow the rest
 * of the file as one field, so it refuses the whole file; a quote at the wrong place inside one
 * record is a problem of that record only.
 */

import { SpringhouseError } from "../../core/errors.ts";

/** A first line that ends with CR alone: others would be its fields. Quotes come in pairs. */
const LONE_RETURN = /^(?:"[^"]*"|[^"\r\n])*\r(?!\n|$)/;
/** A longer record means a missing quote, not a long text; it bounds what is held in memory. */
const RECORD_CHARACTERS_MAX = 1_048_576;

/** One record and the line of the file on which it begins; the first line is 1. */
export interface CsvRecord {
  readonly line: number;
  readonly fields: readonly string[];
  /** Set when a quote stands at the wrong place; `fields` is then a guess. */
  readonly problem?: string;
}

/**
 * The records of a CSV text; blank lines are left out.
 *
 * @throws `VALIDATION` for a quote that is never closed and for lines that end with CR alone.
 */
export async function* readCsv(
  chunks: AsyncIterable<string> | Iterable<string>,
): AsyncGenerator<CsvRecord> {
  let text = "";
  let line = 1;
  let started = false;
  for await (const chunk of chunks) {
    text += started ? chunk : chunk.replace(/^\uFEFF/, "");
    if (!started && LONE_RETURN.test(text)) throw loneReturn();
    started ||= chunk !== "";
    let at = 0;
    for (let next = parseRecord(text, at, false); next; next = parseRecord(text, at, false)) {
      if (!isBlank(next)) yield recordAt(line, next);
      line += next.lines;
      at = next.end;
    }
    text = text.slice(at);
    if (text.length > RECORD_CHARACTERS_MAX) throw tooLong(line);
  }
  // The last record may lack its line break.
  const last = text === "" ? undefined : parseRecord(text, 0, true);
  if (text !== "" && last === undefined) throw neverClosed(line);
  if (last !== undefined && !isBlank(last)) yield recordAt(line, last);
}

/** One line of CSV with its line break; what needs quotes gets them. */
export function csvLine(fields: readonly string[]): string {
  const quoted = fields.map((field) =>
    /[",\r\n]|^\s|\s$/.test(field) ? `"${field.replaceAll('"', '""')}"` : field,
  );
  return `${quoted.join(",")}\r\n`;
}

interface Parsed {
  readonly fields: readonly string[];
  /** Position behind the record. */
  readonly end: number;
  /** Line breaks that the record takes up, those inside quotes included. */
  readonly lines: number;
  readonly problem?: string;
}

function recordAt(line: number, { fields, problem }: Parsed): CsvRecord {
  return problem === undefined ? { line, fields } : { line, fields, problem };
}

function isBlank({ fields, problem }: Parsed): boolean {
  return fields.length === 1 && fields[0] === "" && problem === undefined;
}

/** Parses the record that begins at `at`; undefined when its end is not in the text yet. */
function parseRecord(text: string, at: number, isLast: boolean): Parsed | undefined {
  const lineEnd = endOfLine(text, at, isLast);
  if (lineEnd === undefined) return undefined;
  // Most lines have no quote at all.
  const line = text.slice(at, lineEnd.stop);
  if (!line.includes('"')) return { fields: line.split(","), end: lineEnd.next, lines: 1 };
  return parseQuoted(text, at, isLast);
}

function parseQuoted(text: string, start: number, isLast: boolean): Parsed | undefined {
  const fields: string[] = [];
  let problem: string | undefined;
  for (let at = start; ; ) {
    const field = text[at] === '"' ? quotedField(text, at, isLast) : { value: "", end: at };
    const lineEnd = field === undefined ? undefined : endOfLine(text, field.end, isLast);
    if (field === undefined || lineEnd === undefined) return undefined;
    const comma = text.indexOf(",", field.end);
    const ends = comma === -1 || comma >= lineEnd.stop;
    const tail = text.slice(field.end, ends ? lineEnd.stop : comma);
    if (text[at] === '"' && tail !== "") problem ??= "has text behind a closing quote";
    if (text[at] !== '"' && tail.includes('"')) problem ??= "has a quote in an unquoted field";
    fields.push(field.value + tail);
    if (!ends) {
      at = comma + 1;
      continue;
    }
    const lines = text.slice(start, lineEnd.next).split("\n").length - 1;
    const parsed = { fields, end: lineEnd.next, lines };
    return problem === undefined ? parsed : { ...parsed, problem };
  }
}

/** The field whose opening quote is at `at`; undefined when it does not close in the text. */
function quotedField(
  text: string,
  at: number,
  isLast: boolean,
): { readonly value: string; readonly end: number } | undefined {
  for (let from = at + 1; ; ) {
    const quote = text.indexOf('"', from);
    if (quote === -1) return undefined;
    if (quote + 1 === text.length && !isLast) return undefined;
    if (text[quote + 1] === '"') {
      from = quote + 2;
      continue;
    }
    return { value: text.slice(at + 1, quote).replaceAll('""', '"'), end: quote + 1 };
  }
}

/** Where the line that `at` is in stops, and where the next one begins. */
function endOfLine(
  text: string,
  at: number,
  isLast: boolean,
): { readonly stop: number; readonly next: number } | undefined {
  const feed = text.indexOf("\n", at);
  if (feed === -1) {
    if (!isLast) return undefined;
    return { stop: text.endsWith("\r") ? text.length - 1 : text.length, next: text.length };
  }
  return { stop: feed > at && text[feed - 1] === "\r" ? feed - 1 : feed, next: feed + 1 };
}

function neverClosed(line: number): SpringhouseError {
  return new SpringhouseError(
    "VALIDATION",
    `Line ${line}: a quote is opened and never closed, so the rest of the file cannot be told ` +
      "apart. Close the quote; a quote inside a field is written twice.",
    { fields: { line } },
  );
}

function loneReturn(): SpringhouseError {
  return new SpringhouseError(
    "VALIDATION",
    "Line 1: it ends with a carriage return (CR) alone. Convert the file to lines that end with " +
      "LF or CRLF, for example with: tr '\\r' '\\n'",
    { fields: { line: 1 } },
  );
}

function tooLong(line: number): SpringhouseError {
  return new SpringhouseError(
    "VALIDATION",
    `Line ${line}: this record is longer than ${RECORD_CHARACTERS_MAX} characters. ` +
      "A closing quote is probably missing.",
    { fields: { line } },
  );
}
