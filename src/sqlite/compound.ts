/**
 * The parts of a compound SELECT (UNION, INTERSECT, EXCEPT). SQLite tells where the columns of the
 * first part come from and nothing of the others, whose values stand in the same columns; so each
 * part is looked at as a statement of its own.
 */

import { statementFacts, tokensOf } from "./statement-text.ts";

const SET_OPERATORS: ReadonlySet<string> = new Set(["UNION", "INTERSECT", "EXCEPT"]);
/** What may follow the last part, and would have no meaning for it alone. */
const TAILS: ReadonlySet<string> = new Set(["ORDER", "LIMIT"]);

/** The statements after the first that a compound is made of; none for any other statement. */
export function laterParts(sql: string): readonly string[] {
  const { write, explain } = statementFacts(sql);
  if (write || explain || !/union|intersect|except/i.test(sql)) return [];
  const cuts: { readonly end: number; readonly start: number }[] = [];
  let depth = 0;
  let bodyAt: number | undefined;
  let before = "";
  let end = sql.length;
  for (const { text, at } of tokensOf(sql)) {
    const word = text.toUpperCase();
    if (word === "(") depth++;
    else if (word === ")") depth--;
    else if (depth === 0) {
      if (word === "SELECT" || word === "VALUES") bodyAt ??= at;
      if (SET_OPERATORS.has(word)) cuts.push({ end: at, start: at + text.length });
      if (word === "ALL" && before === "UNION") {
        cuts.push({ end: cuts.pop()?.end ?? at, start: at + text.length });
      }
      if (TAILS.has(word)) {
        end = at;
        break;
      }
    }
    before = word;
  }
  const tables = sql.slice(0, bodyAt ?? 0);
  return cuts.map(({ start }, index) => tables + sql.slice(start, cuts[index + 1]?.end ?? end));
}
