/**
 * Runs a program of PostgreSQL to its end. Its exit code decides, and its last words are the
 * reason; secrets reach it by its environment.
 */

import { spawn } from "node:child_process";
import { abortError, onAbort, throwIfAborted } from "../core/abort.ts";
import { SpringhouseError } from "../core/errors.ts";
import { redactText } from "../core/redact.ts";

/** The end says why; a restore can complain of every object of a database before. */
const STDERR_CHARACTERS_MAX = 4_000;

/** The programs that come with PostgreSQL's client. */
export type PostgresProgram = "pg_dump" | "pg_restore" | "psql";

/** How a program is run. */
export interface ToolOptions {
  readonly env: Readonly<Record<string, string>>;
  /** Written to its standard input, which is then closed. Default: none. */
  readonly input?: string | undefined;
  /** Ends the program. Default: it runs to its end. */
  readonly signal?: AbortSignal | undefined;
  /** Where the program is. Default: found by PATH. */
  readonly path?: string | undefined;
}

/**
 * Runs a program; its standard output.
 *
 * @throws `MISSING_DEPENDENCY` when it is not installed; `BACKUP_TOOL_FAILED` with its exit code
 *   and its last words.
 */
export async function runTool(
  program: PostgresProgram,
  parameters: readonly string[],
  { env, input, signal, path = program }: ToolOptions,
): Promise<string> {
  throwIfAborted(signal, program);
  const child = spawn(path, parameters, { env, stdio: ["pipe", "pipe", "pipe"] });
  const ended = Promise.withResolvers<number | NodeJS.Signals>();
  child.once("error", ended.reject);
  child.once("close", (code, killed) => ended.resolve(code ?? killed ?? 1));
  let output = "";
  let words = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    words = (words + text).slice(-STDERR_CHARACTERS_MAX);
  });
  // A program that ends without reading all of its input has said why.
  child.stdin.on("error", () => undefined);
  child.stdin.end(input ?? "");
  using _ = onAbort(signal, () => void child.kill());
  const code = await ended.promise.catch((error: unknown) => {
    throw notStarted(program, error);
  });
  if (signal?.aborted) throw abortError(signal, program);
  if (code === 0) return output;
  throw failed(program, code, words.trim());
}

function notStarted(program: string, error: unknown): SpringhouseError {
  const isMissing = (error as NodeJS.ErrnoException).code === "ENOENT";
  if (!isMissing) return failed(program, 1, String(error), error);
  const message =
    `${program} is not installed, or not in PATH. It comes with PostgreSQL's client: install ` +
    "postgresql-client, of the server's version or newer.";
  return new SpringhouseError("MISSING_DEPENDENCY", message, {
    cause: error,
    fields: { dependency: program },
  });
}

function failed(
  program: string,
  code: number | NodeJS.Signals,
  said: string,
  cause?: unknown,
): SpringhouseError {
  const words = redactText(said === "" ? "It gave no reason." : said);
  const how =
    typeof code === "number" ? `ended with the exit code ${code}` : `was ended by ${code}`;
  const message = `${program} ${how}. ${words}`;
  return new SpringhouseError("BACKUP_TOOL_FAILED", message, {
    cause,
    fields: { program, code, stderr: words },
  });
}
