/**
 * The collations of a table's columns, which no pragma tells, from its CREATE TABLE text.
 *
 * Only what is beyond doubt counts: there must be as many definitions as columns, in the same order
 * and with the same names, or the collation of every column is unknown.
 */

import { lowerAscii } from "../core/lower-ascii.ts";
import { codeTokens, identifierOf, isWord, type Token } from "../core/sql-tokens.ts";

/** What a collation is called that could not be told; no comparison may rely on it. */
export const UNKNOWN_COLLATION = "unknown";

const TABLE_CONSTRAINTS = ["constraint", "primary", "unique", "check", "foreign"];

/** Collations in lower case, one for each column; `columns` are the names as the file has them. */
export function columnCollations(sql: string, columns: readonly string[]): readonly string[] {
  const tokens = codeTokens(sql);
  if (!tokens.some((token) => isWord(token, "collate"))) return columns.map(() => "binary");
  const parts = definitions(tokens);
  const isSound =
    parts !== undefined &&
    parts.length >= columns.length &&
    columns.every((name, at) => sameName(identifierOf(parts[at]?.[0]), name)) &&
    parts.slice(columns.length).every((part) => TABLE_CONSTRAINTS.some((w) => isWord(part[0], w)));
  return columns.map((_, at) => {
    return isSound ? collationOf(parts[at] ?? []) : UNKNOWN_COLLATION;
  });
}

/** The parts between the outermost parentheses; undefined when they do not close. */
function definitions(tokens: readonly Token[]): readonly (readonly Token[])[] | undefined {
  const open = tokens.findIndex(({ text }) => text === "(");
  const parts: Token[][] = [[]];
  let depth = 0;
  for (const token of open === -1 ? [] : tokens.slice(open)) {
    if (token.kind === "open") return undefined;
    const change = depthChange(token);
    depth += change;
    if (depth === 0) return parts;
    if (depth === 1 && change === 1) continue;
    if (depth === 1 && token.text === ",") parts.push([]);
    else parts.at(-1)?.push(token);
  }
  return undefined;
}

/** What is inside of parentheses is an expression, and about its own comparisons. */
function collationOf(definition: readonly Token[]): string {
  const found = new Set<string>();
  let depth = 0;
  for (const [at, token] of definition.entries()) {
    depth += depthChange(token);
    if (depth > 0 || at === 0 || !isWord(token, "collate")) continue;
    found.add(lowerAscii(identifierOf(definition[at + 1])));
  }
  const [first = "binary", second] = found;
  return second === undefined ? first : UNKNOWN_COLLATION;
}

function depthChange({ kind, text }: Token): number {
  if (kind !== "symbol") return 0;
  return text === "(" ? 1 : text === ")" ? -1 : 0;
}

function sameName(a: string, b: string): boolean {
  return lowerAscii(a) === lowerAscii(b);
}
