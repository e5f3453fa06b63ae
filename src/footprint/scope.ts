/**
 * What the names of one select mean. A scope owns its sources, and looks outward through its
 * parent as SQLite does. A name that could mean several things means all of them.
 */

import type { Predicate } from "../change/predicate.ts";
import type { ColumnStructure, TableStructure } from "../change/structure.ts";
import type { StoredValue } from "../change/value.ts";
import { opaque } from "./verdict.ts";

/** An atom while its query is being read. */
export interface AtomDraft {
  readonly table: TableStructure;
  columns: Set<string> | "all";
  /** Conjuncts, each valid for pruning. */
  readonly parts: Predicate[];
}

/** Names of the columns of a derived table, or undefined when they are not known. */
export type Outputs = ReadonlySet<string> | undefined;

/** One item of a FROM clause. */
export interface Source {
  /** In lower case. */
  readonly alias: string;
  /** Undefined for a derived table, whose own select has the atoms. */
  readonly atom: AtomDraft | undefined;
  readonly outputs: Outputs;
  /** Place in the FROM clause; the join that brings it in has the same number. */
  readonly stage: number;
  /** The first join whose result may have NULL in place of its rows; Infinity when none has. */
  nullableFrom: number;
}

/** A common table expression. While `open`, its body and those before it are being read. */
export interface CommonTable {
  outputs: Outputs;
  open: boolean;
}

export interface CommonTables {
  readonly tables: ReadonlyMap<string, CommonTable>;
  readonly parent: CommonTables | undefined;
}

/** Column by column, the values one of which it has in every row that matters, or else NULL. */
export type Facts = Map<Source, Map<string, readonly StoredValue[]>>;

export interface Scope {
  readonly sources: readonly Source[];
  /** Names given in the select list. */
  readonly aliases: ReadonlySet<string>;
  readonly commonTables: CommonTables | undefined;
  readonly facts: Facts;
  readonly parent: Scope | undefined;
  /** Whether it runs for rows that have passed the parent's WHERE, so the parent's facts hold. */
  readonly followsParentFacts: boolean;
}

/** What a reference may mean. */
export interface Meaning {
  readonly candidates: readonly Candidate[];
  /** The one column it means beyond doubt. */
  readonly exact: ExactColumn | undefined;
}

interface Candidate {
  readonly source: Source;
  readonly scope: Scope;
  /** False when it is a derived table whose columns are not known. */
  readonly certain: boolean;
}

export interface ExactColumn {
  readonly source: Source;
  readonly atom: AtomDraft;
  readonly column: ColumnStructure;
  readonly scope: Scope;
  /** The facts of its scope hold where the reference stands. */
  readonly followsFacts: boolean;
}

const ROWID_NAMES: ReadonlySet<string> = new Set(["rowid", "_rowid_", "oid"]);

/** The meaning of `column` or `alias.column`, both in lower case. Counts the columns as read. */
export function readColumn(scope: Scope, alias: string | undefined, column: string): Meaning {
  const meaning = findColumn(scope, alias, column);
  for (const { source } of meaning.candidates) countColumn(source.atom, column);
  return meaning;
}

/** The meaning of a name. Ends the reading when it has none. */
export function findColumn(from: Scope, alias: string | undefined, column: string): Meaning {
  const candidates: Candidate[] = [];
  let isNamed = false;
  for (let scope: Scope | undefined = from; scope; scope = scope.parent) {
    let isHidden = false;
    let isCertain = false;
    for (const source of scope.sources) {
      if (alias !== undefined && source.alias !== alias) continue;
      isHidden ||= alias !== undefined;
      const candidate = candidateOf(scope, source, column);
      if (candidate === undefined) continue;
      candidates.push(candidate);
      isCertain ||= candidate.certain;
    }
    if (isCertain) break;
    if (isHidden) return endAtAlias(scope, alias, candidates, column);
    if (alias === undefined) isNamed ||= scope.aliases.has(column);
  }
  if (candidates.length === 0 && !isNamed) {
    if (alias !== undefined || !ROWID_NAMES.has(column)) {
      opaque(`Nothing in scope is called ${alias === undefined ? "" : `${alias}.`}${column}.`);
    }
    widenAll(from);
  }
  return { candidates, exact: isNamed ? undefined : exactOf(from, candidates, column) };
}

