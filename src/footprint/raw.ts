/** What an `sql` fragment reads: the nodes in it exactly, the names in its text at their widest. */

import type { RawNode } from "kysely";
import { type ArgumentText, refusalOfFunction } from "./functions.ts";
import {
  argumentsOf,
  EXPRESSION_WORDS,
  isSign,
  isWord,
  nestedAliases,
  requireBalance,
  type Token,
  tokensOf,
} from "./raw-text.ts";
import type { Place, ReadExpression } from "./reading.ts";
import { presenceOf, type Scope, widenAll } from "./scope.ts";
import { opaque, refuse } from "./verdict.ts";

/** Node kinds that are a list or a select after IN; a name would be a table. */
const AFTER_IN: ReadonlySet<string> = new Set([
  "ValueListNode",
  "PrimitiveValueListNode",
  "TupleNode",
  "ParensNode",
  "SelectQueryNode",
]);

const CLOCK_WORDS = /^current_(date|time|timestamp)$/;

/** Words after which a word is the name of a type, an alias or a collation. */
const BEFORE_A_LABEL: readonly string[] = ["as", "collate"];

export function readRaw(raw: RawNode, place: Place, read: ReadExpression): void {
  readTokens(tokensOf(raw), place, read);
}

/** Reads a template whose tokens are known. */
export function readTokens(tokens: readonly Token[], outer: Place, read: ReadExpression): void {
  requireBalance(tokens);
  const aliases = nestedAliases(tokens);
  const place = aliases.length === 0 ? outer : { ...outer, scope: nestedScope(outer, aliases) };
  const selects = tokens.filter((token) => isWord(token, "select"));
  if (selects.length !== aliases.length) opaque("A template with a select is not understood.");
  tokens.forEach((token, index) => {
    if (token.kind === "node") readNode(tokens, index, place, outer, read);
    if (token.kind === "word") readWord(tokens, index, place.scope);
    if (isSign(token, "*")) readStar(tokens, index, place.scope);
  });
}

/** The scope of `select … from <select> as alias`, whose columns are not looked at. */
function nestedScope({ scope, afterWhere }: Place, aliases: readonly string[]): Scope {
  return {
    sources: aliases.map((alias, stage) => ({
      alias,
      atom: undefined,
      outputs: undefined,
      stage,
      nullableFrom: Infinity,
    })),
    aliases: new Set(),
    commonTables: scope.commonTables,
    facts: new Map(),
    parent: scope,
    followsParentFacts: afterWhere,
  };
}

function readNode(
  tokens: readonly Token[],
  index: number,
  place: Place,
  outer: Place,
  read: ReadExpression,
): void {
  const token = tokens[index];
  if (token?.kind !== "node") return;
  const before = tokens[index - 1];
  if (isWord(before, "in") && !AFTER_IN.has(token.node.kind)) opaque("IN reads a table.");
  read(token.node, isWord(before, "from") ? outer : place);
}

function readWord(tokens: readonly Token[], index: number, scope: Scope): void {
  const token = tokens[index];
  if (token?.kind !== "word") return;
  const { text, quoted } = token;
  const before = tokens[index - 1];
  const isCall = isSign(tokens[index + 1], "(");
  if (BEFORE_A_LABEL.some((word) => isWord(before, word))) return;
  if (isWord(token, "in")) requireList(tokens[index + 1]);
  if (isCall && (quoted || !BEFORE_BRACKETS.has(text))) {
    const refusal = refusalOfFunction(text, argumentsOf(tokens, index + 1).map(literalOf));
    if (refusal !== undefined) refuse(refusal);
    return;
  }
  const presence = presenceOf(scope, text);
  if (presence === "certain") widenAll(scope);
  if (presence === "certain") return;
  if (!quoted && CLOCK_WORDS.test(text)) refuse(`${text} reads the clock.`);
  if (!quoted && (EXPRESSION_WORDS.has(text) || WORDS_OF_SELECT.has(text))) return;
  if (presence === undefined) opaque(`"${text}" in a template is not understood.`);
}

/** Words before a bracket that are no functions. */
const BEFORE_BRACKETS: ReadonlySet<string> = new Set(
  `all and between by case cast distinct else escape exists glob in is like not or over then when
  select`.split(/\s+/),
);

/** Let through because `nestedAliases` has judged every FROM, and each select has one. */
const WORDS_OF_SELECT: ReadonlySet<string> = new Set(["select", "from", "as"]);

function requireList(next: Token | undefined): void {
  if (next?.kind !== "node" && !isSign(next, "(")) opaque("IN reads a table.");
}

function literalOf(argument: readonly Token[]): ArgumentText {
  const [only, ...others] = argument;
  return others.length === 0 && only?.kind === "string" ? only.text : undefined;
}

/** A star is a product after an operand, a row count in `(*)`, and all columns otherwise. */
function readStar(tokens: readonly Token[], index: number, scope: Scope): void {
  const before = tokens[index - 1];
  if (isSign(before, "(") && isSign(tokens[index + 1], ")")) return;
  const isKeyword = before?.kind === "word" && !before.quoted && EXPRESSION_WORDS.has(before.text);
  const isProduct = before?.kind === "sign" ? isSign(before, ")") : before !== undefined;
  if (!isProduct || isKeyword) widenAll(scope);
}
