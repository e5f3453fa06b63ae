/**
 * The end of the line that is being shipped, and the segments on their way there.
 *
 * Frames that were read wait here until the store has them: they are encoded in their order, and
 * one that the store refused is offered again as the very same object, so that a segment which did
 * arrive although its answer was lost is written over by itself.
 */

import type { ObjectStore } from "../object-store.ts";
import type { Generation } from "./catalog.ts";
import { generationOf, newFolder, segmentName } from "./names.ts";
import { readSegment } from "./read.ts";
import { encodeSegment, NO_HASH, type SegmentFacts } from "./segment.ts";
import type { Frame, WalPosition } from "./wal.ts";

/** Frames that were read in one piece. */
export interface Chunk {
  readonly frames: readonly Frame[];
  /** The place in the log after them. */
  readonly position: WalPosition;
  readonly pageSize: number;
  readonly timeMs: number;
}

/** The end of a line, as the last segment says it. */
export interface ChainEnd {
  readonly sequence: number;
  readonly transaction: number;
  readonly hash: string;
  readonly timeMs: number;
  readonly position: WalPosition;
  readonly databasePages: number;
}

interface Waiting {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** The changes of one generation, at their end. */
export class Chain {
  readonly folder: string;
  #end: ChainEnd;
  #readTo: WalPosition;
  readonly #chunks: Chunk[] = [];
  #waiting: Waiting | undefined;

  constructor(folder: string, end: ChainEnd) {
    this.folder = folder;
    this.#end = end;
    this.#readTo = end.position;
  }

  /** The last segment that was made; the store has it once `drain` has resolved. */
  get end(): ChainEnd {
    return this.#end;
  }

  /** The place in the log up to which frames were taken over. */
  get readTo(): WalPosition {
    return this.#readTo;
  }

  /** Whether the store has everything that was taken over. */
  get isDrained(): boolean {
    return this.#chunks.length === 0 && this.#waiting === undefined;
  }

  /** Takes over frames that follow on `readTo`. */
  take(chunk: Chunk): void {
    this.#chunks.push(chunk);
    this.#readTo = chunk.position;
  }

  /** The log was begun anew, and everything in the old one had been taken over. */
  beginLog(start: WalPosition): void {
    this.#readTo = start;
  }

  /** Brings everything to the store; what it refuses stays first in line. */
  async drain(store: Pick<ObjectStore, "put">, signal?: AbortSignal): Promise<void> {
    for (;;) {
      this.#waiting ??= await this.#encodeNext();
      if (this.#waiting === undefined) return;
      await store.put(this.#waiting.name, this.#waiting.bytes, signal);
      this.#waiting = undefined;
    }
  }

  async #encodeNext(): Promise<Waiting | undefined> {
    const chunk = this.#chunks[0];
    if (chunk === undefined) return undefined;
    const { frames, position, pageSize } = chunk;
    const before = this.#end;
    const commits = frames.filter(({ commitPages }) => commitPages > 0);
    const transaction = before.transaction + commits.length;
    // A clock that is set back must not make a later segment look earlier.
    const timeMs = Math.max(chunk.timeMs, before.timeMs);
    const databasePages = commits.at(-1)?.commitPages ?? before.databasePages;
    const facts: SegmentFacts = {
      kind: "changes",
      generation: generationOf(this.folder),
      sequence: before.sequence + 1,
      firstTransaction: before.transaction + 1,
      lastTransaction: transaction,
      timeMs,
      pageSize,
      databasePages,
      parts: 0,
      position,
      previous: before.hash,
    };
    const { bytes, hash } = await encodeSegment(facts, frames);
    const { sequence } = facts;
    this.#end = { sequence, transaction, hash, timeMs, position, databasePages };
    this.#chunks.shift();
    return { name: segmentName(this.folder, facts), bytes };
  }
}

/** The chain of a new generation, from a place in the log on. */
export function newChain(nowMs: number, position: WalPosition): Chain {
  return new Chain(newFolder(nowMs), {
    sequence: 0,
    transaction: 0,
    hash: NO_HASH,
    timeMs: nowMs,
    position,
    databasePages: 0,
  });
}

/**
 * The chain of a generation that stands in a store, or nothing when its end is not known. Its base
 * may be missing: another one can be made at its end.
 */
export async function chainOf(
  store: Pick<ObjectStore, "get">,
  { folder, bases, changes }: Generation,
): Promise<Chain | undefined> {
  const first = bases.find(({ isWhole, transaction }) => isWhole && transaction === 0);
  const last = changes.at(-1) ?? first?.parts.at(-1);
  if (last === undefined) return undefined;
  const { facts, hash } = await readSegment(store, last);
  // The line begins beside its first base, and does not follow on it.
  const isBase = facts.kind === "base";
  return new Chain(folder, {
    sequence: isBase ? 0 : facts.sequence,
    transaction: facts.lastTransaction,
    hash: isBase ? NO_HASH : hash,
    timeMs: facts.timeMs,
    position: facts.position,
    databasePages: facts.databasePages,
  });
}
