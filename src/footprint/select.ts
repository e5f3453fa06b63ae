/** What a select reads: its sources become a scope, its conditions prune, its expressions count. */

import type {
  AliasNode,
  ColumnNode,
  CommonTableExpressionNode,
  FunctionNode,
  IdentifierNode,
  JoinNode,
  OperationNode,
  RawNode,
  ReferenceNode,
  SelectModifierNode,
  SelectQueryNode,
  TableNode,
  WithNode,
} from "kysely";
import { lowerAscii } from "../core/lower-ascii.ts";
import { readAll, readExpression } from "./expressions.ts";
import { TABLE_FUNCTIONS } from "./functions.ts";
import { isNode, known, selectWithin, unwrap } from "./nodes.ts";
import { markNullable, prune, sideOf } from "./prune.ts";
import { readTokens } from "./raw.ts";
import { closingOf, isSign, type Token, tokensOf } from "./raw-text.ts";
import type { Place, QueryReading, SelectPlace } from "./reading.ts";
import {
  type AtomDraft,
  type CommonTable,
  type CommonTables,
  findCommonTable,
  type Outputs,
  type Scope,
  type Source,
} from "./scope.ts";
import { opaque, refuse } from "./verdict.ts";

/** Reads a select with all that is in it, and tells the names of its columns. */
export function readSelect(
  query: QueryReading,
  node: SelectQueryNode,
  outer: SelectPlace,
): Outputs {
  known(node);
  if (node.explain !== undefined) refuse("The statement explains a plan.");
  requireModifiers(node);
  const commonTables =
    node.with === undefined ? outer.commonTables : readWith(query, node.with, outer);
  const place = { ...outer, commonTables };
  const from = new FromClause(query, place);
  if (node.from !== undefined) known(node.from);
  for (const item of node.from?.froms ?? []) from.add(item);
  const firstJoin = from.sources.length;
  for (const join of node.joins ?? []) from.join(join);
  const scope: Scope = {
    sources: from.sources,
    aliases: aliasesOf(node),
    commonTables,
    facts: new Map(),
    parent: outer.parent,
    followsParentFacts: outer.followsParentFacts,
  };
  prune(node, firstJoin, scope);
  from.readArguments({ query, scope, afterWhere: false });
  readClauses(node, { query, scope, afterWhere: true });
  const arms = (node.setOperations ?? []).map((operation) => {
    known(operation);
    const arm = selectWithin(operation.expression);
    if (arm === undefined) return opaque("An arm of a compound is no select.");
    return readSelect(query, arm, place);
  });
  if (arms.length === 0) readOrder(node, { query, scope, afterWhere: true });
  else readOrderOfCompound(node, scope, query, arms);
  return outputsOf(node, scope);
}

function requireModifiers(node: SelectQueryNode): void {
  const isDistinct = ({ modifier, rawModifier, of }: SelectModifierNode): boolean =>
    modifier === "Distinct" && rawModifier === undefined && of === undefined;
  const front = node.frontModifiers ?? [];
  if (node.distinctOn?.length || node.endModifiers?.length || !front.every(isDistinct)) {
    opaque("A modifier of a select is not understood.");
  }
}

/** All names of a WITH are visible in all its bodies, as SQLite has it. */
function readWith(query: QueryReading, node: WithNode, outer: SelectPlace): CommonTables {
  known(node);
  const tables = new Map<string, CommonTable>();
  const commonTables = { tables, parent: outer.commonTables };
  for (const { name } of node.expressions) {
    tables.set(tableName(name.table), { outputs: undefined, open: true });
  }
  for (const expression of node.expressions)
    readCommonTable(query, expression, outer, commonTables);
  return commonTables;
}

