/**
 * Cuts a JSON text that comes in chunks into its documents, without parsing them: the elements of
 * a list, the members of an object, or the whole text. Only the document that is being read is
 * held in memory, so a file may have any size.
 *
 * Braces and brackets are counted and texts are jumped over; whether a document is right inside is
 * seen when it is parsed, so one that is wrong can be set aside and the next one read. What cannot
 * be told apart any more, such as a text that breaks off, ends the file with the line.
 *
 * Looking at every character costs more than parsing. Programs write the same between all elements
 * of a list, so what stood between the last two is searched for, and the text up to there parsed.
 * When that succeeds, it was the element: no JSON object has a beginning that is one as well. When
 * it fails, the element is cut by counting; a list in which that happens often is not guessed at.
 */

import { unreachable } from "../../core/assert.ts";
import { SpringhouseError } from "../../core/errors.ts";
import { parseExactly } from "./json-numbers.ts";

/** A longer document means a bracket that is missing; it bounds what is held in memory. */
export const DOCUMENT_CHARACTERS_MAX = 67_108_864;

/** A guess that fails costs as much as some dozens that succeed gain. */
const PATIENCE = 4;
const PATIENCE_PER_GUESS = 1 / 32;
/** The last element of a chunk is never found; a list of few in a chunk is not worth it. */
const PATIENCE_PER_MISS = 1 / 4;
/** Longer gaps between elements are not worth to be remembered. */
const BETWEEN_MAX = 80;

/** One document, perhaps not parsed yet. */
export interface JsonDocument {
  /** Line on which it begins; the first line of a file is 1. */
  readonly line: number;
  /** Place in the list, or name in the object; undefined when it is the whole text. */
  readonly key: number | string | undefined;
  readonly text: string;
  /** The parsed text, when the scanner had to parse it anyway. */
  readonly value?: unknown;
}

/** What the documents of a text are. */
export interface JsonLayout {
  /** `items`: the elements of a list or the members of an object; `whole`: the text itself. */
  readonly documents: "items" | "whole";
  /** Names of members that lead to the list, outermost first. Default: the text itself. */
  readonly at?: readonly string[];
  /** Members that a whole object is read without. Default: none. */
  readonly omit?: readonly string[];
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** What becomes of the values of a list or an object. */
type Role = "take" | "search" | "gather";

interface Frame {
  readonly isObject: boolean;
  readonly role: Role;
  key: number | string;
}

/** What the value that comes next is for. */
type Use = "enter" | "take" | "gather" | "skip";

type State = "value" | "first" | "key" | "colon" | "next" | "end";

/** The scanner of one text. */
export class JsonScanner {
  readonly #path: string;
  readonly #layout: JsonLayout;
  readonly #frames: Frame[] = [];
  #documents: JsonDocument[] = [];
  #text = "";
  /** What stands before it has been dealt with. */
  #at = 0;
  #line = 1;
  /** The next line break that is not counted yet; beyond the text when it has none. */
  #feed = Number.POSITIVE_INFINITY;
  #isLast = false;
  #state: State = "value";
  #isFound: boolean;
  /** Members of a whole object that is gathered without some of them. */
  #members: string[] = [];
  #valueLine = 1;
  // Where the search for the end of the current value goes on; undefined: nothing was begun.
  #scanAt: number | undefined;
  #depth = 0;
  /** What stands between two objects of a list, their braces included; empty: not known. */
  #between = "";
  /** Guesses that may still fail; each that succeeds adds to it. */
  #patience = PATIENCE;

  /** @param path the file, for messages. */
  constructor(path: string, layout: JsonLayout) {
    this.#path = path;
    this.#layout = layout;
    this.#isFound = (layout.at ?? []).length === 0;
  }

