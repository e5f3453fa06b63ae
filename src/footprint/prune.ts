/**
 * What the conditions of one select say about the rows of each source. A condition may prune a
 * source only when a row that fails it leaves no trace: neither a row of the result, nor the
 * absence of a row of NULLs that an outer join would put in its place.
 *
 * Equality carries constants from source to source. The facts that are carried have the form "one
 * of these values, or NULL"; since NULL equals nothing, they pass through joins that extend their
 * source, but only from the side that is kept to the side that may be missing. A step from the
 * missing side back would prune rows whose partner is replaced by NULLs.
 */

import type { BinaryOperationNode, JoinNode, OperationNode, SelectQueryNode } from "kysely";
import type { Predicate } from "../change/predicate.ts";
import type { StoredValue } from "../change/value.ts";
import { isNode } from "./nodes.ts";
import { conjunctsOf } from "./precedence.ts";
import { exactColumn, project } from "./predicates.ts";
import type { ExactColumn, Scope, Source } from "./scope.ts";
import { opaque } from "./verdict.ts";

export type JoinSide = "inner" | "left" | "right" | "full";

/** One conjunct, and where it is applied. WHERE comes after the last join. */
interface Conjunct {
  readonly node: OperationNode;
  readonly side: JoinSide;
  /** The join whose ON it stands in; Infinity for WHERE. */
  readonly stage: number;
}

const SIDES: ReadonlyMap<string, JoinSide> = new Map([
  ["InnerJoin", "inner"],
  ["CrossJoin", "inner"],
  ["LeftJoin", "left"],
  ["RightJoin", "right"],
  ["FullJoin", "full"],
]);

export function sideOf(join: JoinNode): JoinSide {
  return SIDES.get(join.joinType) ?? opaque(`A join of type ${join.joinType} is not understood.`);
}

/** Notes which rows the join may replace by NULLs. `sources` ends with the one it brings in. */
export function markNullable(sources: readonly Source[], side: JoinSide): void {
  const stage = sources.length - 1;
  for (const source of sources) {
    const isKept = source.stage === stage ? side !== "left" : side !== "right";
    if (side === "inner" || (side !== "full" && isKept)) continue;
    source.nullableFrom = Math.min(source.nullableFrom, stage);
  }
}

/** Adds to each atom what the conditions ask of its rows, and to the scope what they fix. */
export function prune(select: SelectQueryNode, firstJoin: number, scope: Scope): void {
  const conjuncts = allConjuncts(select, firstJoin);
  for (const conjunct of conjuncts) {
    for (const source of scope.sources) {
      if (source.atom === undefined || !mayPrune(conjunct, source)) continue;
      const predicate = project(conjunct.node, source, scope);
      if (predicate.kind === "opaque") continue;
      source.atom.parts.push(predicate);
      noteFact(scope, source, predicate);
    }
  }
  carryEqualities(conjuncts, scope);
}

function allConjuncts(select: SelectQueryNode, firstJoin: number): Conjunct[] {
  const ofJoins = (select.joins ?? []).flatMap((join, index) =>
    conjunctsOfJoin(join, firstJoin + index),
  );
  const ofWhere = select.where === undefined ? [] : conjunctsOf(select.where.where);
  const inWhere = ofWhere.map((node) => ({ node, side: "inner" as const, stage: Infinity }));
  return [...ofJoins, ...inWhere];
}

function conjunctsOfJoin(join: JoinNode, stage: number): Conjunct[] {
  if (join.on === undefined) return [];
  return conjunctsOf(join.on.on).map((node) => ({ node, side: sideOf(join), stage }));
}

/** Whether a row of `source` that fails the conjunct leaves no trace. */
function mayPrune({ side, stage }: Conjunct, source: Source): boolean {
  switch (side) {
    case "inner":
      return source.stage <= stage && source.nullableFrom >= stage;
    case "left":
      return source.stage === stage;
    case "right":
      return source.stage < stage && source.nullableFrom >= stage;
    case "full":
      return false;
  }
}

/** Keeps the values that a conjunct allows, when equality with them can be carried on. */
function noteFact(scope: Scope, source: Source, predicate: Predicate): void {
  const values = valuesAllowed(predicate);
  if (values === undefined || values.includes(null) || !("column" in predicate)) return;
  const column = source.atom?.table.columns.find(({ name }) => name === predicate.column);
  if (column?.collation === "binary") addFact(scope, source, column.name, values);
}

function valuesAllowed(predicate: Predicate): readonly StoredValue[] | undefined {
  if (predicate.kind === "in") return predicate.values;
  const isEquality = predicate.kind === "compare" && predicate.operator === "=";
  return isEquality ? [predicate.value] : undefined;
}

/** False when there was a fact about that column already. */
function addFact(
  scope: Scope,
  source: Source,
  column: string,
  values: readonly StoredValue[],
): boolean {
  const ofSource = scope.facts.get(source) ?? new Map<string, readonly StoredValue[]>();
  scope.facts.set(source, ofSource);
  if (ofSource.has(column)) return false;
  ofSource.set(column, values);
  return true;
}

function carryEqualities(conjuncts: readonly Conjunct[], scope: Scope): void {
  const edges = conjuncts.flatMap((conjunct) => edgesOf(conjunct, scope));
  let isMoving = edges.length > 0;
  while (isMoving) {
    isMoving = false;
    for (const { from, to } of edges) isMoving = carry(from, to, scope) || isMoving;
  }
}

function carry(from: ExactColumn, to: ExactColumn, scope: Scope): boolean {
  const values = from.scope.facts.get(from.source)?.get(from.column.name);
  if (values === undefined) return false;
  const column = to.column.name;
  if (!addFact(scope, to.source, column, values)) return false;
  const [only, ...others] = values;
  to.atom.parts.push(
    only === undefined || others.length > 0
      ? { kind: "in", column, values }
      : { kind: "compare", column, operator: "=", value: only },
  );
  return true;
}

interface Edge {
  readonly from: ExactColumn;
  readonly to: ExactColumn;
}

function edgesOf(conjunct: Conjunct, scope: Scope): Edge[] {
  const { node } = conjunct;
  if (!isNode<BinaryOperationNode>(node, "BinaryOperationNode") || !isEqualSign(node)) return [];
  const left = exactColumn(node.leftOperand, scope);
  const right = exactColumn(node.rightOperand, scope);
  if (left === undefined || right === undefined || !isCarriable(left, right)) return [];
  const edges = [
    { from: left, to: right },
    { from: right, to: left },
  ];
  return edges.filter((edge) => mayCarry(conjunct, edge, scope));
}

function isEqualSign({ operator }: BinaryOperationNode): boolean {
  return "operator" in operator && (operator.operator === "=" || operator.operator === "==");
}

/** Whether equality between the two is equality of stored values, so that it is transitive. */
function isCarriable(left: ExactColumn, right: ExactColumn): boolean {
  const areBinary = left.column.collation === "binary" && right.column.collation === "binary";
  return areBinary && left.column.affinity === right.column.affinity;
}

function mayCarry(conjunct: Conjunct, { from, to }: Edge, scope: Scope): boolean {
  if (to.scope !== scope || from.source === to.source || !mayPrune(conjunct, to.source))
    return false;
  if (from.scope !== scope) return from.followsFacts;
  const { side, stage } = conjunct;
  if (side === "right") return from.source.stage === stage;
  return side === "left" ? from.source.stage < stage : from.source.stage <= stage;
}
