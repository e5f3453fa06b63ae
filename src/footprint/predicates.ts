/**
 * The part of a condition that can be judged by the row of one source alone. All else in it is
 * opaque, which stands for any truth value; so what is left is TRUE at least whenever the
 * condition is, and may stand below OR and NOT.
 */

import type {
  AndNode,
  BinaryOperationNode,
  OperationNode,
  OperatorNode,
  OrNode,
  ParensNode,
  PrimitiveValueListNode,
  ReferenceNode,
  UnaryOperationNode,
  ValueListNode,
  ValueNode,
} from "kysely";
import { withAffinity } from "../change/affinity.ts";
import type { Comparison, Predicate } from "../change/predicate.ts";
import type { ColumnStructure } from "../change/structure.ts";
import type { StoredValue } from "../change/value.ts";
import { lowerAscii } from "../core/lower-ascii.ts";
import { isNode, unwrap } from "./nodes.ts";
import { isConjunction, isNegation } from "./precedence.ts";
import { type ExactColumn, findColumn, type Scope, type Source } from "./scope.ts";

const OPAQUE: Predicate = { kind: "opaque" };

const COMPARISONS: ReadonlyMap<string, Comparison> = new Map([
  ["=", "="],
  ["==", "="],
  ["<>", "<>"],
  ["!=", "<>"],
  ["<", "<"],
  ["<=", "<="],
  [">", ">"],
  [">=", ">="],
  ["is", "is"],
  ["is not", "is not"],
  ["is not distinct from", "is"],
  ["is distinct from", "is not"],
]);

const MIRRORED: ReadonlyMap<Comparison, Comparison> = new Map([
  ["<", ">"],
  ["<=", ">="],
  [">", "<"],
  [">=", "<="],
]);

/** Collations of SQLite itself; what another one calls equal is not known here. */
const COLLATIONS: ReadonlySet<string> = new Set(["binary", "nocase", "rtrim"]);

/** SQLite's integers. */
const INTEGER_MAX = 2n ** 63n - 1n;
const INTEGER_MIN = -(2n ** 63n);

/** What the condition asks of a row of `source`, one of the sources of `scope`. */
export function project(condition: OperationNode, source: Source, scope: Scope): Predicate {
  const node = unwrap(condition);
  if (isNode<ParensNode>(node, "ParensNode")) return project(node.node, source, scope);
  if (isNode<AndNode>(node, "AndNode")) {
    if (!isConjunction(node)) return OPAQUE;
    return both(project(node.left, source, scope), project(node.right, source, scope));
  }
  if (isNode<OrNode>(node, "OrNode")) {
    return either(project(node.left, source, scope), project(node.right, source, scope));
  }
  if (isNode<UnaryOperationNode>(node, "UnaryOperationNode")) {
    if (operatorOf(node.operator) !== "not" || !isNegation(node)) return OPAQUE;
    return opposite(project(node.operand, source, scope));
  }
  if (!isNode<BinaryOperationNode>(node, "BinaryOperationNode")) return OPAQUE;
  return projectOperation(node, source, scope);
}

function both(left: Predicate, right: Predicate): Predicate {
  if (left.kind === "opaque" && right.kind === "opaque") return OPAQUE;
  return { kind: "and", parts: [...partsOf("and", left), ...partsOf("and", right)] };
}

function either(left: Predicate, right: Predicate): Predicate {
  if (left.kind === "opaque" || right.kind === "opaque") return OPAQUE;
  return { kind: "or", parts: [...partsOf("or", left), ...partsOf("or", right)] };
}

function partsOf(kind: "and" | "or", predicate: Predicate): readonly Predicate[] {
  return predicate.kind === kind ? predicate.parts : [predicate];
}

function opposite(part: Predicate): Predicate {
  return part.kind === "opaque" ? OPAQUE : { kind: "not", part };
}