/** A table hides its namesakes further out, whatever columns it has. */
function endAtAlias(
  scope: Scope,
  alias: string | undefined,
  candidates: readonly Candidate[],
  column: string,
): Meaning {
  if (candidates.length === 0) {
    if (!ROWID_NAMES.has(column)) opaque(`${alias} has no column ${column}.`);
    widen(scope.sources.filter((source) => source.alias === alias));
  }
  return { candidates, exact: undefined };
}

function candidateOf(scope: Scope, source: Source, column: string): Candidate | undefined {
  if (source.atom !== undefined) {
    return columnOf(source.atom, column) && { source, scope, certain: true };
  }
  if (source.outputs === undefined) return { source, scope, certain: false };
  return source.outputs.has(column) ? { source, scope, certain: true } : undefined;
}

function exactOf(
  from: Scope,
  candidates: readonly Candidate[],
  name: string,
): ExactColumn | undefined {
  const [only, ...others] = candidates;
  const atom = only?.source.atom;
  const column = atom && columnOf(atom, name);
  if (only === undefined || others.length > 0 || !atom || !column) return undefined;
  const { source, scope } = only;
  return { source, atom, column, scope, followsFacts: followsFacts(from, scope) };
}

/** Whether the last step on the way from the one scope out to the other keeps its facts. */
function followsFacts(from: Scope, to: Scope): boolean {
  let scope = from;
  while (scope !== to && scope.parent !== to && scope.parent !== undefined) scope = scope.parent;
  return scope !== to && scope.followsParentFacts;
}

function columnOf(atom: AtomDraft, name: string): ColumnStructure | undefined {
  return atom.table.columns.find((column) => column.name === name);
}

function countColumn(atom: AtomDraft | undefined, column: string): void {
  if (atom !== undefined && atom.columns !== "all") atom.columns.add(column);
}

/** Counts every column of these sources, and their row numbers. */
export function widen(sources: readonly Source[]): void {
  for (const { atom } of sources) if (atom !== undefined) atom.columns = "all";
}

/** Counts the columns that `*`, or `alias.*`, stands for. */
export function readAllColumns(scope: Scope, alias: string | undefined): void {
  let from: Scope | undefined = scope;
  const isMeant = (source: Source): boolean => alias === undefined || source.alias === alias;
  while (from !== undefined && !from.sources.some(isMeant)) from = from.parent;
  if (from === undefined) opaque(`Nothing in scope is called ${alias ?? "*"}.`);
  for (const { atom } of from.sources.filter(isMeant)) {
    for (const { name } of atom?.table.columns ?? []) countColumn(atom, name);
  }
}

/** Counts every column of everything in scope, outward to the end. */
export function widenAll(from: Scope): void {
  for (let scope: Scope | undefined = from; scope; scope = scope.parent) widen(scope.sources);
}

/** Whether a name in a text is one of a column or an alias here, or could be one. */
export function presenceOf(from: Scope, name: string): "certain" | "possible" | undefined {
  if (ROWID_NAMES.has(name)) return "certain";
  let isPossible = false;
  for (let scope: Scope | undefined = from; scope; scope = scope.parent) {
    if (scope.aliases.has(name)) return "certain";
    for (const source of scope.sources) {
      if (source.alias === name) return "certain";
      const candidate = candidateOf(scope, source, name);
      if (candidate?.certain) return "certain";
      isPossible ||= candidate !== undefined;
    }
  }
  return isPossible ? "possible" : undefined;
}

/** The common table of that name that is nearest. */
export function findCommonTable(
  from: CommonTables | undefined,
  name: string,
): CommonTable | undefined {
  for (let tables = from; tables; tables = tables.parent) {
    const found = tables.tables.get(name);
    if (found !== undefined) return found;
  }
  return undefined;
}
