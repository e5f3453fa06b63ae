/**
 * Which segments restore a moment: the last base before it, and the changes from there to it. A
 * plan is made from names alone, so it costs one list; what the files hold is proved when they are
 * read.
 *
 * A plan never goes back to an earlier moment by itself: when anything in the store says that there
 * were commits after the moment reached and up to the target, it is refused with that moment, and
 * whoever is content with it asks for it.
 */

import { isSpringhouseError, SpringhouseError } from "../../core/errors.ts";
import type { Base, Generation, ListedSegment } from "./catalog.ts";
import { type LineEnd, reaches } from "./head.ts";
import { isBegunBy, segmentName } from "./names.ts";

/** Up to where to restore. */
export type RestoreTarget =
  /** Everything that was shipped. */
  | { readonly kind: "latest" }
  /** The last transaction that was seen at this time or before, UTC milliseconds. */
  | { readonly kind: "time"; readonly timeMs: number }
  /** A transaction of the newest generation, by number. */
  | { readonly kind: "transaction"; readonly transaction: number };

/** What a restore does. */
export interface RestorePlan {
  readonly folder: string;
  readonly base: Base;
  readonly changes: readonly ListedSegment[];
  /** The last transaction that is applied. */
  readonly transaction: number;
  /** The moment that the restored database shows, UTC milliseconds. */
  readonly reachesMs: number;
  readonly files: number;
  readonly bytes: number;
  /**
   * Until when commits are known to be missing after the moment reached: the time of the next whole
   * base, or of the last segment that is known when there is none.
   */
  readonly nothingUntilMs: number | undefined;
}

/**
 * Plans a restore.
 *
 * @throws `RESTORE_POINT_UNKNOWN` when no whole base stands at the target or before it;
 *   `SEGMENT_MISSING` when a segment on the way is not there, or is there twice, and when a base
 *   is not whole without which commits before the target cannot be reached, or when the store told
 *   of segments after the last one that is there.
 */
export function planRestore(
  generations: readonly Generation[],
  target: RestoreTarget,
  ends: readonly LineEnd[] = [],
): RestorePlan {
  const generation = generations.findLast((one) => lastBase(one, target) !== undefined);
  const base = generation === undefined ? undefined : lastBase(generation, target);
  if (generation === undefined || base === undefined) throw unknownPoint(generations, target);
  const line = lineFrom(generation, base);
  const end = line.findLastIndex((segment) => isWanted(segment, base, target));
  const wanted = line.slice(0, end + 1);
  assertUnbroken(generation, base, wanted);
  const last = wanted.at(-1);
  const shown = last?.lastTransaction ?? base.transaction;
  const transaction = target.kind === "transaction" ? target.transaction : shown;
  if (transaction > shown) throw unknownPoint(generations, target);
  // What ends in the middle of a transaction, when nothing follows, is not needed.
  const changes = wanted.filter(({ firstTransaction }) => firstTransaction <= transaction);
  const files = [...base.parts, ...changes];
  const reachesMs = changes.at(-1)?.timeMs ?? base.timeMs;
  const later = generations.slice(generations.indexOf(generation) + 1);
  const isAtEnd = end + 1 === line.length;
  const isCounted = target.kind === "transaction";
  const gone = isAtEnd && !isCounted ? endsGone(generations, ends, generation.folder) : [];
  if (target.kind !== "time" || target.timeMs > reachesMs) {
    const unreached = [
      ...generation.bases.filter((one) => one.transaction > transaction).flatMap(partsOf),
      ...later.flatMap(segmentsOf),
    ].find((segment) => isSeenBy(segment, target));
    if (unreached !== undefined) throw baseMissing(generations, unreached, reachesMs);
    const missed = gone.find(({ folder }) => {
      return folder === generation.folder || isWantedFrom(folder, target);
    });
    if (missed !== undefined) throw endMissing(missed, reachesMs);
  }
  return {
    folder: generation.folder,
    base,
    changes,
    transaction,
    reachesMs,
    files: files.length,
    bytes: files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    nothingUntilMs: isAtEnd ? (returnsAtMs(later) ?? gone.at(-1)?.timeMs) : undefined,
  };
}

/** What is missing in a generation by the names of its segments; nothing when it is whole. */
export function problemOf(generation: Generation, end?: LineEnd): SpringhouseError | undefined {
  const base = generation.bases.find(({ isWhole }) => isWhole);
  const [first] = segmentsOf(generation);
  if (base === undefined) {
    return first === undefined ? undefined : baseMissing([generation], first, undefined);
  }
  try {
    const line = lineFrom(generation, base);
    assertUnbroken(generation, base, line);
    if (end === undefined || reaches(generation, end)) return undefined;
    return endMissing(end, line.at(-1)?.timeMs ?? base.timeMs);
  } catch (error) {
    if (isSpringhouseError(error, "SEGMENT_MISSING")) return error;
    throw error;
  }
}

function lastBase({ bases }: Generation, target: RestoreTarget): Base | undefined {
  return bases.findLast(({ isWhole, timeMs, transaction }) => {
    if (target.kind === "time") return isWhole && timeMs <= target.timeMs;
    return isWhole && (target.kind === "latest" || transaction <= target.transaction);
  });
}

/** Every segment, the parts of bases first. */
function segmentsOf({ bases, changes }: Generation): readonly ListedSegment[] {
  return [...bases.flatMap(partsOf), ...changes];
}

function partsOf({ parts }: Base): readonly ListedSegment[] {
  return parts;
}

