/**
 * What kind of statement a text is, read from its first words.
 *
 * SQLite's grammar decides by the first keyword (after EXPLAIN, and after the common table
 * expressions of a WITH) whether a statement can write, so no engine is asked and a statement may
 * name a table that does not exist yet. What would change a connection that others share (its
 * transaction, its settings, its attached files) is refused with the call to use instead.
 */

import { assertText } from "../core/arguments.ts";
import { SpringhouseError } from "../core/errors.ts";
import { lowerAscii } from "../core/lower-ascii.ts";

/** What a statement is, as far as its route goes. */
export interface StatementFacts {
  /** Whether it may change the database. */
  readonly write: boolean;
  /** INSERT, REPLACE, UPDATE or DELETE: the kinds that report changed rows. */
  readonly dml: boolean;
  /** Only EXPLAIN of it runs. */
  readonly explain: boolean;
  /** Whether it may change the schema. */
  readonly ddl: boolean;
  /** Why it is refused, and what to use instead. */
  readonly refusal: string | undefined;
}

const READS = new Set(["SELECT", "VALUES"]);
const DML = new Set(["INSERT", "REPLACE", "UPDATE", "DELETE"]);
const TRANSACTION = "the library keeps the transactions: use transaction() or one unit of write()";
const ATTACH = "connections are shared: open the other file as a store of its own";
const REFUSED = new Map<string, string>([
  ["BEGIN", TRANSACTION],
  ["COMMIT", TRANSACTION],
  ["END", TRANSACTION],
  ["ROLLBACK", TRANSACTION],
  ["SAVEPOINT", `${TRANSACTION}; nested transaction() calls are savepoints`],
  ["RELEASE", `${TRANSACTION}; nested transaction() calls are savepoints`],
  ["ATTACH", ATTACH],
  ["DETACH", ATTACH],
  ["VACUUM", "it cannot run inside a transaction, which every write has: run it while closed"],
]);
const TEMPORARY = "it would live in one connection only: use an ordinary table, or WITH";
/** Pragmas that only read when they have no argument; others work, or wait, without one. */
const READING_PRAGMAS = new Set(
  (
    "application_id auto_vacuum automatic_index busy_timeout cache_size collation_list " +
    "compile_options data_version database_list defer_foreign_keys encoding foreign_key_check " +
    "foreign_key_list foreign_keys freelist_count function_list index_info index_list " +
    "index_xinfo integrity_check journal_mode journal_size_limit mmap_size module_list " +
    "page_count page_size pragma_list query_only quick_check recursive_triggers schema_version " +
    "synchronous table_info table_list table_xinfo temp_store trusted_schema user_version " +
    "wal_autocheckpoint"
  ).split(" "),
);
/** Pragmas whose argument is a question, not a setting. */
const QUESTIONS = new Set(
  (
    "foreign_key_check foreign_key_list index_info index_list index_xinfo integrity_check " +
    "quick_check table_info table_list table_xinfo"
  ).split(" "),
);
/** Settings that are part of the transaction or of the file's content. */
const WRITING_PRAGMAS = new Set(["application_id", "defer_foreign_keys", "user_version"]);
/** The texts of one program, and room for some that are built as strings. */
const TEXTS_MAX = 2_000;

const known = new Map<string, StatementFacts>();

/** The facts of a text, remembered for the texts used last. */
export function statementFacts(sql: string): StatementFacts {
  const remembered = known.get(sql);
  if (remembered !== undefined) return remembered;
  const facts = classify(sql);
  if (known.size >= TEXTS_MAX) known.clear();
  known.set(sql, facts);
  return facts;
}

/** Throws `STATEMENT_REFUSED` for a statement that no store runs. */
export function refuseUnfit(sql: string): StatementFacts {
  const facts = statementFacts(sql);
  if (facts.refusal === undefined) return facts;
  throw new SpringhouseError(
    "STATEMENT_REFUSED",
    `The statement was refused: ${facts.refusal}.\n${sql.slice(0, 200)}`,
    { fields: { sql } },
  );
}

/** What is wrong with a text that holds more than one statement. */
export const SEVERAL_STATEMENTS = "several statements in one text: give each its own statement";

function classify(sql: string): StatementFacts {
  assertText("sql", sql);
  const tokens = tokenize(sql);
  let token = nextWord(tokens);
  let explain = false;
  if (token === "EXPLAIN") {
    explain = true;
    token = nextWord(tokens);
    if (token === "QUERY") {
      nextWord(tokens);
      token = nextWord(tokens);
    }
  }
  if (token === undefined) return facts({ refusal: "it is empty", explain });
  if (token === "WITH") token = verbAfterWith(tokens);
  if (token === "PRAGMA") return { ...classifyPragma(tokens), explain };
  const refusal = REFUSED.get(token) ?? temporary(token, tokens);
  if (refusal !== undefined) return facts({ refusal, explain });
  if (READS.has(token) || explain) return facts({ explain });
  const dml = DML.has(token);
  return facts({ write: true, dml, ddl: !dml });
}

