/** What the command lines of the examples have in common: where they write, and how they end. */

import { type Command, CommanderError } from "commander";
import { errorJson, errorText, exitCodeOf } from "./failure.ts";
import type { ProgressStream } from "./progress.ts";
import { INTERRUPTED } from "./workspace.ts";

/** Where text goes. */
interface Writable {
  write(text: string): unknown;
}

/** Where a command writes to, and what stops it. */
export interface Terminal<Out extends Writable = Writable> {
  readonly stdout: Out;
  readonly stderr: ProgressStream;
  readonly signal: AbortSignal;
}

/** Lets a program write to a terminal, and throw where it would end the process. */
export function onTerminal(program: Command, { stdout, stderr }: Terminal): Command {
  return program.exitOverride().configureOutput({
    writeOut: (text) => stdout.write(text),
    writeErr: (text) => stderr.write(text),
  });
}

/** Says what ended a command, and gives its exit code. */
export function tellFailure(error: unknown, isJson: boolean, terminal: Terminal): number {
  const { stdout, stderr, signal } = terminal;
  if (error instanceof CommanderError) {
    // Commander has said what is wrong; asking for help is not an error.
    if (isJson && error.exitCode !== 0) stdout.write(errorJson(error));
    return error.exitCode === 0 ? 0 : 2;
  }
  if (isJson) stdout.write(errorJson(error));
  if (signal.aborted) return INTERRUPTED;
  if (!isJson) stderr.write(errorText(error));
  return exitCodeOf(error);
}

/**
 * The terminal of this process. The first Ctrl-C or SIGTERM stops the command; a pipe that is
 * closed early, as `| head` does, is no error.
 */
export function processTerminal(stop: AbortController): Terminal<NodeJS.WriteStream> {
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => stop.abort());
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit(0);
  });
  const { stdout, stderr } = process;
  return { stdout, stderr, signal: stop.signal };
}
