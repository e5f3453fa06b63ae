/** A question on a terminal, and its answer. */

import { createInterface } from "node:readline/promises";
import { abortError } from "../core/abort.ts";

/** For `ask`. */
export interface AskOptions {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
  readonly signal: AbortSignal;
  /** Called for Ctrl-C, which a terminal gives to the question instead of the process. */
  readonly onInterrupt: () => void;
}

/**
 * Asks and waits for the line.
 *
 * @throws `ABORTED` when the signal fires first.
 */
export async function ask(question: string, options: AskOptions): Promise<string> {
  const { input, output, signal, onInterrupt } = options;
  const lines = createInterface({ input, output, terminal: true });
  lines.on("SIGINT", onInterrupt);
  try {
    return await lines.question(question, { signal });
  } catch (error) {
    throw signal.aborted ? abortError(signal, "The question") : error;
  } finally {
    lines.close();
  }
}
