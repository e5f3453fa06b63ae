/**
 * The words of an SQL text. Just enough of SQLite's lexer to split scripts, to compare texts and to
 * find CHECK constraints: strings, quoted names and comments are understood, grammar is not.
 */

import { lowerAscii } from "./lower-ascii.ts";

/** What a token is; `name` is a quoted identifier, `word` a keyword or a plain identifier. */
export type TokenKind = "word" | "name" | "string" | "number" | "symbol" | "comment" | "open";

/** A piece of the text. `open` is a string, name or comment whose end is missing. */
export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  /** Position of the first character, from 0. */
  readonly start: number;
  /** Position after the last character. */
  readonly end: number;
  /** Line of the first character, from 1. */
  readonly line: number;
}

const SPACE = /\s+/y;
const COMMENT = /--[^\n]*|\/\*[\s\S]*?\*\//y;
const STRING = /[xX]?'(?:[^']|'')*'/y;
const NAME = /"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]/y;
const NUMBER = /0[xX][0-9a-fA-F_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?/y;
/** A number alone belongs to a question mark: `?and` is a placeholder and a keyword. */
const WORD = /\?\d*|[\p{L}_$@:#][\p{L}\p{N}_$]*/uy;
const SYMBOL = /<=|>=|<>|!=|==|\|\||<<|>>|->>|->|[\s\S]/y;
const OPENERS = /^(?:\/\*|[xX]?'|["`[])/;

const KINDS: readonly (readonly [TokenKind, RegExp])[] = [
  ["comment", COMMENT],
  ["string", STRING],
  ["name", NAME],
  ["number", NUMBER],
  ["word", WORD],
  ["symbol", SYMBOL],
];

/** All tokens in order, comments included, spaces left out. */
export function tokenize(sql: string): readonly Token[] {
  const tokens: Token[] = [];
  let line = 1;
  let at = 0;
  while (at < sql.length) {
    const space = matchAt(SPACE, sql, at);
    if (space !== undefined) {
      line += countLines(space);
      at += space.length;
      continue;
    }
    const token = tokenAt(sql, at, line);
    tokens.push(token);
    line += countLines(token.text);
    at = token.end;
  }
  return tokens;
}

/** The tokens that mean something: without comments. */
export function codeTokens(sql: string): readonly Token[] {
  return tokenize(sql).filter((token) => token.kind !== "comment");
}

/** Whether the token is this keyword (given in lower case). */
export function isWord(token: Token | undefined, word: string): boolean {
  return token?.kind === "word" && lowerAscii(token.text) === word;
}

/** The identifier that a word, a quoted name or (as SQLite allows) a string stands for. */
export function identifierOf(token: Token | undefined): string {
  if (token === undefined) return "";
  if (token.kind === "name" || token.kind === "string") {
    const quote = token.text[0] === "[" ? "]" : (token.text[0] ?? "");
    return token.text.slice(1, -1).replaceAll(quote + quote, quote);
  }
  return token.text;
}

/** Whether the text uses the identifier anywhere outside strings and comments. */
export function mentions(sql: string, identifier: string): boolean {
  const wanted = lowerAscii(identifier);
  return codeTokens(sql).some(
    (token) =>
      (token.kind === "word" || token.kind === "name") &&
      lowerAscii(identifierOf(token)) === wanted,
  );
}

/**
 * One spelling for all texts that mean the same token by token: comments and spaces dropped, words
 * and names in lower case, quotes around plain names dropped.
 */
export function canonicalSql(sql: string): string {
  return codeTokens(sql).map(canonicalToken).join(" ");
}

/** Like `canonicalSql`, without parentheses around the whole expression. */
export function canonicalExpression(expression: string): string {
  let tokens = codeTokens(expression);
  while (isWrapped(tokens)) tokens = tokens.slice(1, -1);
  return tokens.map(canonicalToken).join(" ");
}

function tokenAt(sql: string, at: number, line: number): Token {
  for (const [kind, pattern] of KINDS) {
    if (kind === "number" && OPENERS.test(sql.slice(at, at + 2))) {
      return { kind: "open", text: sql.slice(at), start: at, end: sql.length, line };
    }
    const text = matchAt(pattern, sql, at);
    if (text !== undefined) return { kind, text, start: at, end: at + text.length, line };
  }
  return { kind: "symbol", text: sql.slice(at, at + 1), start: at, end: at + 1, line };
}

function matchAt(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

function countLines(text: string): number {
  let lines = 0;
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) lines++;
  return lines;
}

function canonicalToken(token: Token): string {
  if (token.kind === "word" || token.kind === "number") return lowerAscii(token.text);
  if (token.kind !== "name") return token.text;
  const name = lowerAscii(identifierOf(token));
  return /^[\p{L}_][\p{L}\p{N}_$]*$/u.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

/** Whether the first parenthesis closes only at the very end. */
function isWrapped(tokens: readonly Token[]): boolean {
  if (tokens[0]?.text !== "(" || tokens.length < 3) return false;
  let depth = 0;
  for (const [index, token] of tokens.entries()) {
    if (token.kind !== "symbol") continue;
    if (token.text === "(") depth++;
    if (token.text === ")") depth--;
    if (depth === 0) return index === tokens.length - 1;
  }
  return false;
}