function facts(given: Partial<StatementFacts>): StatementFacts {
  return { write: false, dml: false, ddl: false, explain: false, refusal: undefined, ...given };
}

type Tokens = Iterator<string, undefined>;

/** The next keyword or name, skipping semicolons that stand before a statement. */
function nextWord(tokens: Tokens): string | undefined {
  let token = tokens.next().value;
  while (token === ";") token = tokens.next().value;
  return token?.toUpperCase();
}

/**
 * The verb that follows the common table expressions: the first one behind what stands in
 * parentheses. Elsewhere the same word is a name, as in `WITH replace AS (SELECT 1) …`.
 */
function verbAfterWith(tokens: Tokens): string {
  let depth = 0;
  let before = "";
  for (let token = tokens.next(); token.done !== true; token = tokens.next()) {
    const word = token.value.toUpperCase();
    if (word === "(") depth++;
    else if (word === ")") depth--;
    else if (depth === 0 && before === ")" && (READS.has(word) || DML.has(word))) return word;
    before = word;
  }
  return "SELECT";
}

/** CREATE TEMP …, and CREATE TABLE temp.name. */
function temporary(verb: string, tokens: Tokens): string | undefined {
  if (verb !== "CREATE") return undefined;
  const head = Array.from({ length: 9 }, () => tokens.next().value ?? "");
  const words = head.map((word) => word.toUpperCase());
  if (words[0] === "TEMP" || words[0] === "TEMPORARY") return TEMPORARY;
  const schema = words.findIndex((word) => unquoted(word) === "TEMP");
  return schema > 0 && words[schema + 1] === "." ? TEMPORARY : undefined;
}

function classifyPragma(tokens: Tokens): StatementFacts {
  let name = tokens.next().value ?? "";
  let next = tokens.next().value;
  if (next === ".") {
    name = tokens.next().value ?? "";
    next = tokens.next().value;
  }
  const pragma = lowerAscii(unquoted(name));
  const argument = next === "=" || next === "(";
  if (argument && WRITING_PRAGMAS.has(pragma)) return facts({ write: true });
  if (READING_PRAGMAS.has(pragma) && (!argument || QUESTIONS.has(pragma))) return facts({});
  const instead =
    pragma === "foreign_keys"
      ? 'use transaction(run, { foreignKeys: "off" })'
      : "settings belong to the options of open";
  return facts({
    refusal: `PRAGMA ${pragma} would change a connection that others share: ${instead}`,
  });
}

function unquoted(word: string): string {
  return /^["'`[]/.test(word) ? word.slice(1, -1) : word;
}

const BLANK = String.raw`\s+|--[^\n]*|/\*[\s\S]*?(?:\*/|$)`;
// Unrolled, so that a long literal does not fill the stack of the expression.
const quotedBy = (quote: string): string =>
  `${quote}[^${quote}]*(?:${quote}${quote}[^${quote}]*)*${quote}`;
const QUOTED = `${['"', "'", "`"].map(quotedBy).join("|")}|\\[[^\\]]*\\]`;
const WORD = String.raw`[\p{L}\p{N}_$]+`;
const TOKEN = new RegExp(`${BLANK}|(${QUOTED}|${WORD}|[\\s\\S])`, "gu");

/** Words, quoted names and strings, and single characters; no white space, no comments. */
function* tokenize(sql: string): Generator<string, undefined> {
  for (const { text } of tokensOf(sql)) yield text;
  return undefined;
}

/** The same with their places. */
export function* tokensOf(sql: string): Generator<{ readonly text: string; readonly at: number }> {
  for (const { 1: text, index } of sql.matchAll(TOKEN)) {
    if (text !== undefined) yield { text, at: index };
  }
}

/**
 * How many values a text takes: as many as the highest number of its placeholders, where `?` has
 * the number after the highest before it.
 *
 * @throws `INVALID_ARGUMENT` for a placeholder with a name, which no list of values can fill.
 */
export function countPlaceholders(sql: string): number {
  let count = 0;
  let countBefore = 0;
  let before = "";
  for (const token of tokenize(sql)) {
    if (token === "?") {
      countBefore = count;
      count++;
    } else if (before === "?" && /^\d/.test(token)) {
      count = Math.max(countBefore, Number.parseInt(token, 10));
    } else if (/^[@:$]/.test(token)) {
      throw namedPlaceholder(sql);
    }
    before = token;
  }
  return count;
}

function namedPlaceholder(sql: string): SpringhouseError {
  return new SpringhouseError(
    "INVALID_ARGUMENT",
    "The values of a statement are given in order: write ? or ?1 instead of a placeholder with a " +
      `name.\n${sql.slice(0, 200)}`,
    { fields: { sql } },
  );
}

/** Whether nothing but white space, comments and semicolons is left after a statement. */
export function isBlank(rest: string): boolean {
  return rest === "" || nextWord(tokenize(rest)) === undefined;
}
