/**
 * Whether SQLite groups a condition as its nodes do. The builder sets brackets where it must, but
 * the text of a fragment stands as it is: `a = 1 AND ${sql`b OR c`}` is no conjunction.
 */

import type {
  AndNode,
  BinaryOperationNode,
  JSONReferenceNode,
  OperationNode,
  ParensNode,
  RawNode,
  UnaryOperationNode,
} from "kysely";
import { isNode, unwrap } from "./nodes.ts";
import { isSign, surfaceOf, type Token, tokensOf } from "./raw-text.ts";

/** Of what stands outside brackets, the operator that binds least, from loose to tight. */
const OR = 0;
const AND = 1;
const NOT = 2;
const OPERATOR = 3;
const TIGHT = 4;

/** Whether both sides of an AND are what the node says. */
export function isConjunction(node: AndNode): boolean {
  return looseness(node.left) >= AND && looseness(node.right) >= AND;
}

/** Whether the NOT covers the whole operand. */
export function isNegation(node: UnaryOperationNode): boolean {
  return looseness(node.operand) >= NOT;
}

/** The conjuncts of a condition, or none when SQLite would group it differently. */
export function conjunctsOf(condition: OperationNode): OperationNode[] {
  const node = unwrap(condition);
  if (isNode<ParensNode>(node, "ParensNode")) return conjunctsOf(node.node);
  if (!isNode<AndNode>(node, "AndNode")) return [node];
  return isConjunction(node) ? [...conjunctsOf(node.left), ...conjunctsOf(node.right)] : [];
}

function looseness(wrapped: OperationNode): number {
  const node = unwrap(wrapped);
  if (node.kind === "OrNode") return OR;
  if (isNode<AndNode>(node, "AndNode")) return among(AND, node.left, node.right);
  if (isNode<RawNode>(node, "RawNode")) return loosenessOfTokens(tokensOf(node));
  if (isNode<UnaryOperationNode>(node, "UnaryOperationNode")) return among(NOT, node.operand);
  if (isNode<JSONReferenceNode>(node, "JSONReferenceNode")) return looseness(node.reference);
  if (!isNode<BinaryOperationNode>(node, "BinaryOperationNode")) return TIGHT;
  const { leftOperand, operator, rightOperand } = node;
  const isBetween = "operator" in operator && String(operator.operator).startsWith("between");
  const right = unwrap(rightOperand);
  if (isBetween && isNode<AndNode>(right, "AndNode")) {
    return among(OPERATOR, leftOperand, right.left, right.right);
  }
  return among(OPERATOR, leftOperand, operator, rightOperand);
}

function among(own: number, ...nodes: readonly OperationNode[]): number {
  return Math.min(own, ...nodes.map(looseness));
}

function loosenessOfTokens(tokens: readonly Token[]): number {
  return Math.min(TIGHT, ...surfaceOf(tokens).map(loosenessOfToken));
}

function loosenessOfToken(token: Token): number {
  switch (token.kind) {
    case "node":
      return looseness(token.node);
    case "sign":
      return isSign(token, ".") || isSign(token, "(") ? TIGHT : OPERATOR;
    case "word":
      return token.quoted ? OPERATOR : (LOOSE_WORDS.get(token.text) ?? OPERATOR);
    default:
      return TIGHT;
  }
}

const LOOSE_WORDS: ReadonlyMap<string, number> = new Map([
  ["or", OR],
  ["and", AND],
  ["not", NOT],
]);
