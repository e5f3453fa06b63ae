/**
 * The command line of the auditor.
 *
 * Exit codes: 0 done; 1 rows were refused, or an error; 2 the command line is wrong;
 * 130 interrupted.
 */

import { Command, InvalidArgumentError } from "commander";
import { onTerminal, processTerminal, type Terminal, tellFailure } from "../common/command-line.ts";
import { errorData, errorText, exitCodeOf } from "../common/failure.ts";
import { progressStream } from "../common/progress.ts";
import { INTERRUPTED } from "../common/workspace.ts";
import {
  type Context,
  type Outcome,
  runExport,
  runImport,
  runImportCesaw,
  runMigrateLegacy,
  runStats,
  runTimer,
  runWatch,
  runWeek,
} from "./commands.ts";
import type { Screen } from "./watch.ts";

/** The most that a repository gives at once unless it is told otherwise. */
const PAGE_ROWS_MAX = 1_000;

const EXAMPLES = `
Examples:
  $ auditor import auditor_tasks_2025-W23.csv
  $ auditor import --cesaw ../shared/data/time_tracking
  $ auditor migrate-legacy tasks.db --db auditor.db
  $ auditor week 2025-W23 --limit 10
  $ auditor watch 2025-W23
  $ auditor start 17
  $ auditor stop 17
  $ auditor stats 2025-W23 --json
  $ auditor export 2025-W23 --to 2025-W23.csv

Exit codes:
  0    done
  1    rows were refused, or an error
  2    the command line is wrong
  130  interrupted
`;

const WATCH_HELP = `
On a terminal the view is redrawn where it stands. Elsewhere each change is one line, with --json
one JSON line. The exit code is 130, since only an interruption ends it.

Examples:
  $ auditor watch
  $ auditor watch 2025-W23 --limit 10
  $ auditor --json watch 2025-W23
`;

/** Runs one command and gives its exit code. */
export async function runCli(argv: readonly string[], terminal: Terminal<Screen>): Promise<number> {
  const { stdout, stderr, signal } = terminal;
  let code = 0;
  const program = commandLine(terminal, (outcome, isJson) => {
    const { ok, data, text, failure, isEndless = false } = outcome;
    if (isEndless) code = INTERRUPTED;
    else if (failure !== undefined) code = signal.aborted ? INTERRUPTED : exitCodeOf(failure);
    else code = ok ? 0 : 1;
    if (data !== undefined && !isJson) stdout.write(text);
    if (failure !== undefined && !isJson) stderr.write(errorText(failure));
    if (data === undefined || !isJson) return;
    const whole = failure === undefined ? data : { ...errorData(failure), ...data };
    stdout.write(`${JSON.stringify(whole)}\n`);
  });
  try {
    await program.parseAsync(argv, { from: "user" });
    return code;
  } catch (error) {
    return tellFailure(error, argv.includes("--json"), terminal);
  }
}

function commandLine(
  terminal: Terminal<Screen>,
  answer: (outcome: Outcome, isJson: boolean) => void,
): Command {
  const { stdout, stderr, signal } = terminal;
  const program = onTerminal(new Command("auditor"), terminal)
    .description("Weeks of audited tasks: import, timers, figures, export.")
    .option("--db <file>", "the database file", "auditor.db")
    .option("--json", "print one JSON line")
    .addHelpText("after", EXAMPLES);
  const run = async (work: (context: Context) => Promise<Outcome>): Promise<void> => {
    const { db: path, json = false } = program.opts<{ db: string; json?: true }>();
    const streams = { stdout, stderr: progressStream(stderr, json) };
    const context = { path, signal, ...streams, isJson: json };
    answer(await work(context), json);
  };
  addImports(program, run);
  addReads(program, run);
  for (const action of ["start", "stop"] as const) {
    program
      .command(action)
      .argument("<task>", "the id of the task", parseWhole)
      .description(`${action} the timer of a task`)
      .action((task: number) => run((context) => runTimer(context, action, task)));
  }
  return program;
}

type Run = (work: (context: Context) => Promise<Outcome>) => Promise<void>;

function addImports(program: Command, run: Run): void {
  program
    .command("import [files...]")
    .description("import weeks from CSV files, one week a file, or the CESAW data")
    .option("--week <label>", "the week of the file, instead of the one in its name")
    .option("--cesaw <folder>", "import the CESAW task list and time log of this folder")
    .action((files: string[], { cesaw, ...flags }: { cesaw?: string; week?: string }) => {
      if ((cesaw === undefined) === (files.length === 0)) {
        program.error("error: give CSV files, or --cesaw with a folder");
      }
      if (flags.week !== undefined && files.length !== 1) {
        program.error("error: --week goes with one file");
      }
      return run((context) =>
        cesaw === undefined ? runImport(context, files, flags) : runImportCesaw(context, cesaw),
      );
    });
  program
    .command("migrate-legacy <file>")
    .description("make the database from the origin's tasks.db, which stays as it is")
    .option("--skip-bad", "leave rows out that cannot be converted")
    .action((file: string, flags: { skipBad?: true }) =>
      run((context) => runMigrateLegacy(context, file, flags)),
    );
}

function addReads(program: Command, run: Run): void {
  program
    .command("week [label]")
    .description("list the weeks, or the tasks of one, the newest first")
    .option("--limit <rows>", `rows of a page, at most ${PAGE_ROWS_MAX}`, parseLimit)
    .option("--offset <rows>", "rows left out at the beginning", parseWhole)
    .option("--cursor <text>", "where the page before ended")
    .action((label: string | undefined, flags: { offset?: number; cursor?: string }) => {
      if (label === undefined && Object.keys(flags).length > 0) {
        program.error("error: --limit, --offset and --cursor go with the label of a week");
      }
      if (flags.offset !== undefined && flags.cursor !== undefined) {
        program.error("error: give --offset or --cursor, not both");
      }
      return run((context) => runWeek(context, label, flags));
    });
  program
    .command("watch [label]")
    .description("show a week, or the list of weeks, at each change of any program; Ctrl-C ends")
    .option("--limit <rows>", "the newest tasks that a week shows (default: 5)", parseLimit)
    .addHelpText("after", WATCH_HELP)
    .action((label: string | undefined, flags: { limit?: number }) => {
      if (label === undefined && flags.limit !== undefined) {
        program.error("error: --limit goes with the label of a week");
      }
      return run((context) => runWatch(context, label, flags));
    });
  program
    .command("stats <label>")
    .description("the figures of a week")
    .action((label: string) => run((context) => runStats(context, label)));
  program
    .command("export <label>")
    .description("write the tasks of a week as CSV")
    .option("--to <file>", 'the file; "-" is standard output (default: named after the week)')
    .option("--force", "replace a file that is there")
    .action((label: string, flags: { to?: string; force?: true }) =>
      run((context) => runExport(context, label, flags)),
    );
}

function parseWhole(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Give a whole number.");
}

function parseLimit(text: string): number {
  const rows = parseWhole(text);
  if (rows <= PAGE_ROWS_MAX) return rows;
  throw new InvalidArgumentError(`Give at most ${PAGE_ROWS_MAX}, and go on with --cursor.`);
}

if (import.meta.main) {
  process.exitCode = await runCli(process.argv.slice(2), processTerminal(new AbortController()));
}
