/**
 * Blanks out what is not code, so that the rules can be plain regular expressions: TypeScript's
 * compiler is native here and offers no parser to JavaScript.
 *
 * Both masks have the length and the line breaks of the source, so a position in one is a position
 * in all. A regular expression is told from a division by the code that stands before the slash.
 */

/** A source without what is not code. */
export interface Masked {
  /** Comments, strings, templates and regular expressions are blanks. */
  readonly code: string;
  /** The same, with the strings in quotes left in. */
  readonly codeAndStrings: string;
}

/** After an operator, an opening bracket or one of these words, a slash starts an expression. */
const BEFORE_REGEX = /(?:^|[^\w$)\]}."]|\b(?:return|typeof|case|in|of|delete|void|throw|await))$/;

/** As many characters as the longest word above, and one more to see where it begins. */
const BEFORE_LENGTH = 7;

/** Makes the masks of a TypeScript source. */
export function mask(source: string): Masked {
  let code = "";
  let codeAndStrings = "";
  /** The last code that is not a blank; a literal counts as a quotation mark. */
  let before = "";
  /** For each template that is interrupted by `${`, how many braces are open inside of it. */
  const openBraces: number[] = [];
  const keep = (from: number, to: number): void => {
    const text = source.slice(from, to);
    code += text;
    codeAndStrings += text;
    if (text.trim() !== "") before = (before + text).slice(-BEFORE_LENGTH);
    else if (/\w$/.test(before)) before = `${before} `.slice(-BEFORE_LENGTH);
  };
  const blank = (from: number, to: number, kind: "comment" | "string" | "other"): void => {
    const text = source.slice(from, to);
    const blanks = text.replace(/[^\n]/g, " ");
    code += blanks;
    codeAndStrings += kind === "string" ? text : blanks;
    if (kind !== "comment") before = '"';
  };
  const template = (from: number): number => {
    const end = templateEnd(source, from);
    blank(from, end, "other");
    if (source[end - 1] === "{") {
      openBraces.push(0);
      before = "{";
    }
    return end;
  };

  let at = 0;
  while (at < source.length) {
    const character = source[at] ?? "";
    const end = literalEnd(source, at, before.trimEnd());
    if (end !== undefined) {
      blank(at, end.at, end.kind);
      at = end.at;
      continue;
    }
    const braces = openBraces.at(-1);
    if (character === "`") at = template(at);
    else if (character === "}" && braces === 0) {
      openBraces.pop();
      at = template(at);
    } else {
      if (braces !== undefined && character === "{") openBraces[openBraces.length - 1] = braces + 1;
      if (braces !== undefined && character === "}") openBraces[openBraces.length - 1] = braces - 1;
      keep(at, at + 1);
      at++;
    }
  }
  return { code, codeAndStrings };
}

type Literal = { readonly kind: "comment" | "string" | "other"; readonly at: number };

/** Where the comment, string or regular expression ends that starts at `at`, if one does. */
function literalEnd(source: string, at: number, before: string): Literal | undefined {
  const one = source[at];
  const next = source[at + 1];
  if ((one === "/" && next === "/") || (at === 0 && one === "#" && next === "!")) {
    return { kind: "comment", at: indexOrEnd(source, "\n", at) };
  }
  if (one === "/" && next === "*") {
    return { kind: "comment", at: Math.min(indexOrEnd(source, "*/", at + 2) + 2, source.length) };
  }
  if (one === '"' || one === "'") return { kind: "string", at: quotedEnd(source, at, one) };
  if (one === "/" && BEFORE_REGEX.test(before)) return { kind: "other", at: regexEnd(source, at) };
  return undefined;
}

function indexOrEnd(source: string, what: string, from: number): number {
  const found = source.indexOf(what, from);
  return found < 0 ? source.length : found;
}

function quotedEnd(source: string, from: number, quote: string): number {
  let at = from + 1;
  while (at < source.length && source[at] !== quote && source[at] !== "\n") {
    at += source[at] === "\\" ? 2 : 1;
  }
  return Math.min(at + 1, source.length);
}

function regexEnd(source: string, from: number): number {
  let inClass = false;
  for (let at = from + 1; at < source.length; at++) {
    const character = source[at];
    if (character === "\\") at++;
    else if (character === "[") inClass = true;
    else if (character === "]") inClass = false;
    else if (character === "\n" || (character === "/" && !inClass)) return at + 1;
  }
  return source.length;
}

/** After the back quote that ends a template, or after the `${` that interrupts it. */
function templateEnd(source: string, from: number): number {
  for (let at = from + 1; at < source.length; at++) {
    if (source[at] === "\\") at++;
    else if (source[at] === "`") return at + 1;
    else if (source.startsWith("${", at)) return at + 2;
  }
  return source.length;
}
