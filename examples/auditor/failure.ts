/** What a command says when it fails: the message, what was wrong in detail, and no stack. */

import { isSpringhouseError } from "springhouse";
import type { ProblemReport } from "./problems.ts";

/** Examples of broken rows in a message. */
const EXAMPLES_SHOWN = 5;

/** The error for standard error. */
export function errorText(thrown: unknown): string {
  const error = firstOf(thrown);
  const lines = [`error: ${error instanceof Error ? error.message : String(error)}`];
  if (isSpringhouseError(error)) {
    lines[0] = `error ${error.code}: ${error.message}`;
    for (const { path, message } of error.issues) {
      if (path.length > 0) lines.push(`  ${path.join(".")} ${message}`);
    }
    const tables = error.fields["tables"] as readonly { refused: ProblemReport }[] | undefined;
    const first = tables?.flatMap(({ refused }) => refused.first).slice(0, EXAMPLES_SHOWN) ?? [];
    for (const { line, column, value, reason } of first) {
      lines.push(`  row ${line}, ${column}: ${JSON.stringify(value)} ${reason}`);
    }
  }
  return `${lines.join("\n")}\n`;
}

/** 2 when the command line is to blame, otherwise 1. */
export function exitCodeOf(thrown: unknown): number {
  return isSpringhouseError(firstOf(thrown), "USAGE") ? 2 : 1;
}

/** The error that came first, when closing something after it failed as well. */
function firstOf(thrown: unknown): unknown {
  return thrown instanceof SuppressedError ? firstOf(thrown.suppressed) : thrown;
}
