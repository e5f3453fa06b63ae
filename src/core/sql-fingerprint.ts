/**
 * Statements without what differs from run to run. Two statements that a program wrote at one place
 * have one fingerprint, and no value that somebody wrote into a text reaches a list or a log.
 */

import { codeTokens, type Token } from "./sql-tokens.ts";

/** Texts between which only one blank may stand, or none. */
const TIGHT_BEFORE = new Set([",", ")", ".", ";"]);
const TIGHT_AFTER = new Set(["(", "."]);
const LIST = /\(\?(?:, \?)+\)/g;
const ROWS = /\(\?\)(?:, \(\?\))+/g;

/**
 * The statement with `?` in the place of every literal. Comments are left out, and what stands
 * between words is one blank at most.
 *
 * @example maskLiterals("SELECT * FROM t WHERE name = 'Ann'") // SELECT * FROM t WHERE name = ?
 */
export function maskLiterals(sql: string): string {
  return join(codeTokens(sql).map(maskedText));
}

/**
 * What all runs of a statement have in common: literals and placeholders of every kind are `?`, and
 * a list of them is one, however long it is.
 *
 * @example fingerprintOf("SELECT * FROM t WHERE id IN ($1, $2, 3)") // … WHERE id IN (?)
 */
export function fingerprintOf(sql: string): string {
  const text = join(
    codeTokens(sql).map((token) => (isPlaceholder(token) ? "?" : maskedText(token))),
  );
  return text.replace(LIST, "(?)").replace(ROWS, "(?)");
}

/** Whether the token is a literal: a text, a blob or a number. What has no end counts as one. */
export function isLiteral({ kind }: Token): boolean {
  return kind === "string" || kind === "number" || kind === "open";
}

/** Whether the token stands for a parameter: `?`, `?1`, `:name`, `@name`, `$1`. */
export function isPlaceholder({ kind, text }: Token): boolean {
  return kind === "word" && /^[?:@$]/.test(text);
}

function maskedText(token: Token): string {
  return isLiteral(token) ? "?" : token.text;
}

function join(texts: readonly string[]): string {
  let sql = "";
  let before = "(";
  for (const text of texts) {
    const isCall = text === "(" && /^\w+$/.test(before) && !KEYWORDS.has(before.toLowerCase());
    const isTight = TIGHT_BEFORE.has(text) || TIGHT_AFTER.has(before) || isCall;
    sql += isTight ? text : ` ${text}`;
    before = text;
  }
  return sql;
}

/** Words before a parenthesis that are no function. */
const KEYWORDS = new Set(
  (
    "and as by case conflict distinct else exists from having in into join not on or select set " +
    "then values when where"
  ).split(" "),
);
