/**
 * Segments of a store in their order, each proved: as it was written, what its name says, of this
 * generation, and following on the one before it.
 */

import type { ObjectStore } from "../object-store.ts";
import type { Base, ListedSegment } from "./catalog.ts";
import { generationOf, segmentName } from "./names.ts";
import { type DecodedSegment, damaged, decodeSegment } from "./segment.ts";

type Source = Pick<ObjectStore, "get">;

/** A base and the changes that follow on it. */
export interface Line {
  readonly base: Base;
  readonly changes: readonly ListedSegment[];
}

/**
 * Reads a line from its base to its end.
 *
 * @throws `SEGMENT_DAMAGED` with the file and the offset; `NOT_FOUND` when one was taken away.
 */
export async function* readLine(
  store: Source,
  { base, changes }: Line,
  signal?: AbortSignal,
): AsyncGenerator<DecodedSegment> {
  let previous: string | undefined;
  let anchor: string | undefined;
  for (const listed of base.parts) {
    const segment = await readSegment(store, listed, signal);
    anchor ??= segment.facts.previous;
    if (previous !== undefined) assertFollows(listed, segment, previous);
    previous = segment.hash;
    yield segment;
  }
  // The changes follow on those before the base, whose hash its first part carries.
  previous = anchor;
  for (const listed of changes) {
    const segment = await readSegment(store, listed, signal);
    if (previous !== undefined) assertFollows(listed, segment, previous);
    previous = segment.hash;
    yield segment;
  }
}

/** Reads one segment and proves it, but for its place in the line. */
export async function readSegment(
  store: Source,
  listed: ListedSegment,
  signal?: AbortSignal,
): Promise<DecodedSegment> {
  const { name, folder } = listed;
  const segment = await decodeSegment(name, await store.get(name, signal));
  const own = segmentName(folder, segment.facts);
  if (segment.facts.generation !== generationOf(folder)) {
    throw damaged(name, 16, "belongs to another generation");
  }
  if (own !== name) throw damaged(name, 32, `was renamed or copied: it is ${own}`);
  return segment;
}

function assertFollows({ name }: ListedSegment, { facts }: DecodedSegment, previous: string): void {
  if (facts.previous === previous) return;
  throw damaged(name, 144, "does not follow on the segment before it: the chain is broken");
}
