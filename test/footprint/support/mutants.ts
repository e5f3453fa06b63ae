/**
 * Readings with a bug planted, to see whether the oracle finds it. Each reads another query, or
 * another schema, than the one that runs: the one in which what the bug overlooks is not there.
 */

import {
  type AggregateFunctionNode,
  AndNode,
  type BinaryOperationNode,
  type JoinNode,
  type OperationNode,
  OperationNodeTransformer,
  ParensNode,
  type QueryId,
  type RawNode,
  type ReferenceNode,
  type SelectQueryNode,
  ValueNode,
  WhereNode,
} from "kysely";
import type { ColumnStructure, SchemaStructure } from "../../../src/change/structure.ts";
import { footprintOfNode } from "../../../src/footprint/kysely.ts";
import type { NodeReading } from "../../../src/footprint/verdict.ts";
import type { ChooseReading, ReadNode } from "./oracle.ts";

const ID: QueryId = { queryId: "mutant" };

/** Reads the query as `change` has it, select by select. */
function readChanged(change: (node: SelectQueryNode) => SelectQueryNode): ReadNode {
  class Changer extends OperationNodeTransformer {
    protected override transformSelectQuery(node: SelectQueryNode): SelectQueryNode {
      return change(super.transformSelectQuery(node, ID));
    }
  }
  return (root, schema) => footprintOfNode(new Changer().transformNode(root, ID), schema);
}

function readColumnsAs(change: (column: ColumnStructure) => ColumnStructure): ReadNode {
  return (root, schema) => {
    const changed: SchemaStructure = {
      table(name) {
        const table = schema.table(name);
        return table && { ...table, columns: table.columns.map(change) };
      },
    };
    return footprintOfNode(root, changed);
  };
}

function withWhere(node: SelectQueryNode, conditions: readonly OperationNode[]): SelectQueryNode {
  const [first, ...others] = [...(node.where ? [node.where.where] : []), ...conditions].map(
    (condition) => ParensNode.create(condition),
  );
  if (first === undefined) return node;
  const all = others.reduce<OperationNode>((left, right) => AndNode.create(left, right), first);
  return { ...node, where: WhereNode.create(all) };
}

function onsOf(node: SelectQueryNode, joinType: JoinNode["joinType"]): OperationNode[] {
  return (node.joins ?? []).flatMap((join) =>
    join.joinType === joinType && join.on !== undefined ? [join.on.on] : [],
  );
}

function joinedAs(
  from: JoinNode["joinType"],
  to: JoinNode["joinType"],
): (node: SelectQueryNode) => SelectQueryNode {
  return (node) => ({
    ...node,
    ...(node.joins && {
      joins: node.joins.map((join) => (join.joinType === from ? { ...join, joinType: to } : join)),
    }),
  });
}

/** WHERE also prunes the side of a LEFT JOIN that may be missing. */
function whereIntoOn(node: SelectQueryNode): SelectQueryNode {
  const where = node.where?.where;
  if (where === undefined || node.joins === undefined) return node;
  const joins = node.joins.map((join) => {
    if (join.joinType !== "LeftJoin" || join.on === undefined) return join;
    const on = AndNode.create(ParensNode.create(join.on.on), ParensNode.create(where));
    return { ...join, on: { ...join.on, on } };
  });
  return { ...node, joins };
}

/** Equality is carried through a LEFT JOIN from the missing side to the kept one. */
function equalitiesIntoWhere(node: SelectQueryNode): SelectQueryNode {
  return withWhere(node, onsOf(node, "LeftJoin").flatMap(conjuncts).filter(isEquality));
}

function conjuncts(node: OperationNode): OperationNode[] {
  if (ParensNode.is(node)) return conjuncts(node.node);
  return AndNode.is(node) ? [...conjuncts(node.left), ...conjuncts(node.right)] : [node];
}

function isEquality(node: OperationNode): boolean {
  const { leftOperand, operator, rightOperand } = node as BinaryOperationNode;
  return (
    node.kind === "BinaryOperationNode" &&
    (operator as { readonly operator?: string }).operator === "=" &&
    leftOperand.kind === "ReferenceNode" &&
    rightOperand.kind === "ReferenceNode"
  );
}

/** HAVING prunes rows, as if its aggregates were columns. */
function havingIntoWhere(node: SelectQueryNode): SelectQueryNode {
  class Bare extends OperationNodeTransformer {
    protected override transformNodeImpl<T extends OperationNode>(inner: T): T {
      const [argument] = (inner as unknown as AggregateFunctionNode).aggregated ?? [];
      return argument === undefined ? super.transformNodeImpl(inner, ID) : (argument as never);
    }
  }
  if (node.having === undefined) return node;
  return withWhere(node, [new Bare().transformNode(node.having.having, ID)]);
}

