/** What the commands of the program do; `cli.ts` turns words into calls of these. */

import { SpringhouseError } from "springhouse";
import { count, Progress, type ProgressStream } from "../common/progress.ts";
import { list, table } from "../common/table.ts";
import { Workspace } from "../common/workspace.ts";
import { Calls } from "./calls.ts";
import { type CompareOptions, compare, TARGETS } from "./compare.ts";
import { addWords, migratorOf, openExisting, openFile, openFlashcards } from "./database.ts";
import { Deck, type FlashcardChange } from "./deck.ts";
import { openDeckCache } from "./deck-cache.ts";
import { runPipeline } from "./pipeline.ts";
import { compareText, monitoringText, stagesText } from "./report-text.ts";
import { DictionaryServer } from "./server.ts";
import { readDictionary, readWords, sourceOf } from "./word-lists.ts";

/** What all commands need. */
export interface Context {
  /** The file of the deck. */
  readonly path: string;
  /** The file of the cache. */
  readonly cachePath: string;
  /** Where the lists of words are. */
  readonly dataFolder: string;
  readonly signal: AbortSignal;
  readonly stdout: ProgressStream;
  readonly stderr: ProgressStream;
  readonly isJson: boolean;
}

/** The answer of a command. */
export interface Outcome {
  /** False when a check failed: the exit code is then 1. */
  readonly ok: boolean;
  /** What `--json` prints. */
  readonly data: unknown;
  /** What is printed otherwise. */
  readonly text: string;
}

/** The run before and the run after, in a folder that is removed. */
export async function runCompare(
  { dataFolder, signal, stderr }: Context,
  flags: Pick<CompareOptions, "cards" | "deck" | "reads" | "latencyMs" | "requestsPerSecond"> & {
    readonly check: boolean;
  },
): Promise<Outcome> {
  using workspace = new Workspace();
  const { check, ...sizes } = flags;
  const both = AbortSignal.any([signal, workspace.signal]);
  const options = { ...sizes, dataFolder, folder: workspace.folder, signal: both };
  const report = await compare(options, new Progress(stderr));
  const isFast = report.speedup >= TARGETS.speedup && report.warm.hitRate > TARGETS.hitRate;
  const isRight = report.different.length === 0 && report.outage.failed === 0;
  return { ok: isRight && (isFast || !check), data: report, text: compareText(report) };
}

/** Serves the dictionary until the signal fires. */
export async function runServe(
  { dataFolder, signal, stdout, isJson }: Context,
  flags: { readonly port: number; readonly latency: number; readonly rate: number },
): Promise<Outcome> {
  const { port, latency: latencyMs, rate: requestsPerSecond } = flags;
  const entries = await readDictionary(dataFolder);
  await using server = await DictionaryServer.start({
    entries,
    latencyMs,
    requestsPerSecond,
    port,
  });
  const { url } = server;
  const text = `${count(entries.length)} words of ${sourceOf(dataFolder)} at ${url}\n`;
  stdout.write(isJson ? `${JSON.stringify({ url, words: entries.length })}\n` : text);
  if (!signal.aborted) {
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
  }
  const answered = `${count(server.statistics().requests)} requests\n`;
  return { ok: true, data: server.statistics(), text: answered };
}

/** Tells a server to fail. */
export async function runFail(how: string, url: string, requests: number): Promise<Outcome> {
  const answer = await fetch(`${url}/fail?how=${encodeURIComponent(how)}&requests=${requests}`, {
    method: "POST",
  });
  const data = (await answer.json()) as { readonly error?: string };
  if (!answer.ok) throw new SpringhouseError("USAGE", data.error ?? `It said ${answer.status}.`);
  return { ok: true, data, text: `The next ${count(requests)} requests: ${how}\n` };
}

/** Adds a list of words to the deck. */
export async function runImport(context: Context, words: "1000" | "10000"): Promise<Outcome> {
  const { path, dataFolder, signal } = context;
  const read = await readWords(dataFolder, words);
  await using db = await openFlashcards(path);
  const added = await addWords(db, read, signal);
  const source = sourceOf(dataFolder);
  const text = `${count(added)} new of ${count(read.length)} words from ${source}\n`;
  return { ok: true, data: { source, read: read.length, added }, text };
}

