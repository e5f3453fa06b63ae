/**
 * The command line of the auditor.
 *
 * Exit codes: 0 done; 1 rows were refused, or an error; 2 the command line is wrong;
 * 130 interrupted.
 */

import { Command, CommanderError, InvalidArgumentError } from "commander";
import {
  type Context,
  type Outcome,
  runExport,
  runImport,
  runImportCesaw,
  runMigrateLegacy,
  runStats,
  runTimer,
  runWeek,
} from "./commands.ts";
import { errorJson, errorText, exitCodeOf } from "./failure.ts";
import { type ProgressStream, progressStream } from "./progress.ts";
import { INTERRUPTED } from "./workspace.ts";

/** Where a command writes to, and what stops it. */
export interface Terminal {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: ProgressStream;
  readonly signal: AbortSignal;
}

const EXAMPLES = `
Examples:
  $ auditor import auditor_tasks_2025-W23.csv
  $ auditor import --cesaw ../shared/data/time_tracking
  $ auditor migrate-legacy tasks.db --db auditor.db
  $ auditor week 2025-W23 --limit 10
  $ auditor start 17
  $ auditor stop 17
  $ auditor stats 2025-W23 --json
  $ auditor export 2025-W23 --to week.csv

Exit codes:
  0    done
  1    rows were refused, or an error
  2    the command line is wrong
  130  interrupted
`;

/** Runs one command and gives its exit code. */
export async function runCli(argv: readonly string[], terminal: Terminal): Promise<number> {
  const { stdout, stderr, signal } = terminal;
  let code = 0;
  const program = commandLine(terminal, ({ ok, data, text }, isJson) => {
    if (data !== undefined) stdout.write(isJson ? `${JSON.stringify(data)}\n` : text);
    code = ok ? 0 : 1;
  });
  try {
    await program.parseAsync(argv, { from: "user" });
    return code;
  } catch (error) {
    const isJson = argv.includes("--json");
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
}

function commandLine(
  { stdout, stderr, signal }: Terminal,
  answer: (outcome: Outcome, isJson: boolean) => void,
): Command {
  const program = new Command("auditor")
    .description("Weeks of audited tasks: import, timers, figures, export.")
    .option("--db <file>", "the database file", "auditor.db")
    .option("--json", "print one JSON line")
    .addHelpText("after", EXAMPLES)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
    });
  const run = async (work: (context: Context) => Promise<Outcome>): Promise<void> => {
    const { db: path, json = false } = program.opts<{ db: string; json?: true }>();
    const context = { path, signal, stdout, stderr: progressStream(stderr, json) };
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
    .option("--limit <rows>", "rows of a page", parseWhole)
    .option("--offset <rows>", "rows left out at the beginning", parseWhole)
    .option("--cursor <text>", "where the page before ended")
    .action((label: string | undefined, flags: object) =>
      run((context) => runWeek(context, label, flags)),
    );
  program
    .command("stats <label>")
    .description("the figures of a week")
    .action((label: string) => run((context) => runStats(context, label)));
  program
    .command("export <label>")
    .description("write the tasks of a week as CSV")
    .option("--to <file>", 'the file; "-" is standard output (default: named after the week)')
    .action((label: string, flags: { to?: string }) =>
      run((context) => runExport(context, label, flags)),
    );
}

function parseWhole(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Give a whole number.");
}

if (import.meta.main) {
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => stop.abort());
  const { stdout, stderr } = process;
  process.exitCode = await runCli(process.argv.slice(2), { stdout, stderr, signal: stop.signal });
}