/** FILTER prunes rows for everything beside it. */
function filterIntoWhere(node: SelectQueryNode): SelectQueryNode {
  const filters: OperationNode[] = [];
  class Finder extends OperationNodeTransformer {
    protected override transformSelectQuery(inner: SelectQueryNode): SelectQueryNode {
      return inner;
    }
    protected override transformAggregateFunction(
      inner: AggregateFunctionNode,
    ): AggregateFunctionNode {
      if (inner.filter !== undefined) filters.push(inner.filter.where);
      return inner;
    }
  }
  for (const selection of node.selections ?? []) new Finder().transformNode(selection, ID);
  return withWhere(node, filters);
}

/** A subquery's references to the query around it are not seen. */
const readWithoutOuter: ReadNode = (root, schema) => {
  const aliases: Set<string>[] = [];
  class Blind extends OperationNodeTransformer {
    protected override transformSelectQuery(node: SelectQueryNode): SelectQueryNode {
      const items = [...(node.from?.froms ?? []), ...(node.joins ?? []).map((join) => join.table)];
      const names = items.map((item) => (item as { alias?: { name?: string } }).alias?.name ?? "");
      aliases.push(new Set(names));
      const changed = super.transformSelectQuery(node, ID);
      aliases.pop();
      return changed;
    }
    protected override transformReference(node: ReferenceNode): ReferenceNode {
      const name = node.table?.table.identifier.name;
      if (name === undefined || aliases.at(-1)?.has(name)) return node;
      return ValueNode.createImmediate(null) as never;
    }
  }
  return footprintOfNode(new Blind().transformNode(root, ID), schema);
};

/** Text in a condition is taken to be one operand. */
const readTextAsOperand: ReadNode = (root, schema) => {
  class Bracketing extends OperationNodeTransformer {
    protected override transformRaw(node: RawNode): RawNode {
      const isText = node.sqlFragments.some((text) => text.includes(" or "));
      return isText ? (ParensNode.create(node) as never) : super.transformRaw(node, ID);
    }
  }
  return footprintOfNode(new Bracketing().transformNode(root, ID), schema);
};

const withoutArms = (node: SelectQueryNode): SelectQueryNode => {
  const { setOperations: _, ...others } = node;
  return others;
};

/** Windows are read as if they had neither partitions nor an order. */
const readWithoutWindows: ReadNode = (root, schema) => {
  class Closed extends OperationNodeTransformer {
    protected override transformAggregateFunction(
      node: AggregateFunctionNode,
    ): AggregateFunctionNode {
      const { over: _, ...others } = node;
      return super.transformAggregateFunction(others, ID);
    }
  }
  return footprintOfNode(new Closed().transformNode(root, ID), schema);
};

/** Only the last occurrence of a table counts. */
const readOneAtomForEachTable: ReadNode = (root, schema) => {
  const reading = footprintOfNode(root, schema);
  if (reading.cacheable !== true) return reading;
  const atoms = new Map(reading.footprint.atoms.map((atom) => [atom.table, atom]));
  return { cacheable: true, footprint: { atoms: [...atoms.values()] } };
};

/** Runs a query only when the bug makes its reading another one. */
export function whereItDiffers(read: ReadNode): ChooseReading {
  return (root, schema) => {
    const reading = read(root, schema);
    const isSame = textOf(reading) === textOf(footprintOfNode(root, schema));
    return isSame ? "uninteresting" : reading;
  };
}

function textOf(reading: NodeReading): string {
  return JSON.stringify(reading, (_key, value: unknown) => {
    if (value instanceof Set) return [...value].sort();
    return typeof value === "bigint" ? `${value}n` : value;
  });
}

export const MUTANTS: Readonly<Record<string, ReadNode>> = {
  "WHERE prunes the missing side of a LEFT JOIN": readChanged(whereIntoOn),
  "ON prunes the kept side of a LEFT JOIN": readChanged((node) =>
    withWhere(node, onsOf(node, "LeftJoin")),
  ),
  "equality is carried back through a LEFT JOIN": readChanged(equalitiesIntoWhere),
  "a LEFT JOIN is read as an inner join": readChanged(joinedAs("LeftJoin", "InnerJoin")),
  "a RIGHT JOIN is read as a LEFT JOIN": readChanged(joinedAs("RightJoin", "LeftJoin")),
  "a FULL JOIN is read as a LEFT JOIN": readChanged(joinedAs("FullJoin", "LeftJoin")),
  "a FULL JOIN is read as a RIGHT JOIN": readChanged(joinedAs("FullJoin", "RightJoin")),
  "HAVING prunes rows": readChanged(havingIntoWhere),
  "FILTER prunes rows": readChanged(filterIntoWhere),
  "columns of the outer query are missing": readWithoutOuter,
  "columns of windows are missing": readWithoutWindows,
  "the arms of a compound are missing": readChanged(withoutArms),
  "a self-join has one atom": readOneAtomForEachTable,
  "text with OR is taken for one operand": readTextAsOperand,
  "values are compared without affinity": readColumnsAs((column) => ({
    ...column,
    affinity: "blob",
  })),
  "equality is carried across collations": readColumnsAs((column) => ({
    ...column,
    collation: "binary",
  })),
};
