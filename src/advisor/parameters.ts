/**
 * Values for the placeholders of a recorded statement. A recording keeps none, so that it can be
 * passed on; to measure a statement the advisor takes values of the column that each placeholder is
 * compared with, from rows of the database at random places. They never leave its two processes.
 *
 * What a placeholder is compared with is read from the words around it. Where that is not certain,
 * the statement is not measured, and nothing is advised because of it.
 */

import { lowerAscii } from "../core/lower-ascii.ts";
import { isLiteral, isPlaceholder } from "../core/sql-fingerprint.ts";
import { codeTokens, identifierOf, isWord, type Token } from "../core/sql-tokens.ts";

/** Where the value of one placeholder comes from. */
export type ParameterSource =
  | { readonly kind: "column"; readonly column: string; readonly qualifier: string | undefined }
  /** A JSON list of values of the column, for `IN (SELECT value FROM json_each(?))`. */
  | { readonly kind: "list"; readonly column: string; readonly qualifier: string | undefined }
  | { readonly kind: "limit" }
  | { readonly kind: "offset" };

/** A statement whose placeholders are all `?`, and where their values come from. */
export interface Bindable {
  readonly sql: string;
  /** Undefined for what cannot be told. */
  readonly sources: readonly (ParameterSource | undefined)[];
}

const COMPARISONS = new Set(["=", "==", "<", ">", "<=", ">=", "<>", "!=", "is", "like", "glob"]);

/** Reads the placeholders of a statement. */
export function bindable(sql: string): Bindable {
  const tokens = codeTokens(sql);
  let text = "";
  let end = 0;
  const sources: (ParameterSource | undefined)[] = [];
  for (const [index, token] of tokens.entries()) {
    text += sql.slice(end, token.start) + (isPlaceholder(token) ? "?" : token.text);
    end = token.end;
    if (isPlaceholder(token)) sources.push(sourceAt(tokens, index));
  }
  return { sql: text + sql.slice(end), sources };
}

function sourceAt(tokens: readonly Token[], at: number): ParameterSource | undefined {
  const before = tokens[at - 1];
  if (isWord(before, "limit")) return { kind: "limit" };
  if (isWord(before, "offset")) return { kind: "offset" };
  if (isComparison(before)) return columnEndingAt(tokens, beforeNot(tokens, at - 2));
  if (isComparison(tokens[at + 1])) return columnStartingAt(tokens, at + 2);
  if (isWord(before, "between")) return columnEndingAt(tokens, beforeNot(tokens, at - 2));
  if (isWord(before, "and") && isWord(tokens[at - 3], "between")) {
    return columnEndingAt(tokens, beforeNot(tokens, at - 4));
  }
  return inList(tokens, at);
}

/** `column IN (…, ?`, `(a, b) > (…, ?` and `column IN (SELECT value FROM json_each(?`. */
function inList(tokens: readonly Token[], at: number): ParameterSource | undefined {
  let open = at - 1;
  let position = 0;
  for (; open >= 0 && tokens[open]?.text !== "("; open--) {
    const token = tokens[open];
    if (token === undefined) return undefined;
    if (token.text === ",") position++;
    else if (!isPlaceholder(token) && !isLiteral(token)) return undefined;
  }
  const before = tokens[open - 1];
  if (isWord(before, "in")) return columnEndingAt(tokens, beforeNot(tokens, open - 2));
  if (isComparison(before) && tokens[open - 2]?.text === ")") {
    return rowValueColumn(tokens, open - 2, position);
  }
  if (!isWord(before, "json_each")) return undefined;
  for (let index = open; index >= 0; index--) {
    if (!isWord(tokens[index], "in")) continue;
    const column = columnEndingAt(tokens, beforeNot(tokens, index - 1));
    return column?.kind === "column" ? { ...column, kind: "list" } : undefined;
  }
  return undefined;
}

/** The column at a position of `(a, b)`, which ends at `close`. */
function rowValueColumn(
  tokens: readonly Token[],
  close: number,
  position: number,
): ParameterSource | undefined {
  const open = tokens.findLastIndex(({ text }, index) => index < close && text === "(");
  const commas = tokens.flatMap(({ text }, index) =>
    text === "," && index > open && index < close ? [index] : [],
  );
  const end = [...commas, close][position];
  return end === undefined ? undefined : columnEndingAt(tokens, end - 1);
}

/** `a`, `t.a`, `lower(a)`: the column that ends at a position. */
function columnEndingAt(tokens: readonly Token[], at: number): ParameterSource | undefined {
  let end = at;
  // A function of a column: its values are the nearest to those that are compared.
  while (tokens[end]?.text === ")") end--;
  const token = tokens[end];
  if (token === undefined || !isName(token)) return undefined;
  const isQualified = tokens[end - 1]?.text === ".";
  const qualifier = isQualified ? identifierOf(tokens[end - 2]) : undefined;
  return { kind: "column", column: identifierOf(token), qualifier };
}

function columnStartingAt(tokens: readonly Token[], at: number): ParameterSource | undefined {
  return columnEndingAt(tokens, tokens[at + 1]?.text === "." ? at + 2 : at);
}

function beforeNot(tokens: readonly Token[], at: number): number {
  return isWord(tokens[at], "not") ? at - 1 : at;
}

function isComparison(token: Token | undefined): boolean {
  return token !== undefined && COMPARISONS.has(lowerAscii(token.text));
}

function isName(token: Token): boolean {
  return (token.kind === "word" && !isPlaceholder(token)) || token.kind === "name";
}
