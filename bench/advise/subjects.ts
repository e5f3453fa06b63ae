/**
 * Databases whose workload has the indexes that it needs: nothing may be advised there. One more is
 * one more function of this list, which makes a file and says what it is asked.
 */

import { existsSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { Auditor } from "../../examples/auditor/auditor.ts";
import { openAuditor } from "../../examples/auditor/database.ts";
import { generateWeeks, WEEK_SIZES } from "../../examples/auditor/generate.ts";
import { importGenerated } from "../../examples/auditor/import-generated.ts";
import { WeekReads } from "../../examples/auditor/week-reads.ts";
import { runCli as runBurndown } from "../../examples/burndown/cli.ts";
import { hasArchive, PROJECTS } from "../../examples/burndown/generate/issues.ts";
import { databasePath } from "../../examples/burndown/places.ts";
import type { Terminal } from "../../examples/common/command-line.ts";
import { runCli as runFlashcards } from "../../examples/flashcards/cli.ts";
import { SETTINGS } from "../../examples/flashcards/database.ts";
import { DictionaryServer } from "../../examples/flashcards/server.ts";
import { hasLists, readDictionary, readWords } from "../../examples/flashcards/word-lists.ts";
import { parseWorkload, readWorkload, type Workload } from "../../src/advisor/workload.ts";
import type { OpenOptions } from "../../src/open/options.ts";
import { open } from "../../src/open.ts";
import { BenchInputError } from "../bench.ts";

/** A database and what it is asked. */
export interface Subject {
  readonly name: string;
  readonly path: string;
  readonly workload: Workload;
}

/** Makes a subject in a folder. */
type MakeSubject = (folder: string, samples: string) => Promise<Subject>;

/** All of them. */
export const SUBJECTS: readonly MakeSubject[] = [chinook, auditor, burndown, flashcards];

/** Every foreign key has an index there, and these statements look rows up by keys. */
const CHINOOK = `
  SELECT * FROM Track WHERE TrackId = ?;
  SELECT * FROM Album WHERE ArtistId = ?;
  SELECT Name, Milliseconds FROM Track WHERE AlbumId = ? ORDER BY Name;
  SELECT a.Title, r.Name FROM Album a JOIN Artist r ON r.ArtistId = a.ArtistId WHERE a.AlbumId = ?;
  SELECT t.Name FROM PlaylistTrack p JOIN Track t ON t.TrackId = p.TrackId WHERE p.PlaylistId = ?;
  SELECT count(*) FROM PlaylistTrack WHERE TrackId = ?;
  SELECT * FROM Invoice WHERE CustomerId = ? ORDER BY InvoiceDate DESC LIMIT 10;
  SELECT l.Quantity, t.Name FROM InvoiceLine l JOIN Track t ON t.TrackId = l.TrackId
    WHERE l.InvoiceId = ?;
  SELECT sum(UnitPrice * Quantity) FROM InvoiceLine WHERE TrackId IN (?, ?, ?);
  SELECT g.Name, count(*) FROM Track t JOIN Genre g ON g.GenreId = t.GenreId GROUP BY g.GenreId;
  SELECT c.LastName, sum(i.Total) FROM Customer c JOIN Invoice i ON i.CustomerId = c.CustomerId
    GROUP BY c.CustomerId ORDER BY 2 DESC LIMIT 5;
  SELECT e.LastName, count(*) FROM Employee e LEFT JOIN Customer c ON c.SupportRepId = e.EmployeeId
    GROUP BY e.EmployeeId;
  INSERT INTO InvoiceLine (InvoiceId, TrackId, UnitPrice, Quantity) VALUES (?, ?, ?, ?);
  UPDATE Customer SET Email = ? WHERE CustomerId = ?;
  DELETE FROM PlaylistTrack WHERE PlaylistId = ? AND TrackId = ?;
`;

async function chinook(folder: string, samples: string): Promise<Subject> {
  const from = join(samples, "Chinook_Sqlite.sqlite");
  if (!existsSync(from)) throw missing(from);
  const path = join(folder, "chinook.db");
  await copyFile(from, path);
  return { name: "chinook", path, workload: parseWorkload(CHINOOK, "chinook") };
}

/** What the auditor itself asks while it imports, shows and changes weeks. */
async function auditor(folder: string): Promise<Subject> {
  const path = join(folder, "auditor.db");
  await using db = await openAuditor(path);
  await importGenerated(db, generateWeeks());
  return await recorded("auditor", path, async () => {
    const reads = new WeekReads(db);
    const weeks = new Auditor(db);
    for (let weekId = 1; weekId <= WEEK_SIZES.length; weekId++) {
      await reads.getWeekData(weekId);
      await reads.getWeekTasks(weekId, 20);
      await reads.getWeekAnalytics(weekId);
      const task = await weeks.createTask({ weekId });
      await weeks.updateTaskDuration(task.id, weekId);
      await weeks.deleteTask(task.id);
    }
  });
}

/** What the commands of the burndown charts ask, on the issues of the archive. */
async function burndown(folder: string, samples: string): Promise<Subject> {
  const root = join(folder, "burndown");
  const data = join(samples, "../jira");
  if (!hasArchive(data)) throw missing(data);
  const run = (...words: string[]): Promise<void> =>
    succeed(words, (terminal) => runBurndown(["--root", root, ...words], terminal));
  await run("generate", "--data", data, "--projects", ...PROJECTS);
  await run("migrate");
  const work = async (): Promise<void> => {
    await run("profiles");
    for (const project of PROJECTS) {
      await run("switch", project.toLowerCase());
      await run("stats");
      await run("forecast");
    }
    await run("export", "--to", join(folder, "exported"));
    await run("clean-up");
  };
  return await recorded("burndown", databasePath(root), work, { busyTimeout: "10s" });
}

/** What the commands of the flashcards ask, for a deck of all words. */
async function flashcards(folder: string, samples: string): Promise<Subject> {
  const path = join(folder, "flashcards.db");
  const data = join(samples, "../korean");
  if (!hasLists(data)) throw missing(data);
  const places = ["--db", path, "--cache", join(folder, "flashcards-cache.db"), "--data", data];
  const run = (...words: string[]): Promise<void> =>
    succeed(words, (terminal) => runFlashcards([...places, ...words], terminal));
  const entries = await readDictionary(data);
  await using server = await DictionaryServer.start({ ...SERVER, entries });
  await run("migrate");
  const work = async (): Promise<void> => {
    await run("import", "10000");
    await run("run", "--server", server.url, "--limit", String(CARDS));
    for (const { word } of (await readWords(data, "1000")).slice(0, SHOWN)) {
      await run("show", word);
      await run("update", word, "--hint", "often");
    }
    await run("status");
  };
  return await recorded("flashcards", path, work, SETTINGS);
}

/** Cards that are made, and of these the ones that are looked at and changed. */
const CARDS = 1_000;
const SHOWN = 20;
/** It is not what is measured. */
const SERVER = { latencyMs: 0, requestsPerSecond: 1_000_000 };

/** Nothing of the archive has expired by then, so that a clean-up leaves what is looked up. */
const NOW_MS = Date.UTC(2020, 0);

/** Runs a command of an example, which says what it does to nobody, and why it fails. */
async function succeed(
  words: readonly string[],
  run: (terminal: Terminal & { readonly nowMs: () => number }) => Promise<number>,
): Promise<void> {
  let said = "";
  const stderr = {
    write(text: string): boolean {
      said += text;
      return true;
    },
  };
  const { signal } = new AbortController();
  const stdout = { write: () => true };
  const code = await run({ stdout, stderr, signal, nowMs: () => NOW_MS });
  if (code !== 0) throw new Error(`${words.join(" ")} ended with the exit code ${code}: ${said}`);
}

/** A file with what was asked of it meanwhile. The settings are those of the example. */
async function recorded(
  name: string,
  path: string,
  work: () => Promise<void>,
  settings: Partial<OpenOptions> = {},
): Promise<Subject> {
  const recordWorkload = `${path}.workload.json`;
  {
    const url = `sqlite:${path}`;
    const more = { entities: [], schema: "ignore", cache: false, recordWorkload } as const;
    await using _ = await open({ url, ...more, ...settings });
    await work();
  }
  return { name, path, workload: await readWorkload(recordWorkload) };
}

function missing(path: string): BenchInputError {
  return new BenchInputError(`${path} is missing: give the folder of the samples with --dir.`);
}