function readCommonTable(
  query: QueryReading,
  node: CommonTableExpressionNode,
  outer: SelectPlace,
  commonTables: CommonTables,
): void {
  known(node);
  known(node.name);
  const table = commonTables.tables.get(tableName(node.name.table));
  const body = selectWithin(node.expression);
  if (body === undefined) {
    if (isWrite(node.expression)) refuse("The statement writes.");
    opaque("The body of a common table expression is no select.");
  }
  const columns = node.name.columns?.map(({ column }) => lowerAscii(column.name));
  if (table === undefined) return;
  if (columns !== undefined) table.outputs = new Set(columns);
  const outputs = readSelect(query, body, {
    parent: outer.parent,
    followsParentFacts: false,
    commonTables,
  });
  table.outputs ??= outputs;
  table.open = false;
}

/** Whether a node, as the root or the body of a common table, changes rows. */
export function isWrite({ kind }: OperationNode): boolean {
  return /^(Insert|Update|Delete|Merge)QueryNode$/.test(kind);
}

/** The name of a table of the main schema, in lower case. */
function tableName(node: TableNode): string {
  known(node);
  const { schema, identifier } = known(node.table) as TableNode["table"];
  if (schema !== undefined && lowerAscii(schema.name) !== "main") {
    opaque(`The schema ${schema.name} is not understood.`);
  }
  return lowerAscii(identifier.name);
}

/** The sources of one select, in order. */
class FromClause {
  readonly sources: Source[] = [];
  readonly #query: QueryReading;
  readonly #place: SelectPlace;
  /** Arguments of table functions; they see their neighbours, so they are read last. */
  readonly #arguments: ((place: Place) => void)[] = [];

  constructor(query: QueryReading, place: SelectPlace) {
    this.#query = query;
    this.#place = place;
  }

  add(item: OperationNode): void {
    const node = unwrap(item);
    if (isNode<AliasNode>(node, "AliasNode")) {
      known(node);
      const alias = unwrap(node.alias);
      if (!isNode<IdentifierNode>(alias, "IdentifierNode")) opaque("An alias is not understood.");
      this.#push(this.#sourceOf(unwrap(node.node), lowerAscii(alias.name)));
    } else {
      this.#push(this.#sourceOf(node, undefined));
    }
  }

  join(node: JoinNode): void {
    known(node);
    const side = sideOf(node);
    this.add(node.table);
    markNullable(this.sources, side);
  }

  /** Reads what could only be read once all sources were known. */
  readArguments(place: Place): void {
    for (const read of this.#arguments) read(place);
  }

  #sourceOf(node: OperationNode, alias: string | undefined): NamedSource {
    if (isNode<TableNode>(node, "TableNode")) return this.#tableSource(node, alias);
    const select = selectWithin(node);
    if (select !== undefined) {
      const outputs = readSelect(this.#query, select, this.#place);
      return { alias: alias ?? "", atom: undefined, outputs };
    }
    this.#arguments.push(tableFunction(node));
    return { alias: alias ?? "", atom: undefined, outputs: undefined };
  }

  #tableSource(node: TableNode, alias: string | undefined): NamedSource {
    const name = tableName(node);
    const isPlain = node.table.schema === undefined;
    const common = isPlain ? findCommonTable(this.#place.commonTables, name) : undefined;
    const table = this.#query.schema.table(name);
    if (common !== undefined) {
      if (common.open && table !== undefined) this.#addAtom({ table, columns: "all", parts: [] });
      return { alias: alias ?? name, atom: undefined, outputs: common.outputs };
    }
    if (table === undefined) opaque(`${name} is no table that can be read by its name.`);
    const atom = this.#addAtom({ table, columns: new Set(), parts: [] });
    return { alias: alias ?? name, atom, outputs: undefined };
  }

  #addAtom(atom: AtomDraft): AtomDraft {
    this.#query.atoms.push(atom);
    return atom;
  }

  #push(source: NamedSource): void {
    this.sources.push({ ...source, stage: this.sources.length, nullableFrom: Infinity });
  }
}

type NamedSource = Pick<Source, "alias" | "atom" | "outputs">;

