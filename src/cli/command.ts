/** What a command is: data for the help, and a function. Each command has a file of its own. */

import { SpringhouseError } from "../core/errors.ts";
import type { Terminal } from "./terminal.ts";

/** A word after the command. */
export interface CommandArgument {
  /** `<name>` when it must be given, `[name]` when it may. */
  readonly name: string;
  readonly doc: string;
}

/** An option of a command. */
export interface CommandOption {
  /** As for commander: `--to <version>`, `--dry-run`. */
  readonly flags: string;
  readonly doc: string;
  /** The value is a whole number, 0 or more. Default: it is a text, or there is none. */
  readonly count?: boolean;
}

/** One command of the command line. */
export interface CommandDefinition {
  /** Words after `springhouse`: "doctor", "migrate up". */
  readonly name: string;
  readonly summary: string;
  readonly arguments?: readonly CommandArgument[];
  readonly options?: readonly CommandOption[];
  /** Lines of a shell without the prompt; at least one. */
  readonly examples: readonly string[];
  run(invocation: Invocation): Promise<Outcome>;
}

/** One call of a command. */
export interface Invocation {
  readonly words: readonly string[];
  /** By camelCase name, the global options among them. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly terminal: Terminal;
}

/** What a command answers. */
export interface Outcome {
  /** False when a check found something: the exit code is then 1. */
  readonly ok: boolean;
  /** What `--json` prints. */
  readonly data: Readonly<Record<string, unknown>>;
  /** What is printed otherwise. */
  readonly text: string;
}

/** A switch: whether it was given. */
export function isGiven({ options }: Invocation, name: string): boolean {
  return options[name] === true;
}

/** The text of an option, when it was given. */
export function textOf({ options }: Invocation, name: string): string | undefined {
  const value = options[name];
  return typeof value === "string" ? value : undefined;
}

/** The texts of an option that may be given several times. */
export function textsOf({ options }: Invocation, name: string): readonly string[] {
  const value = options[name];
  return Array.isArray(value) ? value.filter((text) => typeof text === "string") : [];
}

/** The number of an option that is a count, when it was given. */
export function countOf({ options }: Invocation, name: string): number | undefined {
  const value = options[name];
  return typeof value === "number" ? value : undefined;
}

/** The error for a command line that cannot be followed. */
export function usageError(message: string): SpringhouseError {
  return new SpringhouseError("USAGE", message);
}
