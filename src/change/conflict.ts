/** The errors for a write whose expectations do not hold. */

import { SpringhouseError } from "../core/errors.ts";
import type { Change } from "./change.ts";
import { changeText } from "./change-text.ts";
import { describeAtom } from "./describe.ts";
import type { Atom } from "./footprint.ts";

const ADVICE = "Nothing was written: read again and decide again; `retry` does it for you.";

/** Why nobody can tell whether what was read is still as it was. */
export type Doubt =
  /** The schema is another one. */
  | "schema"
  /** The log was trimmed, or the file is another one. */
  | "history"
  /** Something may have been written that the log does not have. */
  | "unlogged";

/** In words. */
export const DOUBTS: Readonly<Record<Doubt, string>> = {
  schema: "the schema was changed",
  history: "the log of changes does not reach back to where it was read",
  unlogged: "something may have been written that the log of changes does not have",
};

/** A change that touches what was read; of `"all"` when it is not known what that was. */
export function changedConflict(change: Change, atom: Atom | "all"): SpringhouseError {
  const { table } = change;
  const reads = atom === "all" ? "something that is not known" : describeAtom(atom);
  return new SpringhouseError("CONFLICT", `${table} was changed since it was read. ${ADVICE}`, {
    fields: { table, change: changeText(change), reads },
  });
}

/** It cannot be told, for a reason in words, so it is taken for changed. */
export function doubtfulConflict(reason: string): SpringhouseError {
  const message = `It cannot be told whether what was read has been changed: ${reason}.`;
  return new SpringhouseError("CONFLICT", `${message} ${ADVICE}`, {
    fields: { table: undefined, change: reason, reads: undefined },
  });
}
