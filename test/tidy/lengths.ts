/** Limits that keep a file readable in one sitting and a function on one screen. */

import { lineAt, maskOf, type Project, sources } from "./project.ts";

/** Longer than this and a file owns more than one thing. */
const FILE_LINES_MAX = 400;
/** About one screen. */
const FUNCTION_LINES_MAX = 70;
/** Two files fit side by side. */
const COLUMNS_MAX = 100;

const FOLDERS = ["src", "test", "scripts", "bench", "examples"];

/** Files that are too long. */
export function longFiles(project: Project): string[] {
  return [...sources(project, ...FOLDERS)]
    .map(([path, text]) => ({ path, lines: text.split("\n").length - 1 }))
    .filter(({ lines }) => lines > FILE_LINES_MAX)
    .map(({ path, lines }) => {
      return `${path}: ${lines} lines, at most ${FILE_LINES_MAX}. Split it by noun.`;
    });
}

/** Lines that are too wide. */
export function longLines(project: Project): string[] {
  const wrong: string[] = [];
  for (const [path, text] of sources(project, ...FOLDERS)) {
    for (const [index, line] of text.split("\n").entries()) {
      if (line.length <= COLUMNS_MAX) continue;
      wrong.push(`${path}:${index + 1}: ${line.length} columns, at most ${COLUMNS_MAX}. Break it.`);
    }
  }
  return wrong;
}

/** Functions that are too long; the callback of `describe` is a list of tests, not a function. */
export function longFunctions(project: Project): string[] {
  const wrong: string[] = [];
  for (const [path, text] of sources(project, ...FOLDERS)) {
    for (const { name, start, end } of functionsOf(text)) {
      const line = lineAt(text, start);
      const lines = lineAt(text, end) - line + 1;
      if (lines <= FUNCTION_LINES_MAX || name === "describe") continue;
      wrong.push(
        `${path}:${line}: a function of ${lines} lines, at most ${FUNCTION_LINES_MAX}. ` +
          "Take out the part that has a name of its own.",
      );
    }
  }
  return wrong;
}

/** A function body: positions of its braces, and the word before its parameters or its call. */
export interface FunctionBody {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/** Words before a parenthesis that is followed by a block which is not a function's. */
const STATEMENTS = new Set(["if", "for", "while", "switch", "catch", "with", "await"]);

/** A return type, or the line of a call up to its arrow, is shorter than this. */
const LOOK_BEHIND = 400;

/** The bodies of functions, methods and arrows with a block. */
export function functionsOf(text: string): FunctionBody[] {
  const { code } = maskOf(text);
  const closing = matchBrackets(code);
  const opening = new Map([...closing].map(([open, close]) => [close, open]));
  const found: FunctionBody[] = [];
  for (const [open, close] of closing) {
    if (code[open] !== "{") continue;
    const before = code.slice(Math.max(0, open - LOOK_BEHIND), open).trimEnd();
    const name = before.endsWith("=>") ? callOf(before) : methodOf(code, open, before, opening);
    if (name !== undefined) found.push({ name, start: open, end: close });
  }
  return found;
}

/** The name of the call whose argument an arrow is: `describe` in `describe("…", () => {`. */
function callOf(before: string): string {
  const line = before.slice(before.lastIndexOf("\n") + 1);
  return /^\s*([\w$]+)[\w$.]*\s*\(/.exec(line)?.[1] ?? "=>";
}

/** The end of parameters, right before a body or before the return type that stands between. */
const PARAMETERS_END = /\)(?:\s*:(?:[^;{}()=]|=>|(?<![\w$>\])}]\s*)\{[^{}]*\}|\([^()]*\))*)?$/;

/** The name before the parameters, when what stands before the brace makes it a function's body. */
function methodOf(
  code: string,
  brace: number,
  before: string,
  opening: ReadonlyMap<number, number>,
): string | undefined {
  const end = PARAMETERS_END.exec(before);
  if (end === null) return undefined;
  const open = opening.get(Math.max(0, brace - LOOK_BEHIND) + end.index);
  if (open === undefined) return undefined;
  const head = code.slice(Math.max(0, open - LOOK_BEHIND), open);
  const name = /([\w$#]*)\s*(?:<[^()]*>)?\s*$/.exec(head)?.[1];
  return name === undefined || STATEMENTS.has(name) ? undefined : name;
}

/** Position of the closing bracket for each opening one. */
function matchBrackets(code: string): Map<number, number> {
  const pairs = new Map<number, number>();
  const open: number[] = [];
  for (let at = 0; at < code.length; at++) {
    const character = code[at] ?? "";
    if ("({[".includes(character)) open.push(at);
    else if (")}]".includes(character)) {
      const start = open.pop();
      if (start !== undefined) pairs.set(start, at);
    }
  }
  return pairs;
}
