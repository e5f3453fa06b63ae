/** Where in a JSON text a value stands, for messages that name the line. */

import type { Path } from "../json-reader.ts";

/** The line, counted from 1, of the value at a path; of the nearest value around it else. */
export function lineOfPath(text: string, path: Path): number {
  const scan = new Scan(text);
  let at = scan.value();
  for (const part of path) {
    const inside = scan.enter(at, part);
    if (inside === undefined) break;
    at = inside;
  }
  return lineAt(text, at);
}

/** The line of an offset. */
export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf("\n"); at >= 0 && at < offset; at = text.indexOf("\n", at + 1)) line++;
  return line;
}

/** Finds its way through a text that is known to be JSON. */
class Scan {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** Where the next value begins. */
  value(from = 0): number {
    const rest = /[^\s,:]/g;
    rest.lastIndex = from;
    return rest.exec(this.#text)?.index ?? this.#text.length;
  }

  /** Where the part of the object or list at `at` begins, or undefined when it has none such. */
  enter(at: number, part: string | number): number | undefined {
    const isList = this.#text[at] === "[";
    if (!isList && this.#text[at] !== "{") return undefined;
    let next = this.value(at + 1);
    for (
      let index = 0;
      next < this.#text.length && !"]}".includes(this.#text[next] ?? "]");
      index++
    ) {
      const end = this.#end(next);
      if (isList && index === part) return next;
      const inside = isList ? next : this.value(end);
      if (!isList && JSON.parse(this.#text.slice(next, end)) === String(part)) return inside;
      next = this.value(isList ? end : this.#end(inside));
    }
    return undefined;
  }

  /** Where the value at `at` ends. */
  #end(at: number): number {
    let depth = 0;
    // Strings whole, brackets one by one; what lies between is numbers and words.
    const token = /"(?:[^"\\]|\\.)*"|[{}[\]]|[^\s"{}[\],:]+/g;
    token.lastIndex = at;
    for (let match = token.exec(this.#text); match !== null; match = token.exec(this.#text)) {
      const first = match[0][0] ?? "";
      if ("{[".includes(first)) depth++;
      if ("}]".includes(first)) depth--;
      if (depth === 0) return token.lastIndex;
    }
    return this.#text.length;
  }
}
