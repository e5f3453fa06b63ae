/**
 * Encoding of the values that an INSERT or UPDATE built with Kysely gives to declared columns.
 *
 * A parameter alone is encoded by its JavaScript type, which is right for all kinds but JSON: the
 * text "a" has to become `"a"` there, and null as well as 7 are JSON too. Which column a value is
 * for stands only in the query tree, so the tree is rewritten before it is compiled. Nodes that are
 * not known here stay as they are.
 */

import type {
  ColumnNode,
  ColumnUpdateNode,
  InsertQueryNode,
  OperationNode,
  RootOperationNode,
  UpdateQueryNode,
  ValueListNode,
  ValueNode,
  ValuesItemNode,
  ValuesNode,
} from "kysely";
import type { Catalog } from "../schema/catalog.ts";
import { codecOf, encodeParameter } from "../schema/codec.ts";
import type { Dialect } from "../schema/physical.ts";
import { rowsOf } from "./rows.ts";
import type { CallOptions, ResultSet, SqlValue } from "./store.ts";

/** How values get from Kysely to the database and back. */
export interface KyselyValues {
  encode(parameter: unknown): SqlValue;
  rows<R>(result: ResultSet, options?: CallOptions): Promise<R[]>;
}

/** Parameters by their JavaScript type, rows as the schema declares them. */
export function declaredValues(catalog: Catalog, dialect: Dialect): KyselyValues {
  return {
    encode: (parameter) => encodeParameter(parameter, dialect),
    rows: (result, options) => rowsOf(result, catalog, dialect, options),
  };
}

type Encode = (value: unknown) => unknown;
type EncoderOf = (column: string) => Encode | undefined;

/** The same query with encoded values; the same object when there is nothing to encode. */
export function encodeValues<N extends RootOperationNode>(
  node: N,
  catalog: Catalog,
  dialect: Dialect,
): N {
  if (node.kind === "InsertQueryNode") return encodeInsert(node, catalog, dialect) as N;
  if (node.kind === "UpdateQueryNode") return encodeUpdate(node, catalog, dialect) as N;
  return node;
}

function encodeInsert(node: InsertQueryNode, catalog: Catalog, dialect: Dialect): InsertQueryNode {
  const encoderOf = encodersOf(tableName(node.into), catalog, dialect);
  const encoders = (node.columns ?? []).map((column) => encoderOf(columnName(column) ?? ""));
  const { values, onConflict } = node;
  const result: { -readonly [P in keyof InsertQueryNode]: InsertQueryNode[P] } = { ...node };
  if (isKind<ValuesNode>(values, "ValuesNode")) {
    const rows = values.values.map((row) => encodeRow(row, encoders));
    result.values = { ...values, values: rows } as ValuesNode;
  }
  if (onConflict?.updates !== undefined) {
    result.onConflict = { ...onConflict, updates: encodeUpdates(onConflict.updates, encoderOf) };
  }
  return result;
}

function encodeUpdate(node: UpdateQueryNode, catalog: Catalog, dialect: Dialect): UpdateQueryNode {
  if (node.updates === undefined) return node;
  const encoderOf = encodersOf(tableName(node.table), catalog, dialect);
  return { ...node, updates: encodeUpdates(node.updates, encoderOf) };
}

function encodeRow(row: ValuesItemNode, encoders: readonly (Encode | undefined)[]): ValuesItemNode {
  if (row.kind === "PrimitiveValueListNode") {
    return { ...row, values: row.values.map((value, index) => encoded(value, encoders[index])) };
  }
  return {
    ...row,
    values: row.values.map((value, index) => encodeNode(value, encoders[index])),
  } satisfies ValueListNode;
}

function encodeUpdates(
  updates: readonly ColumnUpdateNode[],
  encoderOf: EncoderOf,
): readonly ColumnUpdateNode[] {
  return updates.map((update) => {
    const name = columnName(update.column);
    const encode = name === undefined ? undefined : encoderOf(name);
    return { ...update, value: encodeNode(update.value, encode) };
  });
}

function encodeNode(node: OperationNode, encode: Encode | undefined): OperationNode {
  if (!isKind<ValueNode>(node, "ValueNode") || node.immediate === true) return node;
  return { ...node, value: encoded(node.value, encode) } as ValueNode;
}

/** `undefined` is left alone: it is refused later, and by Kysely in its own words. */
function encoded(value: unknown, encode: Encode | undefined): unknown {
  return encode === undefined || value === undefined ? value : encode(value);
}

function encodersOf(table: string | undefined, catalog: Catalog, dialect: Dialect): EncoderOf {
  return (name) => {
    const column = table === undefined ? undefined : catalog.column(table, name);
    if (table === undefined || column === undefined) return undefined;
    return codecOf(table, column, dialect).encode;
  };
}

/** Of a table that stands alone, without schema; with an alias too. */
function tableName(node: OperationNode | undefined): string | undefined {
  const table = isKind<AliasedTable>(node, "AliasNode") ? node.node : node;
  if (!isKind<TableShape>(table, "TableNode") || table.table.schema !== undefined) return undefined;
  return table.table.identifier.name;
}

function columnName(node: OperationNode): string | undefined {
  if (isKind<ReferenceShape>(node, "ReferenceNode")) return columnName(node.column);
  return isKind<ColumnNode>(node, "ColumnNode") ? node.column.name : undefined;
}

interface AliasedTable extends OperationNode {
  readonly node: OperationNode;
}

interface TableShape extends OperationNode {
  readonly table: { readonly schema?: unknown; readonly identifier: { readonly name: string } };
}

interface ReferenceShape extends OperationNode {
  readonly column: OperationNode;
}

function isKind<N extends OperationNode>(
  node: OperationNode | undefined,
  kind: OperationNode["kind"],
): node is N {
  return node?.kind === kind;
}
