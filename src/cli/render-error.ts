/** What a failed command prints: the message with what to do, the code, and no stack. */

import { styleText } from "node:util";
import { type ErrorCode, messageOf, SpringhouseError } from "../core/errors.ts";

/** An error for people, for programs and for debugging. */
export interface RenderedError {
  readonly text: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly stack: string;
}

const INTERRUPTED = 130;
const USAGE = 2;
const FAILED = 1;
/** The command line or the configuration is at fault; arguments of commands come from there. */
const ASKED_WRONGLY: readonly ErrorCode[] = ["USAGE", "CONFIG", "INVALID_ARGUMENT", "INVALID_URL"];

/** Renders anything that was thrown; what is not ours is a bug and says so. */
export function renderError(error: unknown, { color }: { readonly color: boolean }): RenderedError {
  const first = firstOf(error);
  const known = first instanceof SpringhouseError ? first : asBug(first);
  const { code, message, issues } = known;
  const word = color ? styleText("red", "error", { validateStream: false }) : "error";
  const head = `${word} ${code}: ${message}`;
  const lines = issues.map(({ path, message: issue }) => `  ${path.join(".")}: ${issue}`);
  return {
    text: [head, ...lines].join("\n"),
    data: known.toJSON(),
    stack: stackOf(error),
  };
}

/** The exit code for an error. */
export function exitCodeOf(error: unknown, signal: AbortSignal): number {
  if (signal.aborted) return INTERRUPTED;
  const first = firstOf(error);
  const code = first instanceof SpringhouseError ? first.code : undefined;
  return code !== undefined && ASKED_WRONGLY.includes(code) ? USAGE : FAILED;
}

/** What went wrong first; what failed while everything was closed only follows from it. */
function firstOf(error: unknown): unknown {
  return error instanceof SuppressedError ? firstOf(error.suppressed) : error;
}

function asBug(error: unknown): SpringhouseError {
  return new SpringhouseError(
    "ASSERTION",
    `${messageOf(error)} (This is not an error that Springhouse knows; --debug shows the stack.)`,
    { cause: error },
  );
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof SuppressedError) {
    return `${stackOf(error.suppressed)}\nThen, while closing: ${stackOf(error.error)}`;
  }
  const own = error.stack ?? error.message;
  return error.cause === undefined ? own : `${own}\nCaused by: ${stackOf(error.cause)}`;
}