/** Makes the cards of the words that wait. */
export async function runRun(
  { path, cachePath, signal, stderr }: Context,
  flags: { readonly server: string; readonly limit?: number; readonly patience: number },
): Promise<Outcome> {
  await using db = await openExisting(path);
  await using cache = openDeckCache(cachePath);
  const { server: url, patience: patienceMs, ...limit } = flags;
  using calls = await Calls.open(cache, { url, patienceMs });
  const report = await new Progress(stderr).during("Making cards", (onProgress) =>
    runPipeline(db, calls, new Deck(db, cache), {
      ...limit,
      signal,
      onProgress: (stage, done, total) =>
        onProgress(stage === "stage1" ? done : total + done, total * 2),
    }),
  );
  const { total, queries } = db.queryStatistics();
  const slowStatements = queries.filter(({ meanMs }) => meanMs > 100).length;
  const pool = db.statistics();
  const monitoring = { statements: total, slowStatements, pool, guards: calls.statistics() };
  const text = `${stagesText("Cards", report)}\n${monitoringText(monitoring)}`;
  const ok = report.stage1.left + report.stage2.left === 0;
  return { ok, data: { ...report, monitoring }, text };
}

/** Shows the card of a word. */
export async function runShow({ path, cachePath }: Context, word: string): Promise<Outcome> {
  await using db = await openExisting(path);
  await using cache = openDeckCache(cachePath);
  const { value: card, source } = await new Deck(db, cache).findFlashcard(word);
  if (card === null || card === undefined) {
    const message = `There is no card of ${word}. "import" adds words.`;
    throw new SpringhouseError("NOT_FOUND", message, { fields: { word } });
  }
  const text = list(`${card.word} (from ${source})`, [
    ["type", card.wordType],
    ["difficulty", card.difficulty],
    ["translation", card.translation],
    ["pronunciation", card.pronunciation],
    ["example", card.example],
    ["", card.exampleTranslation],
    ["hint", card.hint],
    ["problem", card.problem],
  ]);
  return { ok: true, data: { card, source }, text };
}

/** Changes the card of a word. */
export async function runUpdate(
  { path, cachePath }: Context,
  word: string,
  change: FlashcardChange,
): Promise<Outcome> {
  await using db = await openExisting(path);
  await using cache = openDeckCache(cachePath);
  const card = await new Deck(db, cache).updateFlashcard(word, change);
  return { ok: true, data: { card }, text: `The card of ${word} is changed.\n` };
}

/** How many cards are how far. */
export async function runStatus({ path }: Context): Promise<Outcome> {
  await using db = await openExisting(path);
  const { rows } = await db.execute(`SELECT difficulty, count(*) AS words,
      count(*) FILTER (WHERE stage1_processed = 0) AS waiting_1,
      count(*) FILTER (WHERE stage1_processed = 1 AND is_processed = 0) AS waiting_2,
      count(*) FILTER (WHERE is_processed = 1 AND problem IS NULL) AS cards,
      count(*) FILTER (WHERE problem IS NOT NULL) AS refused
    FROM flashcards GROUP BY difficulty ORDER BY difficulty`);
  const heads = ["difficulty", "words", "wait for 1", "wait for 2", "cards", "refused"];
  const cells = rows.map((row) => Object.values(row).map(Number));
  return { ok: true, data: rows, text: table("The deck", heads, cells) };
}

/** Applies the migrations, or one of them by its file. */
export async function runMigrate(
  { path, signal }: Context,
  file: string | undefined,
): Promise<Outcome> {
  const only = file === undefined ? undefined : versionOf(file);
  await using db = await openFile(path);
  const migrator = await migratorOf(db);
  await migrator.up(only === undefined ? { signal } : { only, signal });
  const { migrations } = await migrator.status();
  const rows = migrations.map(({ version, name, state }) => [version, name, state]);
  const text = table("Migrations", ["version", "name", "state"], rows);
  return { ok: true, data: { migrations }, text };
}

/** "009_performance_indexes.sql" is the file of version 9. */
function versionOf(file: string): number {
  const version = Number.parseInt(file, 10);
  if (version >= 1) return version;
  throw new SpringhouseError(
    "USAGE",
    `"${file}" is no migration. Give its number or its file, such as 009_performance_indexes.sql.`,
  );
}
