/** Values for columns of an affinity: few, so that rows meet, and some that are equal in part. */

import type { Choices } from "./choices.ts";
import type { ProofAffinity, ProofColumn } from "./proof-table.ts";

const USUAL: Readonly<Record<ProofAffinity, readonly string[]>> = {
  integer: ["0", "1", "2", "3"],
  real: ["0.0", "0.5", "1.0", "1.5"],
  numeric: ["1", "2", "1.5", "'b'"],
  text: ["'a'", "'A'", "'b'", "'1'", "'ä'", "'Ä'", "'a '"],
  blob: ["1", "1.0", "'1'", "'a'", "x'61'", "2"],
};
const STRANGE = ["'a'", "1", "1.0", "0.5", "'2'", "x'31'", "'1.0'", "2.0", "''"];

/** Probability of NULL, and of a value that is not what the column is for. */
const NULLS = 0.12;
const STRANGENESS = 0.08;

/** A value for a column, as it is written in SQL. */
export function randomLiteral(choices: Choices, { affinity }: ProofColumn): string {
  if (choices.chance(NULLS)) return "NULL";
  return choices.one(choices.chance(STRANGENESS) ? STRANGE : USUAL[affinity]);
}

/** The same, never NULL. */
export function randomValue(choices: Choices, { affinity }: ProofColumn): string {
  return choices.one(choices.chance(STRANGENESS) ? STRANGE : USUAL[affinity]);
}

/** A name as SQL has it. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
