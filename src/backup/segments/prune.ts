/**
 * Which segments are no longer needed: those that only restore moments older than what is kept.
 * The last base before that moment stays, with everything after it.
 */

import type { Generation } from "./catalog.ts";
import { endOf } from "./catalog.ts";

/** Names of objects that can go, so that every moment since `keepSinceMs` can still be restored. */
export function superfluous(
  generations: readonly Generation[],
  keepSinceMs: number,
): readonly string[] {
  return generations.flatMap((generation, at) => {
    const isLast = at === generations.length - 1;
    const isOver = (endOf(generation) ?? 0) < keepSinceMs;
    // What an interrupted first base has left restores nothing.
    if (!isLast && (isOver || endOf(generation) === undefined)) return namesOf(generation);
    return superfluousOf(generation, keepSinceMs);
  });
}

function superfluousOf({ bases, changes }: Generation, keepSinceMs: number): readonly string[] {
  const whole = bases.filter(({ isWhole }) => isWhole);
  const first = whole.findLast(({ timeMs }) => timeMs <= keepSinceMs) ?? whole[0];
  const newest = whole.at(-1);
  if (first === undefined || newest === undefined) return [];
  const gone = bases.filter(
    ({ transaction, isWhole }) =>
      transaction < first.transaction || (!isWhole && transaction < newest.transaction),
  );
  return [
    ...gone.flatMap(({ parts }) => parts.map(({ name }) => name)),
    ...changes
      .filter(({ lastTransaction, firstTransaction }) => {
        return lastTransaction <= first.transaction && firstTransaction <= first.transaction;
      })
      .map(({ name }) => name),
  ];
}

function namesOf({ bases, changes }: Generation): readonly string[] {
  return [...bases.flatMap(({ parts }) => parts), ...changes].map(({ name }) => name);
}
