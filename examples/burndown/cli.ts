/**
 * The command line of the burndown application.
 *
 * Exit codes: 0 done; 1 something was left out, or an error; 2 the command line is wrong;
 * 130 interrupted.
 */

import { join } from "node:path";
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import {
  type Terminal as CommandTerminal,
  onTerminal,
  processTerminal,
} from "../common/command-line.ts";
import { errorJson, errorText, exitCodeOf } from "../common/failure.ts";
import { progressStream } from "../common/progress.ts";
import { INTERRUPTED } from "../common/workspace.ts";
import type { Context, Outcome } from "./command.ts";
import {
  runCleanUp,
  runExport,
  runGenerate,
  runMigrate,
  runProfiles,
  runSwitch,
} from "./commands.ts";
import { type FigureFlags, runForecast, runStats } from "./figure-commands.ts";
import { parseDay } from "./moments.ts";
import { BACKENDS } from "./settings.ts";

/** Where a command writes to, what stops it, and what time it is. */
export interface Terminal extends CommandTerminal {
  readonly nowMs: () => number;
}

const DATA = join(import.meta.dirname, "../../../shared/data/jira");

const EXAMPLES = `
Examples:
  $ burndown --root ./app generate --projects ALOY
  $ burndown --root ./app migrate --dry-run
  $ burndown --root ./app migrate
  $ burndown --root ./app profiles
  $ burndown --root ./app switch aloy main
  $ burndown --root ./app stats --chart burndown.svg
  $ burndown --root ./app forecast --deadline 2030-12-31 --json
  $ burndown --root ./app export --to ./old

Exit codes:
  0    done
  1    something was left out, or an error
  2    the command line is wrong
  130  interrupted
`;

/** Runs one command and gives its exit code. */
export async function runCli(argv: readonly string[], terminal: Terminal): Promise<number> {
  const { stdout, stderr, signal } = terminal;
  const isJson = argv.includes("--json");
  let code = 0;
  const program = commandLine(terminal, ({ ok, data, text }) => {
    code = ok ? 0 : 1;
    stdout.write(isJson ? `${JSON.stringify(data)}\n` : text);
  });
  try {
    await program.parseAsync(argv, { from: "user" });
    return code;
  } catch (error) {
    const isUsage = error instanceof CommanderError;
    // Asking for help is not an error.
    if (isUsage && error.exitCode === 0) return 0;
    if (isJson) stdout.write(errorJson(error));
    // Commander has said what is wrong.
    else if (!isUsage) stderr.write(errorText(error));
    if (signal.aborted) return INTERRUPTED;
    return isUsage ? 2 : exitCodeOf(error);
  }
}

type Run = (work: (context: Context) => Promise<Outcome>) => Promise<void>;

function commandLine(terminal: Terminal, answer: (outcome: Outcome) => void): Command {
  const { stderr, signal, nowMs } = terminal;
  const program = onTerminal(new Command("burndown"), terminal)
    .description("Burndown charts of JIRA projects: old JSON files in, a database, figures out.")
    .option("--root <folder>", "the folder of the application", ".")
    .addOption(
      new Option("--backend <name>", "what keeps the data, before the settings").choices(BACKENDS),
    )
    .option("--json", "print one JSON line")
    .addHelpText("after", EXAMPLES);
  const run: Run = async (work) => {
    const {
      root,
      backend,
      json = false,
    } = program.opts<{
      root: string;
      backend?: string;
      json?: true;
    }>();
    const progress = progressStream(stderr, json);
    answer(await work({ root, backend, signal, nowMs, stderr: progress }));
  };
  addMoves(program, run);
  addFigures(program, run);
  return program;
}

function addMoves(program: Command, run: Run): void {
  program
    .command("migrate")
    .description("take the old JSON files over into profiles/burndown.db; they stay as they are")
    .option("--dry-run", "do all but the last step")
    .option("--skip-bad", "leave out what cannot be read, and list it")
    .action((flags: { dryRun?: true; skipBad?: true }) =>
      run((context) => runMigrate(context, flags)),
    );
  program
    .command("profiles")
    .description("list profiles and queries, and which are in use")
    .action(() => run(runProfiles));
  program
    .command("switch")
    .argument("<profile>", "the id of a profile")
    .argument("[query]", "the id of one of its queries (default: the one used last)")
    .description("use another profile and query")
    .action((profile: string, query?: string) =>
      run((context) => runSwitch(context, profile, query)),
    );
  program
    .command("export")
    .requiredOption("--to <folder>", "a new or empty folder")
    .description("write everything as the old application had it, without tokens")
    .action(({ to }: { to: string }) => run((context) => runExport(context, to)));
  program
    .command("clean-up")
    .description("remove answers of JIRA that have expired")
    .action(() => run(runCleanUp));
  program
    .command("generate")
    .description("build a folder of the old application, to try the others on")
    .option("--data <folder>", "where the archive of issues is; some are made without it", DATA)
    .option("--projects <names...>", "ALOY, DAEMON, MOD, TIMOB (default: ALOY)")
    .action((flags: { data: string; projects?: string[] }) =>
      run((context) => runGenerate(context, flags)),
    );
}

function addFigures(program: Command, run: Run): void {
  const withFigures = (command: Command): Command =>
    command
      .option("--profile <id>", "another profile than the one in use")
      .option("--query <id>", "another query than the one in use")
      .addOption(new Option("--measure <what>", "what is counted").choices(["items", "points"]))
      .option("--chart <file>", "draw a burndown and velocity chart as SVG")
      .option("--weeks <n>", "weeks in the chart (default: 52)", parseWeeks);
  withFigures(program.command("stats"))
    .description("the figures of a query")
    .action((flags: FigureFlags) => run((context) => runStats(context, flags)));
  withFigures(program.command("forecast"))
    .description("when a query will be done")
    .option("--deadline <day>", "a day to be done by, instead of the profile's", parseDeadline)
    .action((flags: FigureFlags) => run((context) => runForecast(context, flags)));
}

function parseWeeks(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Give a whole number of weeks.");
}

function parseDeadline(text: string): string {
  const day = parseDay(text);
  if (day !== undefined) return day;
  throw new InvalidArgumentError("Give a day, as 2030-12-31.");
}

if (import.meta.main) {
  const terminal = { ...processTerminal(new AbortController()), nowMs: Date.now };
  process.exitCode = await runCli(process.argv.slice(2), terminal);
}
