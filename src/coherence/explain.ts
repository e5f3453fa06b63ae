/** What people ask about a result: is it kept, what did it read, what became of the last one. */

import { changeText } from "../change/change-text.ts";
import { DOUBTS } from "../change/conflict.ts";
import { describeAtom } from "../change/describe.ts";
import type { Drop } from "./entries.ts";

/** An answer. */
export interface Explanation {
  readonly name: string;
  /** The arguments as the key has them. */
  readonly key: string;
  /**
   * Where the result came from: `"memory"` when this process has computed it, or the name of the
   * tier in which it was found; undefined when memory does not have it.
   */
  readonly tier: string | undefined;
  /** Where it lies: memory, and the tiers that were given it or had it. */
  readonly places: readonly string[];
  readonly ageMs: number | undefined;
  /** The place of the log of changes at which it was read. */
  readonly position: number | undefined;
  /** What it has read: a change of this drops it. One line for each occurrence of a table. */
  readonly reads: readonly string[];
  /** Why results of this function are not kept, as far as it has run. */
  readonly notKept: string | undefined;
  /** Why results do not go into tiers below memory; undefined when they do or there are none. */
  readonly notStored: string | undefined;
  /** What the last result of these arguments was dropped for, as far as it is remembered. */
  readonly lastDrop: string | undefined;
}

/** A drop in words: what was changed, and which part of what was read it touches. */
export function dropText(drop: Drop): string {
  switch (drop.reason) {
    case "change": {
      const { sequence, change } = drop.change;
      return `change ${sequence}: ${changeText(change)}, which touches ${describeAtom(drop.atom)}`;
    }
    case "schema":
    case "history":
    case "unlogged":
      return DOUBTS[drop.reason];
  }
}
