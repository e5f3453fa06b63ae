/**
 * What is in a store: generations, the bases in them and the changes that follow on each.
 *
 * A *generation* is an unbroken line of transactions, counted from 0. It begins with a base;
 * further bases stand at later transactions of it, so that a restore need not begin at the first.
 * Whenever it is not certain that no transaction is missing, another generation is begun.
 */

import type { ObjectStore } from "../object-store.ts";
import { type NamedSegment, parseSegmentName } from "./names.ts";

/** A segment of a list, with its size. */
export interface ListedSegment extends NamedSegment {
  readonly sizeBytes: number;
}

/** All pages of the database at one transaction. */
export interface Base {
  readonly transaction: number;
  readonly timeMs: number;
  readonly parts: readonly ListedSegment[];
  /** Whether every part is there, once. */
  readonly isWhole: boolean;
}

/** An unbroken line of transactions. */
export interface Generation {
  readonly folder: string;
  /** By transaction. */
  readonly bases: readonly Base[];
  /** By name, which is by sequence. */
  readonly changes: readonly ListedSegment[];
}

/** Every generation of a store, the oldest first. Objects with other names are passed by. */
export async function readCatalog(
  store: Pick<ObjectStore, "list">,
  signal?: AbortSignal,
): Promise<readonly Generation[]> {
  const byFolder = new Map<string, ListedSegment[]>();
  for (const { name, sizeBytes } of await store.list("", signal)) {
    const segment = parseSegmentName(name);
    if (segment === undefined) continue;
    const segments = byFolder.get(segment.folder) ?? [];
    segments.push({ ...segment, sizeBytes });
    byFolder.set(segment.folder, segments);
  }
  return [...byFolder]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([folder, segments]) => ({
      folder,
      bases: basesOf(segments.filter(({ kind }) => kind === "base")),
      changes: segments.filter(({ kind }) => kind === "changes"),
    }));
}

/** The moment that the last segment of a generation shows; nothing when it shows none. */
export function endOf({ bases, changes }: Generation): number | undefined {
  const times = [...bases.filter(({ isWhole }) => isWhole), ...changes].map(({ timeMs }) => timeMs);
  return times.length === 0 ? undefined : Math.max(...times);
}

function basesOf(segments: readonly ListedSegment[]): Base[] {
  const byTransaction = Map.groupBy(segments, ({ lastTransaction }) => lastTransaction);
  return [...byTransaction].map(([transaction, parts]) => ({
    transaction,
    timeMs: parts[0]?.timeMs ?? 0,
    parts,
    isWhole:
      parts.length === parts[0]?.parts && parts.every((part, at) => part.sequence === at + 1),
  }));
}
