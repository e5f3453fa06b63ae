/**
 * What a trigger may do, from its text. In doubt it may do more: a word that could be the beginning
 * of a write is one.
 */

import { lowerAscii } from "../core/lower-ascii.ts";
import { codeTokens, identifierOf, isWord, type Token } from "../core/sql-tokens.ts";

/** A trigger as it stands in the file. */
export interface FileTrigger {
  readonly name: string;
  /** As the file has it. */
  readonly table: string;
  readonly sql: string;
  /** Not for a trigger that comes after, or instead. */
  readonly isBefore: boolean;
  /** It fires for INSERT or UPDATE. */
  readonly isForWrites: boolean;
  /** Tables that its body writes, in lower case; `"any"` when that is not plain to see. */
  readonly writes: ReadonlySet<string> | "any";
  /** It has an UPDATE, or an upsert, and names it somewhere. In lower case. */
  readonly mayUpdate: ReadonlySet<string>;
  /** It says RAISE(FAIL), which ends a statement and keeps what it has done. */
  readonly mayFail: boolean;
}

/** Reads the text of a CREATE TRIGGER statement as it stands in `sqlite_schema`. */
export function parseTrigger(name: string, table: string, sql: string): FileTrigger {
  const tokens = codeTokens(sql);
  // CREATE TRIGGER name, and then when it fires.
  const [timing, event] = [tokens[3], tokens[4]];
  const isLate = isWord(timing, "after") || isWord(timing, "instead");
  const isForDelete = isWord(isWord(timing, "before") ? event : timing, "delete");
  const begin = tokens.findIndex((token) => isWord(token, "begin"));
  const body = tokens.slice(begin + 1);
  const updates = body.some((token) => isWord(token, "update"));
  return {
    name,
    table,
    sql,
    isBefore: !isLate,
    isForWrites: !isForDelete,
    writes: writesOf(body),
    mayUpdate: new Set(updates ? body.flatMap(lowerName) : []),
    mayFail: body.some((token, at) => isWord(token, "raise") && isWord(body[at + 2], "fail")),
  };
}

/** Targets of INSERT INTO, REPLACE INTO, UPDATE and DELETE FROM. */
function writesOf(body: readonly Token[]): ReadonlySet<string> | "any" {
  const targets = new Set<string>();
  for (const [at, token] of body.entries()) {
    if (isWord(token, "replace") && body[at + 1]?.text === "(") continue;
    // DO UPDATE belongs to an INSERT, whose target is known.
    if (isWord(token, "update") && isWord(body[at - 1], "do")) continue;
    // INSERT OR REPLACE is seen at INSERT.
    if (isWord(token, "replace") && isWord(body[at - 1], "or")) continue;
    if (!WRITES.some((word) => isWord(token, word))) continue;
    const next = isWord(body[at + 1], "or") ? at + 3 : at + 1;
    const hasPreposition = isWord(body[next], "into") || isWord(body[next], "from");
    if (!hasPreposition && !isWord(token, "update")) return "any";
    const [target] = lowerName(body[hasPreposition ? next + 1 : next]);
    if (target === undefined) return "any";
    targets.add(target);
  }
  return targets;
}

const WRITES = ["insert", "replace", "update", "delete"];

function lowerName(token: Token | undefined): readonly string[] {
  const isName = token?.kind === "word" || token?.kind === "name" || token?.kind === "string";
  return isName ? [lowerAscii(identifierOf(token))] : [];
}
