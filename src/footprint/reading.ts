/** What is handed down while one query is read. */

import type { OperationNode, SelectQueryNode } from "kysely";
import type { SchemaStructure } from "../change/structure.ts";
import type { AtomDraft, CommonTables, Outputs, Scope } from "./scope.ts";

/** One query being read. */
export interface QueryReading {
  readonly schema: SchemaStructure;
  /** Every occurrence of a table so far. */
  readonly atoms: AtomDraft[];
  readSelect(node: SelectQueryNode, place: SelectPlace): Outputs;
}

/** Where a select stands. */
export interface SelectPlace {
  readonly parent: Scope | undefined;
  readonly followsParentFacts: boolean;
  readonly commonTables: CommonTables | undefined;
}

/** Where an expression stands. */
export interface Place {
  readonly query: QueryReading;
  readonly scope: Scope;
  /** It is evaluated only for rows that have passed WHERE. */
  readonly afterWhere: boolean;
}

/** Reads one expression; handed to what would otherwise import its own importer. */
export type ReadExpression = (node: OperationNode, place: Place) => void;