  /** Takes the next piece of the text; gives the documents that end in it. */
  push(chunk: string): readonly JsonDocument[] {
    this.#text = this.#text.slice(this.#at) + chunk;
    if (this.#scanAt !== undefined) this.#scanAt -= this.#at;
    this.#at = 0;
    this.#feed = feedFrom(this.#text, 0);
    this.#run();
    return this.#taken();
  }

  /**
   * Says that the text is at its end.
   *
   * @throws `VALIDATION` when something is open, or what was looked for is not there.
   */
  end(): readonly JsonDocument[] {
    this.#isLast = true;
    this.#run();
    if (this.#state === "value" && this.#frames.length === 0) {
      throw this.#error("the file is empty");
    }
    if (this.#state !== "end") throw this.#error("the file breaks off", this.#openLine());
    if (!this.#isFound) throw this.#error(`there is no "${this.#layout.at?.join(".")}"`, 1);
    return this.#taken();
  }

  #taken(): readonly JsonDocument[] {
    const documents = this.#documents;
    this.#documents = [];
    return documents;
  }

  #openLine(): number {
    return this.#scanAt === undefined ? this.#line : this.#valueLine;
  }

  #run(): void {
    while (this.#step());
    if (this.#text.length - this.#at > DOCUMENT_CHARACTERS_MAX) {
      const what = `a document is longer than ${DOCUMENT_CHARACTERS_MAX} characters`;
      throw this.#error(`${what}; is a bracket missing?`, this.#openLine());
    }
  }

  /** Deals with what comes next; false when there is not enough text for it. */
  #step(): boolean {
    if (this.#scanAt === undefined) this.#skipSpace();
    if (this.#at >= this.#text.length) return false;
    switch (this.#state) {
      case "value":
        return this.#value();
      case "first":
        return this.#isClosed() || this.#begin();
      case "key":
        return this.#key();
      case "colon":
        this.#expect(COLON, "a colon");
        this.#state = "value";
        return true;
      case "next":
        if (this.#isClosed()) return true;
        this.#expect(COMMA, "a comma or the end of the list");
        return this.#begin();
      case "end":
        throw this.#error("there is more text behind the end");
      default:
        return unreachable(this.#state);
    }
  }

  #begin(): boolean {
    const frame = this.#frames.at(-1);
    if (frame?.isObject === false) frame.key = Number(frame.key) + 1;
    this.#state = frame?.isObject === true ? "key" : "value";
    return true;
  }

  #isClosed(): boolean {
    const frame = this.#frames.at(-1);
    const code = this.#text.charCodeAt(this.#at);
    if (code !== (frame?.isObject === true ? CLOSE_OBJECT : CLOSE_LIST)) return false;
    this.#at++;
    this.#frames.pop();
    this.#state = this.#frames.length === 0 ? "end" : "next";
    if (frame?.role === "gather") this.#take(undefined, `{${this.#members.join()}}`);
    return true;
  }

  #key(): boolean {
    if (this.#text.charCodeAt(this.#at) !== QUOTE) throw this.#error("a name in quotes is missing");
    const end = endOfString(this.#text, this.#at + 1);
    if (end < 0) return this.#lacks("a name is not closed");
    const frame = this.#frames.at(-1);
    const name = this.#parse(this.#text.slice(this.#at, end + 1));
    if (frame !== undefined) frame.key = String(name);
    this.#at = end + 1;
    this.#state = "colon";
    return true;
  }

  #value(): boolean {
    if (this.#scanAt === undefined) {
      this.#valueLine = this.#line;
      const use = this.#use();
      if (use === "enter") return this.#enter();
      if (use === "take" && this.#guess()) return true;
      this.#scanAt = this.#at;
      this.#depth = 0;
    }
    const end = this.#endOfValue(this.#scanAt);
    if (end < 0) {
      if (this.#use() === "skip") this.#dropTo(this.#scanAt);
      return false;
    }
    const frame = this.#frames.at(-1);
    const use = this.#use();
    const text = use === "skip" ? "" : this.#text.slice(this.#at, end);
    if (use === "take") {
      this.#take(frame?.key, text);
      this.#remember(end);
    }
    if (use === "gather") this.#members.push(`${JSON.stringify(frame?.key)}:${text}`);
    this.#dropTo(end);
    this.#scanAt = undefined;
    this.#state = this.#frames.length === 0 ? "end" : "next";
    return true;
  }

  /** Takes the element at hand without looking at all of it; false when that does not work. */
  #guess(): boolean {
    if (this.#between === "" || this.#patience < 1) return false;
    const end = this.#text.indexOf(this.#between, this.#at) + 1;
    if (end === 0) {
      this.#patience -= PATIENCE_PER_MISS;
      return false;
    }
    const text = this.#text.slice(this.#at, end);
    let value: unknown;
    try {
      value = parseExactly(text);
    } catch {
      this.#patience--;
      return false;
    }
    this.#patience = Math.min(this.#patience + PATIENCE_PER_GUESS, PATIENCE);
    const key = this.#frames.at(-1)?.key;
    this.#documents.push({ line: this.#valueLine, key, text, value });
    this.#dropTo(end);
    this.#state = "next";
    return true;
  }

  /** Looks at what follows the element of a list. */
  #remember(end: number): void {
    if (this.#frames.at(-1)?.isObject !== false || this.#between !== "") return;
    const next = this.#text.slice(end - 1, end + BETWEEN_MAX);
    this.#between = /^\}\s*,\s*\{/.exec(next)?.[0] ?? "";
  }

  /** What the value at hand is for. */
  #use(): Use {
    const { documents, at = [], omit = [] } = this.#layout;
    const depth = this.#frames.length;
    const frame = this.#frames.at(-1);
    if (frame === undefined) {
      if (documents === "items" || at.length > 0) return "enter";
      return omit.length > 0 ? "enter" : "take";
    }
    if (frame.role === "take") return "take";
    if (frame.role === "gather") return omit.includes(String(frame.key)) ? "skip" : "gather";
    if (at[depth - 1] !== frame.key) return "skip";
    if (depth === at.length) this.#isFound = true;
    return depth < at.length || documents === "items" ? "enter" : "take";
  }

  /** Goes into a list or an object. */
  #enter(): boolean {
    const { at = [], omit = [], documents } = this.#layout;
    const code = this.#text.charCodeAt(this.#at);
    const isObject = code === OPEN_OBJECT;
    const depth = this.#frames.length;
    const role: Role = depth < at.length ? "search" : documents === "items" ? "take" : "gather";
    if (!isObject && (code !== OPEN_LIST || role !== "take")) {
      const wanted = role === "take" ? "a list or an object" : "an object";
      const name = at.slice(0, depth).join(".") || "the file";
      throw this.#error(`${name} is not ${wanted}${omit.length > 0 ? " with members" : ""}`);
    }
    this.#at++;
    this.#frames.push({ isObject, role, key: -1 });
    this.#state = "first";
    return true;
  }

  /** Position behind the value; negative when it does not end in the text. */
  #endOfValue(from: number): number {
    const text = this.#text;
    const { length } = text;
    for (let at = from; at < length; at++) {
      switch (text.charCodeAt(at)) {
        case QUOTE: {
          const end = endOfString(text, at + 1);
          if (end < 0) {
            this.#scanAt = at;
            return -1;
          }
          at = end;
          if (this.#depth === 0) return end + 1;
          break;
        }
        case OPEN_OBJECT:
        case OPEN_LIST:
          this.#depth++;
          break;
        case CLOSE_OBJECT:
        case CLOSE_LIST:
          if (this.#depth === 0) return at;
          if (--this.#depth === 0) return at + 1;
          break;
        case COMMA:
        case 0x20:
        case 0x0a:
        case 0x0d:
        case 0x09:
          if (this.#depth === 0) return at;
          break;
      }
    }
    this.#scanAt = length;
    return this.#isLast && this.#depth === 0 ? length : -1;
  }

  #take(key: number | string | undefined, text: string): void {
    this.#documents.push({ line: this.#valueLine, key, text });
  }

  #lacks(what: string): boolean {
    if (this.#isLast) throw this.#error(what);
    return false;
  }

  #expect(code: number, what: string): void {
    if (this.#text.charCodeAt(this.#at) !== code) throw this.#error(`${what} is missing`);
    this.#at++;
  }

  #skipSpace(): void {
    const text = this.#text;
    let at = this.#at;
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) break;
    }
    this.#dropTo(at);
  }

  /** Counts the lines of what is done with. */
  #dropTo(end: number): void {
    while (this.#feed < end) {
      this.#line++;
      this.#feed = feedFrom(this.#text, this.#feed + 1);
    }
    this.#at = end;
  }

  #parse(text: string): unknown {
    try {
      return JSON.parse(text);
    } catch {
      throw this.#error("a name is no JSON text");
    }
  }

  #error(what: string, line: number = this.#line): SpringhouseError {
    const path = this.#path;
    const message = `${path}, line ${line}: ${what}. Mend the file and run the import again.`;
    return new SpringhouseError("VALIDATION", message, { fields: { path, line } });
  }
}

function feedFrom(text: string, at: number): number {
  const feed = text.indexOf("\n", at);
  return feed < 0 ? Number.POSITIVE_INFINITY : feed;
}

/** Position of the quote that closes a text which begins at `from`; negative when none does. */
function endOfString(text: string, from: number): number {
  for (let quote = text.indexOf('"', from); quote >= 0; quote = text.indexOf('"', quote + 1)) {
    let before = quote - 1;
    while (before >= from && text.charCodeAt(before) === BACKSLASH) before--;
    if ((quote - before) % 2 === 1) return quote;
  }
  return -1;
}
