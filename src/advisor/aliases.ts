/** By which names a statement calls tables. */

import { lowerAscii } from "../core/lower-ascii.ts";
import { codeTokens, identifierOf } from "../core/sql-tokens.ts";
import { type DatabaseFacts, type TableFacts, tableNamed } from "./facts.ts";

/**
 * Other names of tables, in lower case: of `FROM tasks t` and `JOIN tasks AS t` it is `t`. Words
 * that follow a table and are no name, such as WHERE, are among them and do no harm.
 */
export function aliasesIn(sql: string, facts: DatabaseFacts): ReadonlyMap<string, TableFacts> {
  const aliases = new Map<string, TableFacts>();
  const tokens = codeTokens(sql);
  for (const [index, token] of tokens.entries()) {
    const table = tableNamed(facts, identifierOf(token));
    if (table === undefined || (token.kind !== "word" && token.kind !== "name")) continue;
    const isAs = tokens[index + 1]?.text.toLowerCase() === "as";
    const alias = tokens[index + (isAs ? 2 : 1)];
    if (alias?.kind === "word" || alias?.kind === "name") {
      aliases.set(lowerAscii(identifierOf(alias)), table);
    }
  }
  return aliases;
}
