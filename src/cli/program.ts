/**
 * The command line as a whole: finds the command, runs it, prints its answer or its error, and
 * gives the exit code.
 *
 * 0: done, or every check passed. 1: a check failed, or an error. 2: the command line or the
 * configuration is wrong. 130: interrupted; 143: by SIGTERM.
 */

import { Command, CommanderError, InvalidArgumentError } from "commander";
import { redact, redactText } from "../core/redact.ts";
import { advise } from "./advise.ts";
import { backupCreate } from "./backup/create.ts";
import { backupList } from "./backup/list.ts";
import { backupPin } from "./backup/pin.ts";
import { backupPrune } from "./backup/prune.ts";
import { backupRestore } from "./backup/restore.ts";
import { backupSchedule } from "./backup/schedule.ts";
import { backupSegments } from "./backup/segments.ts";
import { backupShip } from "./backup/ship.ts";
import { backupVerify } from "./backup/verify.ts";
import { cacheClear } from "./cache/clear.ts";
import { cacheKeys } from "./cache/keys.ts";
import { cacheStats } from "./cache/stats.ts";
import { cacheWarm } from "./cache/warm.ts";
import type { CommandDefinition, Outcome } from "./command.ts";
import { usageError } from "./command.ts";
import { doctor } from "./doctor.ts";
import { health } from "./health.ts";
import { importCommand } from "./import/import.ts";
import { init } from "./init.ts";
import { logRemove } from "./log/remove.ts";
import { migrateDown } from "./migrate/down.ts";
import { migrateNew } from "./migrate/new.ts";
import { migratePlan } from "./migrate/plan.ts";
import { migrateStatus } from "./migrate/status.ts";
import { migrateUp } from "./migrate/up.ts";
import { migrateVerify } from "./migrate/verify.ts";
import { exitCodeOf, renderError } from "./render-error.ts";
import { rollupRebuild } from "./rollup/rebuild.ts";
import { rollupVerify } from "./rollup/verify.ts";
import type { Terminal } from "./terminal.ts";
import { readVersion } from "./version.ts";

/** Every command, in the order of the help. */
export const COMMANDS: readonly CommandDefinition[] = [
  init,
  doctor,
  health,
  logRemove,
  migrateNew,
  migratePlan,
  migrateUp,
  migrateDown,
  migrateStatus,
  migrateVerify,
  backupCreate,
  backupList,
  backupVerify,
  backupRestore,
  backupPrune,
  backupPin,
  backupSchedule,
  importCommand,
  backupShip,
  backupSegments,
  cacheStats,
  cacheKeys,
  cacheClear,
  cacheWarm,
  rollupVerify,
  rollupRebuild,
  advise,
];

/** What a word that only groups commands stands for. */
const GROUPS: Readonly<Record<string, string>> = {
  backup: "Make, check and restore backups",
  cache: "Look at, clear and warm the cache",
  log: "Look after the log of changes",
  migrate: "Write, run and check migrations",
  rollup: "Check rollups and make them anew",
};

const EXIT_CODES = `
Exit codes:
  0    done, every check passed
  1    a check failed, or an error
  2    the command line or the configuration is wrong
  130  interrupted
  143  ended by SIGTERM
`;

/** Runs the command line and returns the exit code. */
export async function runProgram(argv: readonly string[], terminal: Terminal): Promise<number> {
  const json = argv.includes("--json");
  const debug = argv.includes("--debug");
  const out = (text: string): void => terminal.out(redactText(text));
  const err = (text: string): void => terminal.err(redactText(text));
  let outcome: Outcome | undefined;
  const program = createProgram({ ...terminal, out, err }, (result) => {
    outcome = result;
  });
  try {
    await program.parseAsync(argv, { from: "user" });
    if (outcome === undefined) return 0;
    out(json ? toJson(redact({ ok: outcome.ok, ...outcome.data })) : `${outcome.text}\n`);
    return outcome.ok ? 0 : 1;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    const isHelp = error instanceof CommanderError && error.code === "commander.help";
    // The help has been printed to standard error; a program reads only the document.
    if (isHelp && !json) return 2;
    const thrown = isHelp ? usageError("No command was given. See springhouse --help.") : error;
    const rendered = renderError(thrown, { color: terminal.color && !argv.includes("--no-color") });
    if (json) out(toJson({ ok: false, error: redact(rendered.data) }));
    else err(`${debug ? rendered.stack : rendered.text}\n`);
    return exitCodeOf(thrown, terminal.signal);
  }
}

