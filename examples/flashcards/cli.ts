/**
 * The command line of the flashcards.
 *
 * Exit codes: 0 done; 1 a check failed, words were left, or an error; 2 the command line is wrong;
 * 130 interrupted.
 */

import { join } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { onTerminal, processTerminal, type Terminal, tellFailure } from "../common/command-line.ts";
import { progressStream } from "../common/progress.ts";
import { INTERRUPTED } from "../common/workspace.ts";
import {
  type Context,
  type Outcome,
  runCompare,
  runFail,
  runImport,
  runMigrate,
  runRun,
  runServe,
  runShow,
  runStatus,
  runUpdate,
} from "./commands.ts";
import type { FlashcardChange } from "./deck.ts";
import { FAILURES } from "./server.ts";

const DATA = join(import.meta.dirname, "../../../shared/data/korean");
const SERVER = "http://127.0.0.1:8080";
/** The lists have no more: the one that cards are made of, and the dictionary. */
const CARDS_MAX = 1_000;
const DECK_MAX = 10_000;

const EXAMPLES = `
Examples:
  $ flashcards compare
  $ flashcards serve --latency 6 --rate 3000
  $ flashcards import 1000
  $ flashcards run --server http://127.0.0.1:8080
  $ flashcards fail hang --requests 3
  $ flashcards show 안녕하세요
  $ flashcards update 감사합니다 --translation "thank you"
  $ flashcards status --json
  $ flashcards migrate --migration 009_performance_indexes.sql

Exit codes:
  0    done
  1    a check failed, words were left for the next run, or an error
  2    the command line is wrong
  130  interrupted
`;

/** Runs one command and gives its exit code. */
export async function runCli(argv: readonly string[], terminal: Terminal): Promise<number> {
  const { stdout, signal } = terminal;
  let code = 0;
  const program = commandLine(terminal, ({ ok, data, text }, isJson) => {
    code = ok ? 0 : 1;
    stdout.write(isJson ? `${JSON.stringify(data)}\n` : text);
  });
  try {
    await program.parseAsync(argv, { from: "user" });
    return signal.aborted ? INTERRUPTED : code;
  } catch (error) {
    return tellFailure(error, argv.includes("--json"), terminal);
  }
}

type Run = (work: (context: Context) => Promise<Outcome>) => Promise<void>;

function commandLine(
  terminal: Terminal,
  answer: (outcome: Outcome, isJson: boolean) => void,
): Command {
  const { stdout, stderr, signal } = terminal;
  const program = onTerminal(new Command("flashcards"), terminal)
    .description("Cards of Korean words, made in two stages by a server that is slow and fails.")
    .option("--db <file>", "the file of the deck", "flashcards.db")
    .option("--cache <file>", "the file of the cache", "flashcards-cache.db")
    .option("--data <folder>", "where the lists of words are", DATA)
    .option("--json", "print one JSON line")
    .addHelpText("after", EXAMPLES);
  const run: Run = async (work) => {
    const { db: path, cache: cachePath, data: dataFolder, json = false } = program.opts<Globals>();
    const streams = { stdout, stderr: progressStream(stderr, json) };
    answer(await work({ path, cachePath, dataFolder, signal, ...streams, isJson: json }), json);
  };
  addCompare(program, run);
  addServer(program, run);
  addMaking(program, run);
  addReading(program, run);
  return program;
}

interface Globals {
  readonly db: string;
  readonly cache: string;
  readonly data: string;
  readonly json?: true;
}

function addCompare(program: Command, run: Run): void {
  program
    .command("compare")
    .description("make cards as before and by the pipeline, and compare; leaves nothing behind")
    .option("--cards <n>", `cards to make, at most ${CARDS_MAX}`, parseCards, CARDS_MAX)
    .option(
      "--deck <n>",
      `words of the deck that is read, at most ${DECK_MAX}`,
      parseDeck,
      DECK_MAX,
    )
    .option("--reads <n>", "reads of the deck", parseCount, 20_000)
    .option("--latency <ms>", "how long the server takes for an answer", parseWhole, 6)
    .option("--rate <n>", "requests that the server takes in a second", parseCount, 3_000)
    .option("--check", "exit with 1 when it is not fast enough")
    .action((flags: CompareFlags) => {
      const { latency: latencyMs, rate: requestsPerSecond, check = false, ...sizes } = flags;
      const given = { ...sizes, latencyMs, requestsPerSecond, check };
      return run((context) => runCompare(context, given));
    });
}

