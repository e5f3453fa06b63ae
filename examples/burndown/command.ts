/** What every command is given, answers, and works on. */

import type { ProgressStream } from "../common/progress.ts";
import { timeText } from "../common/progress.ts";
import { setBackend } from "./application.ts";
import { openFolder } from "./open.ts";
import { readSettings } from "./settings.ts";

/** What all commands need. */
export interface Context {
  /** The folder of the application. */
  readonly root: string;
  /** Goes before the settings of the folder. Default: the settings decide. */
  readonly backend?: string | undefined;
  readonly signal: AbortSignal;
  readonly stderr: ProgressStream;
  /** The present moment, milliseconds. */
  readonly nowMs: () => number;
}

/** The answer of a command. */
export interface Outcome {
  /** False when something was left out: the exit code is then 1. */
  readonly ok: boolean;
  /** What `--json` prints. */
  readonly data: unknown;
  /** What is printed otherwise. */
  readonly text: string;
}

/** Runs a command on the open backend. */
export async function withBackend(context: Context, run: () => Promise<Outcome>): Promise<Outcome> {
  const { root, signal, stderr } = context;
  const settings = readSettings(root, context.backend);
  const backend = await openFolder(root, settings, {
    signal,
    onMigrated: ({ database, ms }) =>
      stderr.write(`Took the old files over into ${database} in ${timeText(ms)}\n`),
  });
  setBackend(backend);
  try {
    return await run();
  } finally {
    setBackend(undefined);
    await backend.close();
  }
}
