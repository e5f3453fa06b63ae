/**
 * What an expression reads: every column in it, every subquery, and whether its functions depend on
 * their arguments alone.
 */

import type {
  AggregateFunctionNode,
  AliasNode,
  BinaryOperationNode,
  CaseNode,
  CastNode,
  ColumnNode,
  FunctionNode,
  JSONReferenceNode,
  OperationNode,
  OrderByItemNode,
  OverNode,
  ParensNode,
  RawNode,
  ReferenceNode,
  SelectionNode,
  SelectQueryNode,
  TableNode,
  UnaryOperationNode,
  ValueNode,
  WhenNode,
} from "kysely";
import { lowerAscii } from "../core/lower-ascii.ts";
import { type ArgumentText, refusalOfFunction } from "./functions.ts";
import { isNode, known, unwrap } from "./nodes.ts";
import { readRaw } from "./raw.ts";
import { isSign, tokensOf } from "./raw-text.ts";
import type { Place } from "./reading.ts";
import { readAllColumns, readColumn } from "./scope.ts";
import { opaque, refuse } from "./verdict.ts";

/** Operators that compute from their operands. */
const OPERATORS: ReadonlySet<string> = new Set([
  ..."= == != <> < <= > >= + - * / % & | << >> || -> ->> in is like glob between not".split(" "),
  ...["not in", "is not", "not like", "is distinct from", "is not distinct from"],
  ...["exists", "not exists"],
]);

/** What may stand right of IN; a name would be a table. */
const LISTS: ReadonlySet<string> = new Set([
  "ValueListNode",
  "PrimitiveValueListNode",
  "TupleNode",
  "SelectQueryNode",
  "ParensNode",
]);

/** Reads one expression. Ends the reading when it is not understood. */
export function readExpression(wrapped: OperationNode, place: Place): void {
  const node = unwrap(wrapped);
  const read = READERS[known(node).kind];
  if (read === undefined) opaque(`A node of kind ${node.kind} is no expression.`);
  read(node as never, place);
}

export function readAll(nodes: readonly OperationNode[] | undefined, place: Place): void {
  for (const node of nodes ?? []) readExpression(node, place);
}

function readOptional(node: OperationNode | undefined, place: Place): void {
  if (node !== undefined) readExpression(node, place);
}

type Reader<T extends OperationNode> = (node: T, place: Place) => void;

const READERS: Readonly<Record<string, Reader<never>>> = {
  ValueNode: () => {},
  PrimitiveValueListNode: () => {},
  ReferenceNode: readReference,
  ColumnNode: readColumnNode,
  SelectAllNode: (_node: OperationNode, { scope }) => readAllColumns(scope, undefined),
  RawNode: (node: RawNode, place) => readRaw(node, place, readExpression),
  SelectQueryNode: readSubquery,
  ParensNode: (node: ParensNode, place) => readExpression(node.node, place),
  AliasNode: (node: AliasNode, place) => readExpression(node.node, place),
  SelectionNode: (node: SelectionNode, place) => readExpression(node.selection, place),
  AndNode: readSides,
  OrNode: readSides,
  BinaryOperationNode: readOperation,
  UnaryOperationNode: (node: UnaryOperationNode, place) => {
    readOperator(node.operator, place);
    readExpression(node.operand, place);
  },
  ValueListNode: (node: Values, place) => readAll(node.values, place),
  TupleNode: (node: Values, place) => readAll(node.values, place),
  ListNode: readItems,
  WhereNode: (node: OperationNode & { readonly where: OperationNode }, place) =>
    readExpression(node.where, place),
  OrderByNode: readItems,
  OrderByItemNode: readOrderByItem,
  GroupByNode: readItems,
  GroupByItemNode: (node: OperationNode & { readonly groupBy: OperationNode }, place) =>
    readExpression(node.groupBy, place),
  PartitionByNode: readItems,
  PartitionByItemNode: (node: OperationNode & { readonly partitionBy: OperationNode }, place) =>
    readExpression(node.partitionBy, place),
  FunctionNode: readFunction,
  AggregateFunctionNode: readAggregate,
  OverNode: (node: OverNode, place) => {
    readOptional(node.partitionBy, place);
    readOptional(node.orderBy, place);
  },
  CaseNode: readCase,
  WhenNode: (node: WhenNode, place) => {
    readExpression(node.condition, place);
    readOptional(node.result, place);
  },
  CastNode: readCast,
  JSONReferenceNode: readJsonReference,
};

type Values = OperationNode & { readonly values: readonly OperationNode[] };

function readReference(node: ReferenceNode, { scope }: Place): void {
  const alias = aliasOf(node.table);
  if (node.column.kind === "SelectAllNode") readAllColumns(scope, alias);
  else readColumn(scope, alias, nameOf(node.column as ColumnNode));
}

