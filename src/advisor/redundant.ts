/**
 * Indexes that say what another one says: the same columns in the same order, or the first columns
 * of another. An index that is UNIQUE does more than find rows and is given up only for another
 * UNIQUE one; that of a constraint always stays.
 */

import { canonicalExpression } from "../core/sql-tokens.ts";
import { type DatabaseFacts, type IndexFacts, tableNamed } from "./facts.ts";

/** An index that could go, because another one does its work. */
export interface Redundancy {
  readonly index: string;
  readonly table: string;
  /** The index, or "the primary key", that stays. */
  readonly keptBy: string;
  readonly reason: "duplicate" | "prefix";
}

/** Of each pair the one that can go; tables with fewer rows than `smallRows` are left alone. */
export function redundantIndexes(facts: DatabaseFacts, smallRows: number): readonly Redundancy[] {
  const gone = new Set<string>();
  const found: Redundancy[] = [];
  for (const index of facts.indexes) {
    if (!index.isOwn || isLeftAlone(facts, index.table, smallRows)) continue;
    const keeper = keeperOf(index, facts, gone);
    if (keeper === undefined) continue;
    gone.add(index.name);
    found.push({ index: index.name, table: index.table, ...keeper });
  }
  return found;
}

/** Whether nothing is advised about a table: it is small, or one of the library itself. */
export function isLeftAlone(facts: DatabaseFacts, table: string, smallRows: number): boolean {
  return table.startsWith("springhouse_") || (tableNamed(facts, table)?.rows ?? 0) < smallRows;
}

function keeperOf(
  index: IndexFacts,
  facts: DatabaseFacts,
  gone: ReadonlySet<string>,
): Pick<Redundancy, "keptBy" | "reason"> | undefined {
  const others = facts.indexes.filter(
    (other) => other !== index && other.table === index.table && !gone.has(other.name),
  );
  const longer = others.filter((other) => isPrefix(index, other));
  const same = longer.find(
    ({ parts, unique }) => parts.length === index.parts.length && (unique || !index.unique),
  );
  if (same !== undefined) return { keptBy: same.name, reason: "duplicate" };
  const [first] = longer;
  if (first === undefined || index.unique) return undefined;
  return { keptBy: first.name, reason: "prefix" };
}

/** Whether the other one finds every row that this one finds, by the same columns. */
function isPrefix(index: IndexFacts, other: IndexFacts): boolean {
  if (canonicalExpression(index.where ?? "") !== canonicalExpression(other.where ?? ""))
    return false;
  return index.parts.every(({ name, descending, collation }, position) => {
    const part = other.parts[position];
    // What an expression is stands only in the text; two are not taken for the same.
    return (
      name !== null &&
      part?.name === name &&
      part.descending === descending &&
      part.collation === collation
    );
  });
}
