/** One statement instead of many: what to write in the place of an N+1. */

import { isPlaceholder } from "../core/sql-fingerprint.ts";
import { codeTokens, identifierOf, isWord, type Token } from "../core/sql-tokens.ts";

/**
 * The statement that does for a list of values what `sql` does for one, as advice for people.
 *
 * @param varying which placeholders had different values, by position.
 * @example
 * batchedForm("SELECT * FROM tasks WHERE week_id = ?", [0])
 * // SELECT * FROM tasks WHERE week_id IN (SELECT value FROM json_each(?))
 */
export function batchedForm(sql: string, varying: readonly number[]): string {
  const tokens = codeTokens(sql);
  const verb = tokens[0]?.text.toLowerCase();
  if (verb === "insert" || verb === "replace") {
    return "Write all rows at once: createMany() of a repository, or writeMany() of the store.";
  }
  if (verb === "update" || verb === "delete") {
    return "Write them in one unit: repository.transaction(), or one write() with all statements.";
  }
  const places = tokens.flatMap((token, index) => (isPlaceholder(token) ? [index] : []));
  const [place] = varying.flatMap((position) => places[position] ?? []);
  const column = place === undefined ? undefined : comparedColumn(tokens, place);
  if (varying.length !== 1 || place === undefined || column === undefined) {
    return "Read them with one statement: a JOIN with what the values come from, or IN and a list.";
  }
  const [equals, placeholder] = [tokens[place - 1], tokens[place]] as [Token, Token];
  const head = sql.slice(0, equals.start).trimEnd();
  const tail = sql.slice(placeholder.end, limitOf(tokens)?.start).trimEnd();
  const batched = `${head} IN (SELECT value FROM json_each(${placeholder.text}))${tail}`;
  return `Read them with one statement and hand out the rows by ${column}: ${batched}`;
}

function comparedColumn(tokens: readonly Token[], place: number): string | undefined {
  const equals = tokens[place - 1];
  const isEquality = equals?.text === "=" || equals?.text === "==" || isWord(equals, "is");
  const column = tokens[place - 2];
  const isName = column?.kind === "word" || column?.kind === "name";
  const next = tokens[place + 1];
  // `p = ? + 1` compares with more than the value.
  const isWhole = next?.kind !== "symbol" || [")", ",", ";"].includes(next.text);
  return isEquality && isName && isWhole ? identifierOf(column) : undefined;
}

/** The LIMIT of the whole statement, which was for one of them; that of a subquery stays. */
function limitOf(tokens: readonly Token[]): Token | undefined {
  let depth = 0;
  return tokens.find((token) => {
    if (token.text === "(") depth++;
    if (token.text === ")") depth--;
    return depth === 0 && isWord(token, "limit");
  });
}
