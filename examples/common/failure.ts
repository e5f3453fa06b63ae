/** What a command says when it fails: code, message and what to do, in detail, and no stack. */

import { isSpringhouseError } from "springhouse";

/** Examples of broken rows in a message. */
const EXAMPLES_SHOWN = 5;

/** A value that was refused, and where it stands. */
interface Refused {
  readonly line: number;
  readonly column: string;
  readonly value: string;
  readonly reason: string;
}

/** What became of an error. */
export interface Failure {
  /** One of docs/errors.md, or "UNEXPECTED". */
  readonly code: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly issues: readonly { readonly path: readonly unknown[]; readonly message: string }[];
}

/** The error for standard error. */
export function errorText(thrown: unknown): string {
  const { code, message, fields, issues } = failureOf(thrown);
  const lines = [`error ${code}: ${message}`];
  for (const issue of issues) {
    if (issue.path.length > 0) lines.push(`  ${issue.path.join(".")} ${issue.message}`);
  }
  const tables = fields["tables"] as
    | readonly { readonly refused: { readonly first: readonly Refused[] } }[]
    | undefined;
  const first = tables?.flatMap(({ refused }) => refused.first).slice(0, EXAMPLES_SHOWN) ?? [];
  for (const { line, column, value, reason } of first) {
    lines.push(`  row ${line}, ${column}: ${JSON.stringify(value)} ${reason}`);
  }
  return `${lines.join("\n")}\n`;
}

/** The error for standard output beside `--json`: one line. */
export function errorJson(thrown: unknown): string {
  return `${JSON.stringify(errorData(thrown))}\n`;
}

/** The error as data. */
export function errorData(thrown: unknown): { readonly ok: false; readonly error: Failure } {
  return { ok: false, error: failureOf(thrown) };
}

/** 2 when the command line is to blame, otherwise 1. */
export function exitCodeOf(thrown: unknown): number {
  return isSpringhouseError(firstOf(thrown), "USAGE") ? 2 : 1;
}

function failureOf(thrown: unknown): Failure {
  const error = firstOf(thrown);
  if (isSpringhouseError(error)) {
    const { code, message, fields, issues } = error;
    return { code, message, fields, issues };
  }
  if (error instanceof DOMException && error.name === "AbortError") {
    return {
      code: "ABORTED",
      message: "Interrupted; what was under way was rolled back.",
      fields: {},
      issues: [],
    };
  }
  const { code: given, path = "the file" } = (error ?? {}) as NodeJS.ErrnoException;
  const code = String(given ?? "");
  const known = FILE_FAILURES[code];
  const fields = { path, reason: code };
  if (known !== undefined) {
    return { code: known.code, message: known.message(path), fields, issues: [] };
  }
  const message = error instanceof Error ? error.message : String(error);
  const isUsage = code.startsWith("commander.");
  const plain = isUsage ? message.replace(/^error: /, "") : message;
  return { code: isUsage ? "USAGE" : "UNEXPECTED", message: plain, fields: {}, issues: [] };
}

/** What the system says about a file, in the words of this program and with what to do. */
const FILE_FAILURES: Readonly<
  Record<string, { readonly code: string; readonly message: (path: string) => string }>
> = {
  ENOENT: {
    code: "NOT_FOUND",
    message: (path) =>
      `There is no ${path}. Check the name; a relative one begins at ${process.cwd()}.`,
  },
  EISDIR: { code: "UNOPENABLE", message: (path) => `${path} is a folder. Name a file in it.` },
  ENOTDIR: {
    code: "UNOPENABLE",
    message: (path) => `A part of ${path} is a file and no folder. Check the name.`,
  },
  EACCES: {
    code: "UNOPENABLE",
    message: (path) => `${path} may not be used by this user. Change its permissions.`,
  },
  ENOSPC: {
    code: "DISK_FULL",
    message: (path) => `The disk that ${path} is on is full. Make room and try again.`,
  },
};

/** The error that came first, when closing something after it failed as well. */
function firstOf(thrown: unknown): unknown {
  return thrown instanceof SuppressedError ? firstOf(thrown.suppressed) : thrown;
}
