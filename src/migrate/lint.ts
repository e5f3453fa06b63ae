/**
 * What a statement of a migration does to data, told from its first words; enough to decide whether
 * a backup comes first and to refuse what would break the runner's own transaction.
 */

import { lowerAscii } from "../core/lower-ascii.ts";
import { codeTokens, identifierOf, isWord, type Token } from "../core/sql-tokens.ts";

/** What is known about one statement. */
export interface StatementFacts {
  /** Rows or columns may be lost. */
  readonly destructive: boolean;
  /** Every row of the table is written again. */
  readonly rewritesTable: boolean;
  /** The table it is about, when it is plain to see. */
  readonly table?: string;
  /** It is DROP TABLE. */
  readonly dropsTable?: boolean;
  /** Why a migration must not contain it. */
  readonly refusal?: string;
}

const TRANSACTION_WORDS = ["begin", "commit", "end", "rollback", "savepoint", "release"];
const OUTSIDE_WORDS = ["vacuum", "attach", "detach"];
const HARMLESS: StatementFacts = { destructive: false, rewritesTable: false };

/**
 * Judges one statement.
 *
 * @param keepsData tables whose DROP TABLE loses nothing, in lower case: their rows were copied.
 */
export function judgeStatement(sql: string, keepsData: readonly string[] = []): StatementFacts {
  const tokens = codeTokens(sql);
  const [first, second] = tokens;
  if (TRANSACTION_WORDS.some((word) => isWord(first, word))) {
    return { ...HARMLESS, refusal: "the migration runs inside a transaction already" };
  }
  if (OUTSIDE_WORDS.some((word) => isWord(first, word))) {
    return { ...HARMLESS, refusal: "it cannot run inside the transaction of a migration" };
  }
  if (isWord(first, "pragma")) return judgePragma(second);
  if (isWord(first, "drop") && isWord(second, "table")) {
    const table = nameAfter(tokens, 2);
    if (keepsData.includes(lowerAscii(table))) {
      return { destructive: false, rewritesTable: true, table };
    }
    return { ...loss(table, false), dropsTable: true };
  }
  if (isWord(first, "delete")) return loss(nameAfter(tokens, 2), false);
  if (isWord(first, "replace")) return loss(nameAfter(tokens, 2), false);
  if (isWord(first, "insert") && isWord(second, "or")) return loss(nameAfter(tokens, 4), false);
  if (isWord(first, "update")) return loss(nameAfter(tokens, 1), true);
  if (isWord(first, "insert")) return withTable(nameAfter(tokens, 2), HARMLESS);
  if (isWord(first, "alter") && isWord(second, "table")) {
    const drops = tokens.some((token) => isWord(token, "drop"));
    return drops ? loss(nameAfter(tokens, 2), true) : withTable(nameAfter(tokens, 2), HARMLESS);
  }
  if (isWord(first, "create")) return judgeCreate(tokens);
  if (isWord(first, "with")) return { ...HARMLESS, destructive: tokens.some(changesRows) };
  return HARMLESS;
}

function judgePragma(name: Token | undefined): StatementFacts {
  if (!isWord(name, "foreign_keys")) return HARMLESS;
  const refusal =
    "SQLite ignores it inside a transaction; write the line `-- springhouse: foreign-keys off`";
  return { ...HARMLESS, refusal };
}

function judgeCreate(tokens: readonly Token[]): StatementFacts {
  const on = tokens.findIndex((token) => isWord(token, "on"));
  const isIndex = tokens.slice(1, 3).some((token) => isWord(token, "index"));
  return isIndex && on !== -1 ? withTable(identifierOf(tokens[on + 1]), HARMLESS) : HARMLESS;
}

function changesRows(token: Token): boolean {
  return ["delete", "update", "replace"].some((word) => isWord(token, word));
}

function loss(table: string, rewritesTable: boolean): StatementFacts {
  return withTable(table, { destructive: true, rewritesTable });
}

function withTable(table: string, facts: StatementFacts): StatementFacts {
  return table === "" ? facts : { ...facts, table };
}

/** The identifier at this place, past IF EXISTS, OR REPLACE's INTO and a schema name. */
function nameAfter(tokens: readonly Token[], at: number): string {
  let index = at;
  while (["if", "exists", "into", "from"].some((word) => isWord(tokens[index], word))) index++;
  if (tokens[index + 1]?.text === ".") index += 2;
  return identifierOf(tokens[index]);
}
