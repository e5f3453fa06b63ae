/** Nothing that may lose data happens by accident: `--yes`, or somebody says so. */

import { SpringhouseError } from "../../core/errors.ts";
import { type Invocation, isGiven, usageError } from "../command.ts";

/**
 * Returns when the user agrees.
 *
 * @param what a sentence that says what will happen.
 * @throws `USAGE` when nobody can be asked, `ABORTED` when the answer is no.
 */
export async function confirm(invocation: Invocation, what: string): Promise<void> {
  if (isGiven(invocation, "yes")) return;
  const { ask } = invocation.terminal;
  if (ask === undefined || isGiven(invocation, "json")) {
    throw usageError(`${what} Add --yes to agree.`);
  }
  const answer = await ask(`${what} Go on? [y/N] `);
  if (/^y(?:es)?$/i.test(answer.trim())) return;
  throw new SpringhouseError("ABORTED", "Nothing was done.");
}
