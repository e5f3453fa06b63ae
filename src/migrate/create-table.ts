/**
 * What SQLite's pragmas do not tell about a table and only its CREATE text does: CHECK constraints,
 * the names of constraints, and features that a declaration has no words for.
 */

import { codeTokens, identifierOf, isWord, type Token } from "../core/sql-tokens.ts";

/** The parts of a CREATE TABLE text that no pragma shows. */
export interface TableText {
  readonly uniques: readonly { readonly name?: string; readonly columns: readonly string[] }[];
  readonly checks: readonly { readonly name?: string; readonly expression: string }[];
  /** Features that would be lost if the table were made anew: "COLLATE NOCASE on title". */
  readonly features: readonly string[];
}

/** Reads the text of a CREATE TABLE statement as it stands in `sqlite_schema`. */
export function parseTable(sql: string): TableText {
  const text: MutableText = { uniques: [], checks: [], features: [] };
  for (const part of definitions(codeTokens(sql))) parseDefinition(sql, part, text);
  return text;
}

/** The condition of a partial index, from its CREATE INDEX text. */
export function parseIndexCondition(sql: string): string | undefined {
  let depth = 0;
  for (const token of codeTokens(sql)) {
    depth += depthChange(token);
    if (depth === 0 && isWord(token, "where")) return sql.slice(token.end).trim();
  }
  return undefined;
}

interface MutableText {
  readonly uniques: { name?: string; columns: readonly string[] }[];
  readonly checks: { name?: string; expression: string }[];
  readonly features: string[];
}

const TABLE_CONSTRAINTS = ["constraint", "primary", "unique", "check", "foreign"];
/** Words that begin another constraint, so that a name read before belongs to it. */
const NAME_ENDERS = ["primary", "not", "null", "default", "references", "foreign", "collate"];

function parseDefinition(sql: string, part: readonly Token[], text: MutableText): void {
  const isTable = TABLE_CONSTRAINTS.some((word) => isWord(part[0], word));
  const column = isTable ? undefined : identifierOf(part[0]);
  let name: string | undefined;
  for (let at = column === undefined ? 0 : 1; at < part.length; at++) {
    const token = part[at];
    if (token?.text === "(") {
      at = groupEnd(part, at);
    } else if (isWord(token, "constraint")) {
      name = identifierOf(part[++at]);
    } else if (isWord(token, "check")) {
      const end = groupEnd(part, at + 1);
      const expression = sql.slice(part[at + 1]?.end, part[end]?.start).trim();
      text.checks.push({ ...(name !== undefined && { name }), expression });
      name = undefined;
      at = end;
    } else if (isWord(token, "unique")) {
      const columns = column === undefined ? groupNames(part, at + 1) : [column];
      text.uniques.push({ ...(name !== undefined && { name }), columns });
      name = undefined;
    } else {
      if (NAME_ENDERS.some((word) => isWord(token, word))) name = undefined;
      const feature = featureAt(part, at);
      if (feature !== undefined) text.features.push(`${feature} on ${column ?? "a constraint"}`);
    }
  }
}

function featureAt(part: readonly Token[], at: number): string | undefined {
  const token = part[at];
  if (isWord(token, "collate")) {
    const collation = identifierOf(part[at + 1]).toUpperCase();
    return collation === "BINARY" ? undefined : `COLLATE ${collation}`;
  }
  if (isWord(token, "autoincrement")) return "AUTOINCREMENT";
  if (isWord(token, "as") && part[at + 1]?.text === "(") return "a generated value";
  if (isWord(token, "conflict")) return `ON CONFLICT ${identifierOf(part[at + 1]).toUpperCase()}`;
  if (isWord(token, "deferrable") && !isWord(part[at - 1], "not")) return "DEFERRABLE";
  return undefined;
}

/** The comma-separated definitions inside the outermost parentheses. */
function definitions(tokens: readonly Token[]): readonly (readonly Token[])[] {
  const open = tokens.findIndex((token) => token.text === "(");
  if (open === -1) return [];
  const inner = tokens.slice(open + 1, groupEnd(tokens, open));
  return splitAtCommas(inner);
}

function splitAtCommas(tokens: readonly Token[]): readonly (readonly Token[])[] {
  const parts: Token[][] = [[]];
  let depth = 0;
  for (const token of tokens) {
    depth += depthChange(token);
    if (depth === 0 && token.text === ",") parts.push([]);
    else parts.at(-1)?.push(token);
  }
  return parts.filter((part) => part.length > 0);
}

/** The first identifier of each part of the group that opens at `at`. */
function groupNames(tokens: readonly Token[], at: number): readonly string[] {
  const inner = tokens.slice(at + 1, groupEnd(tokens, at));
  return splitAtCommas(inner).map((part) => identifierOf(part[0]));
}

/** Position of the parenthesis that closes the one at `at`. */
function groupEnd(tokens: readonly Token[], at: number): number {
  let depth = 0;
  for (let index = at; index < tokens.length; index++) {
    const token = tokens[index];
    if (token !== undefined) depth += depthChange(token);
    if (depth === 0) return index;
  }
  return tokens.length;
}

function depthChange(token: Token): number {
  if (token.kind !== "symbol") return 0;
  return token.text === "(" ? 1 : token.text === ")" ? -1 : 0;
}
