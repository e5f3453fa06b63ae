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
  /** Where the result is; undefined when it is nowhere. */
  readonly tier: "memory" | undefined;
  readonly ageMs: number | undefined;
  /** The place of the log of changes at which it was read. */
  readonly position: number | undefined;
  /** What it has read: a change of this drops it. One line for each occurrence of a table. */
  readonly reads: readonly string[];
  /** Why results of this function are not kept, as far as it has run. */
  readonly notKept: string | undefined;
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
