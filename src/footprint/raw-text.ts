/**
 * Judges the text of `sql` fragments. A fragment may hold expressions; one in which a table could
 * hide (a subquery, `IN name`), or whose brackets do not close, ends the reading. The only select
 * that is let through is one from a select of the builder, which is how Kysely nests rows as JSON.
 */

import type { OperationNode, RawNode } from "kysely";
import { lowerAscii } from "../core/lower-ascii.ts";
import { isNode, selectWithin, unwrap } from "./nodes.ts";
import { opaque } from "./verdict.ts";

export type Token =
  /** In lower case; `quoted` when it can only be a name. */
  | { readonly kind: "word"; readonly text: string; readonly quoted: boolean }
  | { readonly kind: "string" | "number" | "sign"; readonly text: string }
  | { readonly kind: "node"; readonly node: OperationNode };

/** What a text is made of; the first that fits counts. Anything else is not understood. */
const PATTERNS: readonly (readonly [string, RegExp])[] = [
  ["space", /\s+/u],
  ["comment", /--|\/\*/u],
  ["string", /'(?:[^']|'')*'/u],
  ["quoted", /"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]/u],
  ["number", /(?:0[xX][\da-fA-F]+|(?:\d[\d_]*\.?[\d_]*|\.\d+)(?:[eE][+-]?\d+)?)(?![\w$])/u],
  ["word", /[\p{L}_\u0080-\uffff][\p{L}\p{N}_$\u0080-\uffff]*/u],
  ["sign", /->>|->|\|\||<<|>>|<=|>=|<>|!=|==|[-+*/%&|~<>=(),.]/u],
];

const PATTERN = new RegExp(
  PATTERNS.map(([name, { source }]) => `(?<${name}>${source})`).join("|"),
  "uy",
);

/** Words that are no names: an expression, a window or a direction is made of them. */
export const EXPRESSION_WORDS: ReadonlySet<string> = new Set(
  `all and asc between by case cast collate current desc distinct else end escape exclude exists
  false filter first following glob groups in is isnull last like no not notnull null nulls or order
  others over partition preceding range row rows then ties true unbounded when`.split(/\s+/),
);

/** The template as tokens, nested templates included. Ends the reading when it is no expression. */
export function tokensOf(raw: RawNode): Token[] {
  const tokens: Token[] = [];
  raw.sqlFragments.forEach((text, index) => {
    scan(text, tokens);
    const parameter = raw.parameters[index];
    if (parameter !== undefined) pushNode(unwrap(parameter), tokens);
  });
  return tokens;
}

function pushNode(node: OperationNode, tokens: Token[]): void {
  if (isNode<RawNode>(node, "RawNode")) {
    tokens.push(...tokensOf(node));
  } else if (node.kind === "IdentifierNode") {
    const { name } = node as OperationNode & { readonly name: string };
    tokens.push(nameToken(name));
  } else {
    tokens.push({ kind: "node", node });
  }
}

function scan(text: string, tokens: Token[]): void {
  PATTERN.lastIndex = 0;
  while (PATTERN.lastIndex < text.length) {
    const start = PATTERN.lastIndex;
    const groups = PATTERN.exec(text)?.groups;
    if (groups === undefined) opaque(`"${text.slice(start)}" is not understood.`);
    const { comment, string, quoted, number, word, sign } = groups;
    if (comment !== undefined) opaque("A comment in a template is not understood.");
    if (string !== undefined) tokens.push({ kind: "string", text: string.slice(1, -1) });
    if (quoted !== undefined) tokens.push(nameToken(quoted.slice(1, -1)));
    if (number !== undefined) tokens.push({ kind: "number", text: number });
    if (word !== undefined) tokens.push({ kind: "word", text: lowerAscii(word), quoted: false });
    if (sign !== undefined) tokens.push({ kind: "sign", text: sign });
  }
}

function nameToken(name: string): Token {
  return { kind: "word", text: lowerAscii(name), quoted: true };
}

/** The index of what closes the bracket, or the `case`, that opens at `open`. */
export function closingOf(tokens: readonly Token[], open: number): number {
  let depth = 0;
  for (let index = open; index < tokens.length; index++) {
    depth += depthOf(tokens[index]);
    if (depth === 0) return index;
  }
  return opaque("A bracket in a template does not close.");
}

function depthOf(token: Token | undefined): number {
  if (isSign(token, "(") || isWord(token, "case")) return 1;
  return isSign(token, ")") || isWord(token, "end") ? -1 : 0;
}

/** Ends the reading when brackets do not pair, so that what stands outside stays outside. */
export function requireBalance(tokens: readonly Token[]): void {
  const open: string[] = [];
  for (const token of tokens) {
    if (isSign(token, "(")) open.push(")");
    else if (isWord(token, "case")) open.push("end");
    else if ((isSign(token, ")") || isWord(token, "end")) && open.pop() !== token.text) {
      opaque("A bracket in a template closes what it did not open.");
    }
  }
  if (open.length > 0) opaque("A bracket in a template does not close.");
}

/** The tokens that stand in no bracket. */
export function surfaceOf(tokens: readonly Token[]): Token[] {
  const surface: Token[] = [];
  for (let index = 0; index < tokens.length; index++) {
    const token = tokens[index] as Token;
    surface.push(token);
    if (depthOf(token) === 1) index = closingOf(tokens, index);
  }
  return surface;
}

export function isSign(
  token: Token | undefined,
  text: string,
): token is Token & { readonly kind: "sign" } {
  return token?.kind === "sign" && token.text === text;
}

export function isWord(
  token: Token | undefined,
  text: string,
): token is Token & { readonly kind: "word" } {
  return token?.kind === "word" && !token.quoted && token.text === text;
}

/** The arguments of the call whose bracket opens at `open`. */
export function argumentsOf(tokens: readonly Token[], open: number): Token[][] {
  const close = closingOf(tokens, open);
  const found: Token[][] = [[]];
  for (let index = open + 1; index < close; index++) {
    const token = tokens[index] as Token;
    if (isSign(token, ",")) {
      found.push([]);
      continue;
    }
    const end = depthOf(token) === 1 ? closingOf(tokens, index) : index;
    found.at(-1)?.push(...tokens.slice(index, end + 1));
    index = end;
  }
  return found;
}

/** Aliases of the selects in `from <select> as alias)`; any other FROM ends the reading. */
export function nestedAliases(tokens: readonly Token[]): string[] {
  return tokens.flatMap((token, index) => {
    if (!isWord(token, "from")) return [];
    const [select, as, alias, end] = tokens.slice(index + 1, index + 5);
    const isSelect = select?.kind === "node" && selectWithin(select.node) !== undefined;
    const isAlone = end === undefined || isSign(end, ")");
    if (isSelect && isWord(as, "as") && alias?.kind === "word" && isAlone) return [alias.text];
    return opaque("A template that reads a table is not understood.");
  });
}
