/**
 * Hides the columns of a CSV text whose names say that they are secret. It reads as `csv.ts` does:
 * a quote means something at the beginning of a field only, LF and CRLF end a record.
 */

import { isSecretName } from "../../core/redact.ts";

/** A longer header is none: an import refuses such a file. */
const HEADER_CHARACTERS_MAX = 1_048_576;

type Place = "begin" | "plain" | "quoted" | "quote";

/** The mask of one CSV text, of bytes as characters (latin1). */
export class ColumnMask {
  readonly #hidden: string;
  #secret: ReadonlySet<number> | undefined;
  #names: string[] = [];
  #name = "";
  #column = 0;
  #place: Place = "begin";
  #isCarriageReturn = false;
  #isHidden = false;
  #header = 0;
  #count = 0;

  /** @param hidden stands for what is not shown. */
  constructor(hidden: string) {
    this.#hidden = hidden;
  }

  /** Fields hidden so far. */
  get count(): number {
    return this.#count;
  }

  /** Takes the next characters; gives what stands for them. */
  push(text: string): string {
    if (this.#secret?.size === 0) return text;
    let covered = "";
    let kept = 0;
    for (let at = 0; at < text.length; at++) {
      const character = text.charAt(at);
      const isSecret = this.#secret?.has(this.#column) === true;
      const isEnd = this.#isEnd(character);
      if (this.#secret === undefined) this.#readHeader(character, isEnd);
      if (isSecret) {
        covered += text.slice(kept, at) + this.#cover(character, isEnd);
        kept = at + 1;
      }
      if (isEnd) this.#nextField(character);
      this.#isCarriageReturn = character === "\r";
    }
    return covered + text.slice(kept);
  }

  /** Whether a character ends the field; notes where in it the next one will be. */
  #isEnd(character: string): boolean {
    if (this.#place === "quoted") {
      if (character === '"') this.#place = "quote";
      return false;
    }
    if (this.#place === "quote" && character === '"') {
      this.#place = "quoted";
      return false;
    }
    if (character === "," || character === "\n") return true;
    this.#place = this.#place === "begin" && character === '"' ? "quoted" : "plain";
    return false;
  }

  /** An empty field stays empty; the line break behind a field stays what it was. */
  #cover(character: string, isEnd: boolean): string {
    if (isEnd) return character === "\n" && this.#isCarriageReturn ? "\r\n" : character;
    if (this.#isHidden || character === "\r") return "";
    this.#isHidden = true;
    this.#count++;
    return this.#hidden;
  }

  #nextField(character: string): void {
    this.#column = character === "\n" ? 0 : this.#column + 1;
    this.#place = "begin";
    this.#isHidden = false;
  }

  #readHeader(character: string, isEnd: boolean): void {
    if (!isEnd) {
      this.#name += character;
      if (++this.#header > HEADER_CHARACTERS_MAX) this.#secret = new Set();
      return;
    }
    this.#names.push(
      this.#name
        .replace(/^\xef\xbb\xbf/, "")
        .replaceAll('"', "")
        .trim(),
    );
    this.#name = "";
    if (character !== "\n") return;
    const isBlank = this.#names.length === 1 && this.#names[0] === "";
    const secret = this.#names.flatMap((name, index) => (isSecretName(name) ? [index] : []));
    if (!isBlank) this.#secret = new Set(secret);
    this.#names = [];
  }
}
