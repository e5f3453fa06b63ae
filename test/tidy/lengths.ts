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

/** Lines that are too wide; in tests, names and expected texts may be as long as they are. */
export function longLines(project: Project): string[] {
  const wrong: string[] = [];
  for (const [path, text] of sources(project, "src", "scripts", "bench", "examples")) {
    for (const [index, line] of text.split("\n").entries()) {
      if (line.length <= COLUMNS_MAX) continue;
      wrong.push(`${path}:${index + 1}: ${line.length} columns, at most ${COLUMNS_MAX}. Break it.`);
    }
  }
  return wrong;
}

/** Functions that are too long; what holds tests is a list of functions, not one. */
export function longFunctions(project: Project): string[] {
  const wrong: string[] = [];
  for (const [path, text] of sources(project, ...FOLDERS)) {
    for (const { start, end } of functionsOf(text, FUNCTION_LINES_MAX)) {
      if (path.startsWith("test/") && TESTS.test(maskOf(text).code.slice(start, end))) continue;
      const line = lineAt(text, start);
      const lines = lineAt(text, end) - line + 1;
      wrong.push(
        `${path}:${line}: a function of ${lines} lines, at most ${FUNCTION_LINES_MAX}. ` +
          "Take out the part that has a name of its own.",
      );
    }
  }
  return wrong;
}

/** Calls that make tests. */
const TESTS = /(?<![.\w$])(?:describe|it|test)(?:\.\w+)*\s*\(/;

/** A function body: the positions of its braces. */
export interface FunctionBody {
  readonly start: number;
  readonly end: number;
}

/** Words before a parenthesis that is followed by a block which is not a function's. */
const STATEMENTS = new Set(["if", "for", "while", "switch", "catch", "with", "await"]);

/** A return type is shorter than this. */
const LOOK_BEHIND = 400;

/** The bodies of functions, methods and arrows with a block of more than so many lines. */
export function functionsOf(text: string, linesMax = 0): FunctionBody[] {
  const { code } = maskOf(text);
  const closing = matchBrackets(code);
  const opening = new Map([...closing].map(([open, close]) => [close, open]));
  const found: FunctionBody[] = [];
  for (const [open, close] of closing) {
    if (code[open] !== "{" || countLines(code, open, close) <= linesMax) continue;
    const before = code.slice(Math.max(0, open - LOOK_BEHIND), open).trimEnd();
    if (before.endsWith("=>") || isAfterParameters(code, open, before, opening)) {
      found.push({ start: open, end: close });
    }
  }
  return found;
}

function countLines(code: string, from: number, to: number): number {
  let lines = 1;
  for (let at = code.indexOf("\n", from); at >= 0 && at < to; at = code.indexOf("\n", at + 1)) {
    lines++;
  }
  return lines;
}

/** The end of parameters, right before a body or before the return type that stands between. */
const PARAMETERS_END = /\)(?:\s*:(?:[^;{}()=]|=>|(?<![\w$>\])}]\s*)\{[^{}]*\}|\([^()]*\))*)?$/;

/** Whether what stands before a brace makes it the body of a function. */
function isAfterParameters(
  code: string,
  brace: number,
  before: string,
  opening: ReadonlyMap<number, number>,
): boolean {
  const end = PARAMETERS_END.exec(before);
  if (end === null) return false;
  const open = opening.get(Math.max(0, brace - LOOK_BEHIND) + end.index);
  if (open === undefined) return false;
  const head = code.slice(Math.max(0, open - LOOK_BEHIND), open);
  const word = /([\w$#]*)\s*(?:<[^()]*>)?\s*$/.exec(head)?.[1];
  return word !== undefined && !STATEMENTS.has(word);
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