function projectOperation(node: BinaryOperationNode, source: Source, scope: Scope): Predicate {
  const operator = operatorOf(node.operator);
  const left = columnOf(node.leftOperand, source, scope);
  if (left !== undefined) {
    if (operator === "in") return within(left, node.rightOperand);
    if (operator === "not in") return opposite(within(left, node.rightOperand));
    if (operator === "between") return between(left, node.rightOperand);
  }
  const comparison = operator === undefined ? undefined : COMPARISONS.get(operator);
  if (comparison === undefined) return OPAQUE;
  if (left !== undefined) return compare(left, comparison, node.rightOperand);
  const right = columnOf(node.rightOperand, source, scope);
  if (right === undefined) return OPAQUE;
  return compare(right, MIRRORED.get(comparison) ?? comparison, node.leftOperand);
}

function operatorOf(node: OperationNode): string | undefined {
  return isNode<OperatorNode>(node, "OperatorNode") ? node.operator : undefined;
}

function compare(column: ColumnStructure, operator: Comparison, operand: OperationNode): Predicate {
  const node = unwrap(operand);
  if (!isNode<ValueNode>(node, "ValueNode") || isTruthTest(node)) return OPAQUE;
  const value = storedValue(node.value, column);
  if (value === undefined) return OPAQUE;
  return { kind: "compare", column: column.name, operator, value };
}

/** `x IS TRUE` asks for truth and not for equality; both are written as a literal. */
function isTruthTest(node: ValueNode): boolean {
  return typeof node.value === "boolean";
}

function within(column: ColumnStructure, operand: OperationNode): Predicate {
  const values = valuesOf(unwrap(operand))?.map((value) => storedValue(value, column));
  if (values === undefined || values.some((value) => value === undefined)) return OPAQUE;
  return { kind: "in", column: column.name, values: values as StoredValue[] };
}

function valuesOf(list: OperationNode): readonly unknown[] | undefined {
  if (isNode<PrimitiveValueListNode>(list, "PrimitiveValueListNode")) return list.values;
  if (!isNode<ValueListNode>(list, "ValueListNode")) return undefined;
  const nodes = list.values.map(unwrap);
  if (!nodes.every((node) => isNode<ValueNode>(node, "ValueNode"))) return undefined;
  return nodes.map((node) => (node as ValueNode).value);
}

function between(column: ColumnStructure, operand: OperationNode): Predicate {
  const bounds = unwrap(operand);
  if (!isNode<AndNode>(bounds, "AndNode")) return OPAQUE;
  const { left, right } = bounds;
  return both(compare(column, ">=", left), compare(column, "<=", right));
}

/** The column of `source` that a node is, when its collation is known. */
function columnOf(node: OperationNode, source: Source, scope: Scope): ColumnStructure | undefined {
  const exact = exactColumn(node, scope);
  if (exact?.scope !== scope || exact.source !== source) return undefined;
  return COLLATIONS.has(exact.column.collation) ? exact.column : undefined;
}

/** The one column of a table that a node is. */
export function exactColumn(wrapped: OperationNode, scope: Scope): ExactColumn | undefined {
  const node = unwrap(wrapped);
  if (!isNode<ReferenceNode>(node, "ReferenceNode")) return undefined;
  if (node.column.kind !== "ColumnNode") return undefined;
  const alias = node.table && lowerAscii(node.table.table.identifier.name);
  return findColumn(scope, alias, lowerAscii(node.column.column.name)).exact;
}

/**
 * A bound or literal value as it meets the column, or undefined when that is not certain: a driver
 * may bind a whole number as an integer or as a real, which are alike but for their texts.
 */
function storedValue(value: unknown, column: ColumnStructure): StoredValue | undefined {
  if (typeof value === "number" && column.affinity === "text") return undefined;
  const bound = boundValue(value);
  return bound === undefined ? undefined : withAffinity(bound, column);
}

function boundValue(value: unknown): StoredValue | undefined {
  switch (typeof value) {
    case "bigint":
      return value >= INTEGER_MIN && value <= INTEGER_MAX ? value : undefined;
    case "number":
      if (Number.isSafeInteger(value)) return BigInt(value);
      return Number.isFinite(value) && !Number.isInteger(value) ? value : undefined;
    case "string":
      return value.isWellFormed() && !value.includes("\0") ? value : undefined;
    default:
      return value === null || value instanceof Uint8Array ? value : undefined;
  }
}
