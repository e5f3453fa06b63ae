/**
 * A script as single statements. A semicolon ends a statement unless it stands in a string, a name,
 * a comment or the body of a trigger; a trigger ends, as for SQLite itself, at `; END ;`.
 */

import { SpringhouseError } from "../core/errors.ts";
import { isWord, type Token, tokenize } from "../core/sql-tokens.ts";

/** One statement of a script, without its semicolon. */
export interface ScriptStatement {
  readonly sql: string;
  /** Line of its first word in the file, from 1. */
  readonly line: number;
}

/**
 * The statements of `script`.
 *
 * @param source where the script comes from, for the message.
 * @param firstLine line of the script's first character in its file.
 * @throws `MIGRATION_INVALID` when a string, name, comment or trigger has no end.
 */
export function splitStatements(
  script: string,
  source: string,
  firstLine = 1,
): readonly ScriptStatement[] {
  const statements: ScriptStatement[] = [];
  let current: Token[] = [];
  const finish = (): void => {
    const first = current[0];
    const last = current.at(-1);
    if (first === undefined || last === undefined) return;
    const sql = script.slice(first.start, last.end);
    statements.push({ sql, line: firstLine + first.line - 1 });
    current = [];
  };
  for (const token of tokenize(script)) {
    if (token.kind === "comment") continue;
    if (token.kind === "open") {
      const what = token.text.startsWith("/*") ? "comment" : "quoted text";
      const message = `the ${what} that begins here has no end`;
      throw invalid(source, firstLine + token.line - 1, message);
    }
    if (token.text !== ";" || (startsTrigger(current) && !endsTrigger(current))) {
      current.push(token);
    } else finish();
  }
  if (startsTrigger(current) && !endsTrigger(current)) {
    const line = firstLine + (current[0]?.line ?? 1) - 1;
    throw invalid(source, line, "the trigger that begins here has no END");
  }
  finish();
  return statements;
}

/** The error for a migration that cannot be read; `line` is 0 when the file as a whole is meant. */
export function invalid(source: string, line: number, message: string): SpringhouseError {
  const where = line > 0 ? `${source}:${line}` : source;
  return new SpringhouseError("MIGRATION_INVALID", `${where}: ${message}.`, {
    fields: { source, line },
  });
}

function startsTrigger(tokens: readonly Token[]): boolean {
  if (!isWord(tokens[0], "create")) return false;
  const temporary = isWord(tokens[1], "temp") || isWord(tokens[1], "temporary");
  return isWord(tokens[temporary ? 2 : 1], "trigger");
}

function endsTrigger(tokens: readonly Token[]): boolean {
  return isWord(tokens.at(-1), "end") && tokens.at(-2)?.text === ";";
}