interface CompareFlags {
  readonly cards: number;
  readonly deck: number;
  readonly reads: number;
  readonly latency: number;
  readonly rate: number;
  readonly check?: true;
}

function addServer(program: Command, run: Run): void {
  program
    .command("serve")
    .description("serve the dictionary on this machine until Ctrl-C")
    .option("--port <n>", "the port; 0 takes any that is free", parsePort, 8080)
    .option("--latency <ms>", "how long an answer takes", parseWhole, 6)
    .option("--rate <n>", "requests that are taken in a second", parseCount, 3_000)
    .action((flags: { port: number; latency: number; rate: number }) =>
      run((context) => runServe(context, flags)),
    );
  program
    .command("fail")
    .argument("<how>", `one of ${FAILURES.join(", ")}`)
    .description("let the next requests of a running server fail")
    .option("--requests <n>", "how many; 0 ends it", parseWhole, 1)
    .addOption(serverOption())
    .action((how: string, { server, requests }: { server: string; requests: number }) =>
      run(() => runFail(how, server, requests)),
    );
}

function addMaking(program: Command, run: Run): void {
  program
    .command("import")
    .addArgument(
      program.createArgument("[list]", "words").choices(["1000", "10000"]).default("1000"),
    )
    .description("add the list of 1,000 words, or that of 10,000; what is there stays")
    .action((list: "1000" | "10000") => run((context) => runImport(context, list)));
  program
    .command("run")
    .description("make the cards of all words that wait; a second run goes on where one ended")
    .addOption(serverOption())
    .option("--limit <n>", "words that each stage takes at most", parseCount)
    .option("--patience <ms>", "how long a word waits for the server", parseWhole, 15_000)
    .action((flags: { server: string; limit?: number; patience: number }) =>
      run((context) => runRun(context, flags)),
    );
  program
    .command("migrate")
    .description("apply the migrations, or one whose predecessors have been applied")
    .option("--migration <file>", "this one alone")
    .action(({ migration }: { migration?: string }) =>
      run((context) => runMigrate(context, migration)),
    );
}

function addReading(program: Command, run: Run): void {
  program
    .command("show")
    .argument("<word>")
    .description("show the card of a word, and where it was found")
    .action((word: string) => run((context) => runShow(context, word)));
  program
    .command("update")
    .argument("<word>")
    .description("change the card of a word")
    .option("--translation <text>", "its meaning")
    .option("--example <text>", "a sentence")
    .option("--hint <text>", "how it is used")
    .action((word: string, change: FlashcardChange) => {
      if (Object.keys(change).length === 0) program.error("error: say what is to be changed");
      return run((context) => runUpdate(context, word, change));
    });
  program
    .command("status")
    .description("how many cards are how far")
    .action(() => run((context) => runStatus(context)));
}

function serverOption(): Option {
  return new Option("--server <url>", "the address of the dictionary").default(SERVER);
}

function parseWhole(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Give a whole number.");
}

function parseCount(text: string): number {
  const value = parseWhole(text);
  if (value >= 1) return value;
  throw new InvalidArgumentError("Give a whole number from 1.");
}

function parseCards(text: string): number {
  return parseUpTo(CARDS_MAX, text);
}

function parseDeck(text: string): number {
  return parseUpTo(DECK_MAX, text);
}

function parsePort(text: string): number {
  const value = parseWhole(text);
  if (value <= 65_535) return value;
  throw new InvalidArgumentError("Give a port, at most 65535.");
}

function parseUpTo(most: number, text: string): number {
  const value = parseCount(text);
  if (value <= most) return value;
  throw new InvalidArgumentError(`Give at most ${most}.`);
}

if (import.meta.main) {
  const stop = new AbortController();
  // Whoever has started this as a part of its own has ended. The channel keeps nothing alive.
  process.once("disconnect", () => stop.abort());
  process.channel?.unref();
  process.exitCode = await runCli(process.argv.slice(2), processTerminal(stop));
}