/** Whether a segment of a later line than the one chosen shows that a target is not reached. */
function isSeenBy({ timeMs, lastTransaction }: ListedSegment, target: RestoreTarget): boolean {
  if (target.kind === "time") return timeMs <= target.timeMs;
  return target.kind === "latest" || lastTransaction <= target.transaction;
}

function isWantedFrom(folder: string, target: RestoreTarget): boolean {
  return target.kind !== "time" || isBegunBy(folder, target.timeMs);
}

/** The ends that the store told, of a generation and of later ones, and does not have. */
function endsGone(
  generations: readonly Generation[],
  ends: readonly LineEnd[],
  first: string,
): readonly LineEnd[] {
  return ends.filter((end) => {
    const generation = generations.find(({ folder }) => folder === end.folder);
    return end.folder >= first && (generation === undefined || !reaches(generation, end));
  });
}

/** When something can be restored again, in generations that follow. */
function returnsAtMs(later: readonly Generation[]): number | undefined {
  const bases = later.flatMap((one) => one.bases).filter(({ isWhole }) => isWhole);
  const ends = later.flatMap((one) => segmentsOf(one).map(({ timeMs }) => timeMs));
  return bases[0]?.timeMs ?? ends.sort((a, b) => a - b).at(-1);
}

/** The changes after a base; it stands between two of them, so none is cut. */
function lineFrom({ changes }: Generation, base: Base): readonly ListedSegment[] {
  return changes.filter(({ firstTransaction }) => firstTransaction > base.transaction);
}

function isWanted(segment: ListedSegment, base: Base, target: RestoreTarget): boolean {
  if (target.kind === "latest") return true;
  if (target.kind === "time") return segment.timeMs <= target.timeMs;
  return segment.firstTransaction <= Math.max(target.transaction, base.transaction);
}

function assertUnbroken({ folder }: Generation, base: Base, line: readonly ListedSegment[]): void {
  let reachedMs = base.timeMs;
  let transaction = base.transaction;
  let before: ListedSegment | undefined;
  for (const segment of line) {
    const { sequence, firstTransaction, name } = segment;
    if (sequence === before?.sequence) {
      throw missing(name, `stands beside ${before.name}: one of them is no part of it`, reachedMs);
    }
    const follows = before === undefined || sequence === before.sequence + 1;
    if (!follows || firstTransaction !== transaction + 1) {
      const place = before?.name ?? `${folder}/base at transaction ${base.transaction}`;
      throw missing(name, `does not follow on ${place}: what was between is missing`, reachedMs);
    }
    transaction = segment.lastTransaction;
    reachedMs = segment.timeMs;
    before = segment;
  }
}

/** The error for a segment that no whole base makes use of. */
function baseMissing(
  generations: readonly Generation[],
  { folder, ...segment }: ListedSegment,
  reachesMs: number | undefined,
): SpringhouseError {
  const bases = generations.find((one) => one.folder === folder)?.bases ?? [];
  const broken = bases.find(({ isWhole }) => !isWhole);
  const [part] = broken?.parts ?? [];
  if (broken === undefined || part === undefined) {
    const problem = "has no whole base before it: the one on which it follows is missing";
    return missing(segment.name, problem, reachesMs);
  }
  const there = new Set(broken.parts.map(({ sequence }) => sequence));
  const numbers = Array.from({ length: part.parts }, (_, at) => at + 1);
  const sequence = numbers.find((number) => !there.has(number));
  if (sequence === undefined) {
    return missing(part.name, "has no whole base: its parts are of several bases", reachesMs);
  }
  const file = segmentName(folder, { ...part, sequence });
  return missing(file, "is missing: the generation has no whole base without it", reachesMs);
}

/** The error for the end of a line that was shipped and is not there. */
export function endMissing(
  { folder, sequence, transaction, timeMs }: LineEnd,
  reachesMs: number | undefined,
): SpringhouseError {
  const seen = `transaction ${transaction} of ${new Date(timeMs).toISOString()}`;
  const problem = `is missing at the end: number ${sequence}, ${seen}, was shipped`;
  return missing(`${folder}/wal`, problem, reachesMs);
}

function missing(file: string, problem: string, reachesMs: number | undefined): SpringhouseError {
  const advice =
    reachesMs === undefined
      ? "Restore an earlier generation."
      : `Restore to ${new Date(reachesMs).toISOString()} or before, or put the files back.`;
  return new SpringhouseError("SEGMENT_MISSING", `Segment ${file} ${problem}. ${advice}`, {
    fields: { file, ...(reachesMs === undefined ? {} : { reachesMs }) },
  });
}

function unknownPoint(generations: readonly Generation[], target: RestoreTarget): SpringhouseError {
  const bases = generations.flatMap((one) => one.bases).filter(({ isWhole }) => isWhole);
  const firstMs = bases[0]?.timeMs;
  const wanted =
    target.kind === "time"
      ? new Date(target.timeMs).toISOString()
      : target.kind === "latest"
        ? "any moment"
        : `transaction ${target.transaction}`;
  const known =
    firstMs === undefined
      ? "The store has no whole base: check its place, and that shipping has begun."
      : `The first moment that it knows is ${new Date(firstMs).toISOString()}.`;
  const message = `Nothing restores ${wanted}. ${known}`;
  return new SpringhouseError("RESTORE_POINT_UNKNOWN", message, {
    fields: { ...(firstMs === undefined ? {} : { firstMs }) },
  });
}