/** How to read the arguments of a table function, which is all that it reads. */
function tableFunction(node: OperationNode): (place: Place) => void {
  if (isNode<FunctionNode>(node, "FunctionNode")) {
    known(node);
    if (!TABLE_FUNCTIONS.has(lowerAscii(node.func))) opaque(`${node.func}() is no known table.`);
    return (place) => readAll(node.arguments, place);
  }
  if (!isNode<RawNode>(node, "RawNode")) opaque(`A node of kind ${node.kind} is no known table.`);
  const tokens = tokensOf(node);
  if (!isCallOfTableFunction(tokens)) opaque("A table in a template is not understood.");
  return (place) => readTokens(tokens.slice(1), place, readExpression);
}

function isCallOfTableFunction(tokens: readonly Token[]): boolean {
  const [name, open] = tokens;
  if (name?.kind !== "word" || !TABLE_FUNCTIONS.has(name.text) || !isSign(open, "(")) return false;
  return closingOf(tokens, 1) === tokens.length - 1;
}

function aliasesOf(node: SelectQueryNode): Set<string> {
  const aliases = new Set<string>();
  for (const { selection } of node.selections ?? []) {
    const alias = isNode<AliasNode>(selection, "AliasNode") ? unwrap(selection.alias) : undefined;
    if (isNode<IdentifierNode>(alias, "IdentifierNode")) aliases.add(lowerAscii(alias.name));
  }
  return aliases;
}

function readClauses(node: SelectQueryNode, place: Place): void {
  for (const { on } of node.joins ?? []) {
    if (on !== undefined)
      readExpression((known(on) as typeof on).on, { ...place, afterWhere: false });
  }
  if (node.where !== undefined) readExpression(node.where, place);
  readAll(node.selections, place);
  if (node.groupBy !== undefined) readExpression(node.groupBy, place);
  if (node.having !== undefined)
    readExpression((known(node.having) as typeof node.having).having, place);
  for (const bound of [node.limit, node.offset]) {
    if (bound === undefined) continue;
    known(bound);
    readExpression("limit" in bound ? bound.limit : bound.offset, place);
  }
}

function readOrder(node: SelectQueryNode, place: Place): void {
  if (node.orderBy !== undefined) readExpression(node.orderBy, place);
}

/** The order of a compound may name a column of any arm; those count in their arms already. */
function readOrderOfCompound(
  node: SelectQueryNode,
  scope: Scope,
  query: QueryReading,
  arms: readonly Outputs[],
): void {
  const names = arms.flatMap((arm) => [...(arm ?? [])]);
  const aliases = new Set([...scope.aliases, ...names]);
  readOrder(node, { query, scope: { ...scope, aliases }, afterWhere: false });
}

/** The names of the columns, or undefined when one has none that could be known. */
function outputsOf(node: SelectQueryNode, scope: Scope): Outputs {
  const names = new Set<string>();
  for (const { selection } of node.selections ?? []) {
    const found = namesOf(unwrap(selection), scope);
    if (found === undefined) return undefined;
    for (const name of found) names.add(name);
  }
  return names;
}

function namesOf(node: OperationNode, scope: Scope): Iterable<string> | undefined {
  if (isNode<AliasNode>(node, "AliasNode")) {
    const alias = unwrap(node.alias);
    return isNode<IdentifierNode>(alias, "IdentifierNode") ? [lowerAscii(alias.name)] : undefined;
  }
  if (isNode<ColumnNode>(node, "ColumnNode")) return [lowerAscii(node.column.name)];
  if (node.kind === "SelectAllNode") return namesOfAll(scope.sources);
  if (!isNode<ReferenceNode>(node, "ReferenceNode")) return undefined;
  if (node.column.kind === "ColumnNode") return namesOf(node.column, scope);
  const alias = node.table && lowerAscii(node.table.table.identifier.name);
  return namesOfAll(scope.sources.filter((source) => source.alias === alias));
}

function namesOfAll(sources: readonly Source[]): string[] | undefined {
  const names: string[] = [];
  for (const { atom, outputs } of sources) {
    const found = atom?.table.columns.map(({ name }) => name) ?? outputs;
    if (found === undefined) return undefined;
    names.push(...found);
  }
  return names;
}
