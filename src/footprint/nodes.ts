/**
 * The node kinds that are understood, each with the properties it may have. A kind or a property
 * that is not here came with a newer Kysely, and could mean anything; it ends the reading.
 * Kinds are matched by name, never by class, so that any instance of Kysely will do.
 */

import type { OperationNode, RawNode, SelectQueryNode } from "kysely";
import { opaque } from "./verdict.ts";

const PROPERTIES: Readonly<Record<string, string>> = {
  SelectQueryNode: `from selections distinctOn joins groupBy orderBy where frontModifiers
    endModifiers limit offset with having explain setOperations`,
  SelectModifierNode: "modifier rawModifier of",
  SelectionNode: "selection",
  SelectAllNode: "",
  ReferenceNode: "column table",
  ColumnNode: "column",
  TableNode: "table",
  SchemableIdentifierNode: "schema identifier",
  IdentifierNode: "name",
  AliasNode: "node alias",
  FromNode: "froms",
  JoinNode: "joinType table on",
  OnNode: "on",
  WhereNode: "where",
  HavingNode: "having",
  GroupByNode: "items",
  GroupByItemNode: "groupBy",
  OrderByNode: "items",
  OrderByItemNode: "orderBy direction nulls collation",
  CollateNode: "collation",
  LimitNode: "limit",
  OffsetNode: "offset",
  WithNode: "expressions recursive",
  CommonTableExpressionNode: "name materialized expression",
  CommonTableExpressionNameNode: "table columns",
  SetOperationNode: "operator expression all",
  RawNode: "sqlFragments parameters",
  ParensNode: "node",
  AndNode: "left right",
  OrNode: "left right",
  OperatorNode: "operator",
  BinaryOperationNode: "leftOperand operator rightOperand",
  UnaryOperationNode: "operator operand",
  ValueNode: "value immediate",
  ValueListNode: "values",
  PrimitiveValueListNode: "values",
  TupleNode: "values",
  ListNode: "items",
  FunctionNode: "func arguments",
  AggregateFunctionNode: "func aggregated distinct orderBy filter over",
  OverNode: "orderBy partitionBy",
  PartitionByNode: "items",
  PartitionByItemNode: "partitionBy",
  CaseNode: "value when else isStatement",
  WhenNode: "condition result",
  CastNode: "expression dataType",
  DataTypeNode: "dataType",
  JSONReferenceNode: "reference traversal",
  JSONPathNode: "inOperator pathLegs",
  JSONPathLegNode: "type value",
  JSONOperatorChainNode: "operator values",
};

const SHAPES: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  Object.entries(PROPERTIES).map(([kind, names]) => [
    kind,
    new Set(["kind", ...names.split(/\s+/)]),
  ]),
);

/** A node that is known by kind and whole by shape; ends the reading otherwise. */
export function known(node: OperationNode): OperationNode {
  const shape = SHAPES.get(node.kind);
  if (shape === undefined) opaque(`A node of kind ${node.kind} is not understood.`);
  for (const property in node) {
    if (!shape.has(property) && Reflect.get(node, property) !== undefined) {
      opaque(`"${property}" of a ${node.kind} is not understood.`);
    }
  }
  return node;
}

export function isNode<T extends OperationNode>(
  node: OperationNode | undefined,
  kind: T["kind"],
): node is T {
  return node?.kind === kind;
}

/** What `sql.ref`, `sql.table` and nested templates without text wrap. */
export function unwrap(node: OperationNode): OperationNode {
  if (!isNode<RawNode>(node, "RawNode")) return node;
  const [only] = node.parameters;
  if (only === undefined || node.parameters.length > 1) return node;
  return node.sqlFragments.every((text) => text.trim() === "") ? unwrap(only) : node;
}

/** The select inside parentheses and templates without text, if it is one. */
export function selectWithin(node: OperationNode): SelectQueryNode | undefined {
  const inner = unwrap(node);
  if (isNode<SelectQueryNode>(inner, "SelectQueryNode")) return inner;
  return inner.kind === "ParensNode"
    ? selectWithin((inner as OperationNode & { readonly node: OperationNode }).node)
    : undefined;
}