/** The name by which a reference calls its table, in lower case. */
function aliasOf(table: TableNode | undefined): string | undefined {
  if (table === undefined) return undefined;
  known(table);
  const { schema, identifier } = known(table.table) as TableNode["table"];
  if (schema !== undefined && lowerAscii(schema.name) !== "main") {
    opaque(`The schema ${schema.name} is not understood.`);
  }
  return lowerAscii(identifier.name);
}

function nameOf(node: ColumnNode): string {
  return lowerAscii((known(node) as ColumnNode).column.name);
}

function readColumnNode(node: ColumnNode, { scope }: Place): void {
  readColumn(scope, undefined, nameOf(node));
}

function readSubquery(node: SelectQueryNode, { query, scope, afterWhere }: Place): void {
  const { commonTables } = scope;
  query.readSelect(node, { parent: scope, followsParentFacts: afterWhere, commonTables });
}

function readSides(
  node: OperationNode & { readonly left: OperationNode; readonly right: OperationNode },
  place: Place,
): void {
  readExpression(node.left, place);
  readExpression(node.right, place);
}

function readItems(
  node: OperationNode & { readonly items: readonly OperationNode[] },
  place: Place,
): void {
  readAll(node.items, place);
}

function readOperation(node: BinaryOperationNode, place: Place): void {
  const operator = readOperator(node.operator, place);
  const right = unwrap(node.rightOperand);
  if ((operator === "in" || operator === "not in") && !isList(right)) opaque("IN reads a table.");
  readExpression(node.leftOperand, place);
  readExpression(right, place);
}

function isList(node: OperationNode): boolean {
  if (!isNode<RawNode>(node, "RawNode")) return LISTS.has(node.kind);
  return isSign(tokensOf(node)[0], "(");
}

function readOperator(node: OperationNode, place: Place): string | undefined {
  if (isNode<RawNode>(node, "RawNode")) {
    readExpression(node, place);
    return undefined;
  }
  known(node);
  const operator = "operator" in node ? String(node.operator) : node.kind;
  if (operator === "regexp") refuse(String(refusalOfFunction("regexp")));
  if (!OPERATORS.has(operator)) opaque(`The operator ${operator} is not understood.`);
  return operator;
}

function readOrderByItem(node: OrderByItemNode, place: Place): void {
  readExpression(node.orderBy, place);
  readOptional(node.direction, place);
  if (node.collation !== undefined) known(node.collation);
}

function readFunction(node: FunctionNode, place: Place): void {
  refuseUnlessKnown(node.func, node.arguments.map(literalOf));
  readAll(node.arguments, place);
}

function refuseUnlessKnown(name: string, literals: readonly ArgumentText[]): void {
  const refusal = refusalOfFunction(name, literals);
  if (refusal !== undefined) refuse(refusal);
}

/** The text of an argument that is written into the query, and not bound to it. */
function literalOf(argument: OperationNode): ArgumentText {
  const node = unwrap(argument);
  if (isNode<ValueNode>(node, "ValueNode")) {
    return node.immediate && typeof node.value === "string" ? node.value : undefined;
  }
  if (!isNode<RawNode>(node, "RawNode")) return undefined;
  const [only, ...others] = tokensOf(node);
  return others.length === 0 && only?.kind === "string" ? only.text : undefined;
}

function readAggregate(node: AggregateFunctionNode, place: Place): void {
  refuseUnlessKnown(node.func, node.aggregated.map(literalOf));
  if (!node.aggregated.every(isStar)) readAll(node.aggregated, place);
  readOptional(node.orderBy, place);
  readOptional(node.filter, place);
  readOptional(node.over, place);
}

/** The star of `count(*)`, which asks for rows and for no column. */
function isStar(node: OperationNode): boolean {
  if (!isNode<SelectionNode>(node, "SelectionNode")) return node.kind === "SelectAllNode";
  return node.selection.kind === "SelectAllNode";
}

function readCase(node: CaseNode, place: Place): void {
  readOptional(node.value, place);
  readAll(node.when, place);
  readOptional(node.else, place);
}

/** The type is a word or two; in a template it may be nothing else. */
function readCast(node: CastNode, place: Place): void {
  readExpression(node.expression, place);
  const type = node.dataType;
  if (type.kind === "DataTypeNode") return;
  const isPlain = isNode<RawNode>(type, "RawNode") && type.parameters.length === 0;
  if (!isPlain || !/^[\w\s]*(\([\d\s,]*\))?\s*$/.test(type.sqlFragments.join(""))) {
    opaque("The type of a cast is not understood.");
  }
}

function readJsonReference(node: JSONReferenceNode, place: Place): void {
  readExpression(node.reference, place);
  const { traversal } = node;
  known(traversal);
  if (traversal.kind === "JSONPathNode") traversal.pathLegs.forEach(known);
  else readAll(traversal.values, place);
}
