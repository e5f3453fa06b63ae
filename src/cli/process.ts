/** Runs the command line in this process: its streams, its signals, its exit code. */

import { systemClock } from "../core/clock.ts";
import { ask } from "./ask.ts";
import { runProgram } from "./program.ts";
import type { Terminal } from "./terminal.ts";

/** What a shell reports for a process that a signal ended. */
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;

/**
 * Runs what the arguments of the process say and returns the exit code. The first Ctrl-C asks the
 * command to stop and clean up, the second one ends the process.
 */
export async function runInProcess(): Promise<number> {
  const interrupted = new AbortController();
  let exitCode: number | undefined;
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.on(name, () => {
      if (interrupted.signal.aborted) process.exit(EXIT_CODES[name]);
      exitCode = EXIT_CODES[name];
      interrupted.abort(new Error(name));
    });
  }
  endWhenNobodyReads();
  const code = await runProgram(process.argv.slice(2), terminalOf(interrupted.signal));
  // The command has cleaned up; what still waits for a lock must not keep the process.
  if (exitCode !== undefined) process.exit(exitCode);
  return code;
}

function terminalOf(signal: AbortSignal): Terminal {
  const { stdin, stdout, stderr, env } = process;
  const onInterrupt = (): void => void process.kill(process.pid, "SIGINT");
  const question = { input: stdin, output: stderr, signal, onInterrupt };
  return {
    cwd: process.cwd(),
    env,
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    color: stdout.isTTY && (env["NO_COLOR"] ?? "") === "",
    progressColumns: stderr.isTTY ? stderr.columns : undefined,
    ask: stdin.isTTY && stderr.isTTY ? (text) => ask(text, question) : undefined,
    signal,
    clock: systemClock,
  };
}

/** `springhouse … | head` closes the pipe early; that is no error. */
function endWhenNobodyReads(): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit(0);
  });
}
