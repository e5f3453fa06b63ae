/** Reads one row by column names and notes everything that is wrong with it. */

import { isSpringhouseError, SpringhouseError } from "springhouse";
import type { CsvRecord } from "springhouse/import";
import { reasonOf } from "./invalid.ts";
import type { Problem } from "./problems.ts";

/** Long values are cut in reports. */
const VALUE_CHARACTERS_MAX = 80;

/** Where each column stands in a file. */
export type Header = ReadonlyMap<string, number>;

/**
 * The places of the columns in a file's first record.
 *
 * @throws `VALIDATION` when there is none, or a column is missing, unknown or there twice: such a
 *   file is refused whole, since every row of it would be guessed at.
 */
export function readHeader(record: CsvRecord | undefined, columns: readonly string[]): Header {
  if (record === undefined) throw headerError("The file is empty", [], columns);
  const found = record.fields.map((name) => name.trim());
  const faults = [
    ...columns.filter((name) => !found.includes(name)).map((name) => `"${name}" is missing`),
    ...found.filter((name) => !columns.includes(name)).map((name) => `"${name}" is unknown`),
    ...columns
      .filter((name) => found.indexOf(name) !== found.lastIndexOf(name))
      .map((name) => `"${name}" is there twice`),
  ];
  if (record.problem !== undefined) faults.push(`the line ${record.problem}`);
  if (faults.length > 0) {
    throw headerError(`The header is wrong: ${faults.join("; ")}`, faults, columns);
  }
  return new Map(found.map((name, index) => [name, index]));
}

function headerError(
  what: string,
  faults: readonly string[],
  columns: readonly string[],
): SpringhouseError {
  return new SpringhouseError("VALIDATION", `${what}. The columns are: ${columns.join(", ")}.`, {
    fields: { faults, columns },
  });
}

/** One row, whose values are texts by column name. */
export class RowReader {
  readonly problems: Problem[] = [];
  #isRefused = false;
  readonly #line: number;
  readonly #textOf: (column: string) => string;

  /** @param line what the row is called in problems: a line of a file, or the id of a row. */
  constructor(line: number, textOf: (column: string) => string) {
    this.#line = line;
    this.#textOf = textOf;
  }

  /** The text of a column; empty when there is none. */
  text(column: string): string {
    return this.#textOf(column);
  }

  /** The parsed value of a column, or `otherwise` with a problem noted. */
  read<T>(column: string, parse: (text: string) => T, otherwise: T): T {
    const text = this.#textOf(column);
    try {
      return parse(text);
    } catch (error) {
      if (!isSpringhouseError(error, "VALIDATION")) throw error;
      this.note(column, text, reasonOf(error));
      return otherwise;
    }
  }

  /** As `read`, but a blank text is no problem: it is `otherwise`. */
  readOptional<T>(column: string, parse: (text: string) => T, otherwise: T): T {
    return this.#textOf(column).trim() === "" ? otherwise : this.read(column, parse, otherwise);
  }

  /** Notes that the row is none: its values are guesses, so nothing more is said about them. */
  refuse(text: string, reason: string): void {
    this.note("", text, reason);
    this.#isRefused = true;
  }

  /** Notes that the value of a column cannot be used. */
  note(column: string, value: string, reason: string): void {
    if (this.#isRefused) return;
    this.problems.push({ line: this.#line, column, value: shorten(value), reason });
  }
}

/** The row of a CSV record; one with too few or too many fields is refused as a whole. */
export function csvRow(header: Header, record: CsvRecord): RowReader {
  const { fields } = record;
  const row = new RowReader(record.line, (column) => fields[header.get(column) ?? -1] ?? "");
  if (record.problem !== undefined) row.refuse(fields.join(","), record.problem);
  else if (fields.length !== header.size) {
    const count = fields.length === 1 ? "1 field" : `${fields.length} fields`;
    row.refuse(fields.join(","), `has ${count} where the header has ${header.size}`);
  }
  return row;
}

function shorten(value: string): string {
  return value.length <= VALUE_CHARACTERS_MAX
    ? value
    : `${value.slice(0, VALUE_CHARACTERS_MAX - 1)}…`;
}