function createProgram(terminal: Terminal, onOutcome: (outcome: Outcome) => void): Command {
  const program = new Command("springhouse")
    .description("The layered data layer for TypeScript.")
    .exitOverride(endOf("springhouse"))
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ writeOut: terminal.out, writeErr: printHelpOnly(terminal) })
    .option("--config <file>", "the configuration file")
    .option("--url <url>", "the database, instead of the configured one")
    .option("--json", "print one JSON document, errors too")
    .option("--no-color", "print without colours")
    .option("--debug", "print the stack of an error")
    .version(readVersion(), "-V, --version", "print the version")
    .helpOption("-h, --help", "explain a command")
    .helpCommand(false)
    .addHelpText("after", EXIT_CODES);
  for (const definition of COMMANDS) addCommand(program, definition, terminal, onOutcome);
  return program;
}

/** Commander writes the help of a group to standard error too; its errors are ours to render. */
function printHelpOnly(terminal: Terminal): (text: string) => void {
  return (text) => {
    if (!text.startsWith("error:")) terminal.err(text);
  };
}

function addCommand(
  program: Command,
  definition: CommandDefinition,
  terminal: Terminal,
  onOutcome: (outcome: Outcome) => void,
): void {
  const words = definition.name.split(" ");
  const name = words.pop() ?? definition.name;
  const parent = words.reduce((group, word) => groupOf(group, word), program);
  const command = parent.command(name).description(definition.summary);
  command.exitOverride(endOf(`springhouse ${definition.name}`));
  for (const argument of definition.arguments ?? []) command.argument(argument.name, argument.doc);
  for (const { flags, doc, count } of definition.options ?? []) {
    if (count === true) command.option(flags, doc, parseCount);
    else command.option(flags, doc);
  }
  const examples = definition.examples.map((line) => `  $ ${line}`).join("\n");
  command.addHelpText("after", `\nExamples:\n${examples}`);
  command.action(async (...given: unknown[]) => {
    const options = command.optsWithGlobals();
    const color = terminal.color && options["color"] !== false;
    const values = given
      .slice(0, -2)
      .flat()
      .filter((word) => typeof word === "string");
    onOutcome(await definition.run({ words: values, options, terminal: { ...terminal, color } }));
  });
}

function groupOf(parent: Command, word: string): Command {
  const known = parent.commands.find((command) => command.name() === word);
  return (
    known ??
    parent
      .command(word)
      .description(GROUPS[word] ?? word)
      .helpCommand(false)
  );
}

function parseCount(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It must be a whole number.");
}

/** Help ends a command too; everything else is an error, with the help that explains it. */
function endOf(command: string): (error: CommanderError) => never {
  return (error) => {
    throw error.exitCode === 0 || error.code === "commander.help"
      ? error
      : commanderError(error, command);
  };
}

function commanderError(error: CommanderError, command: string): Error {
  const [problem = "", ...hints] = error.message.replace(/^error: /, "").split("\n");
  const hint = hints.length > 0 ? hints.join(" ") : `See ${command} --help.`;
  return usageError(`${problem}${problem.endsWith(".") ? "" : "."} ${hint}`);
}

function toJson(data: unknown): string {
  const text = JSON.stringify(data, (_, value: unknown) =>
    typeof value === "bigint" ? value.toString() : value,
  );
  return `${text}\n`;
}
