/**
 * Backups under `kill -9`: whatever has a name is whole, a database is the one before a restore or
 * the one after it, and the next run goes on. A quarter of `SPRINGHOUSE_KILLS`, but not less than
 * eight, is the number of kills of each kind of work, `SPRINGHOUSE_SEED` repeats a run.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as pause } from "node:timers/promises";
import { expect, it, onTestFinished } from "vitest";
import { createBackup } from "../../src/backup/create.ts";
import { listBackups } from "../../src/backup/list.ts";
import { restoreBackup } from "../../src/backup/restore.ts";
import { scheduleBackups } from "../../src/backup/schedule/scheduled-backups.ts";
import { verifyBackup } from "../../src/backup/verify.ts";
import { Choices } from "../../src/testing/coherence/choices.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";

const KILLS = Math.max(Math.ceil(Number(process.env["SPRINGHOUSE_KILLS"] ?? 150) / 4), 8);
const SEED = Number(process.env["SPRINGHOUSE_SEED"] ?? Date.now() % 1_000_000);
/** A child lives for up to this many times as long as one piece of its work took. */
const LIFE_PIECES_MAX = 1.5;
const ROWS = 2_000;

interface Scene {
  readonly path: string;
  readonly directory: string;
  readonly url: string;
}

function scene(): Scene {
  const folder = mkdtempSync(join(tmpdir(), "springhouse-crash-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "app.db");
  return { path, directory: join(folder, "backups"), url: `sqlite:///${path}` };
}

function fill(path: string, state: string): void {
  using database = new DatabaseSync(path);
  database.exec(`PRAGMA journal_mode = WAL;
    CREATE TABLE IF NOT EXISTS rows (id INTEGER PRIMARY KEY, state TEXT, filler BLOB);
    DELETE FROM rows;
    WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < ${ROWS})
      INSERT INTO rows SELECT i, '${state}', randomblob(500) FROM n`);
}

/** The state of the database, which must be whole. */
function stateOf(path: string): string {
  using database = new DatabaseSync(path);
  expect(database.prepare("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
  const states = database.prepare("SELECT state, count(*) AS n FROM rows GROUP BY state").all();
  expect(states.length).toBe(1);
  expect(states[0]?.["n"]).toBe(ROWS);
  return String(states[0]?.["state"]);
}

/** Starts a child, waits for `lines` lines, lets it live for a while more, and kills it. */
async function live(args: readonly string[], lines: number, lifeMs: number): Promise<string[]> {
  const script = join(import.meta.dirname, "backup-child.ts");
  const flags = ["--conditions=springhouse-source", script, ...args];
  const child = spawn(process.execPath, flags, { stdio: ["ignore", "pipe", "inherit"] });
  const closed = once(child, "close");
  let output = "";
  const ready = Promise.withResolvers<void>();
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    if (output.split("\n").length > lines) ready.resolve();
  });
  await Promise.race([ready.promise, closed]);
  await pause(lifeMs);
  child.kill("SIGKILL");
  expect(await closed, output).toEqual([null, "SIGKILL"]);
  return output.split("\n").slice(1, -1);
}

/** Runs the work again and again, and kills it later each time, until after its first piece. */
async function killAgainAndAgain(
  args: (kill: number) => readonly string[],
  check: (said: readonly string[], kill: number) => Promise<void>,
): Promise<void> {
  console.log(`SPRINGHOUSE_SEED=${SEED} KILLS=${KILLS}`);
  const choices = new Choices(SEED);
  const startMs = performance.now();
  await check(await live(args(0), 2, 0), 0);
  const pieceMs = performance.now() - startMs;
  for (let kill = 1; kill <= KILLS; kill++) {
    const lifePieces = ((kill - choices.fraction()) / KILLS) * LIFE_PIECES_MAX;
    await check(await live(args(kill), 1, lifePieces * pieceMs), kill);
  }
}

it(`whatever has a name is whole (${KILLS} kills, seed ${SEED})`, async () => {
  const { path, directory, url } = scene();
  fill(path, "one");
  const told: string[] = [];

  await killAgainAndAgain(
    () => ["create", path, directory],
    async (said) => {
      told.push(...said);
      const entries = await listBackups({ directory });
      expect(entries.filter(({ verification }) => verification?.ok !== true)).toEqual([]);
      const names = entries.map(({ name }) => name);
      expect(told.filter((name) => !names.includes(name))).toEqual([]);
      expect(stateOf(path)).toBe("one");
    },
  );

  for (const { name } of await listBackups({ directory })) await verifyBackup({ directory, name });
  await createBackup({ url, directory });
  const unfinished = (): string[] => readdirSync(directory).filter((name) => name.startsWith("."));
  // What a killed process has begun may still be at work, and a folder that does not say whose it
  // is may be in the making, and is left alone for a minute.
  for (let left = 50; unfinished().length > 0 && left > 0; left--) {
    for (const name of unfinished()) utimesSync(join(directory, name), 0, 0);
    await createBackup({ url, directory, name: `last-${left}` });
  }
  expect(unfinished()).toEqual([]);
});

it(`the database is the one before a restore or the one after (${KILLS} kills, seed ${SEED})`, async () => {
  const { path, directory, url } = scene();
  for (const state of ["two", "one"]) {
    fill(path, state);
    await createBackup({ url, directory, name: state });
  }
  const seen = new Set<string>();

  await killAgainAndAgain(
    (kill) => ["restore", path, directory, String(kill)],
    async () => {
      // The lock of a process that was killed goes with its child, a moment later.
      seen.add(await patiently(async () => stateOf(path)));
    },
  );

  const leftovers = (): string[] =>
    readdirSync(join(directory, "..")).filter((name) => name.includes("restor"));
  await restoreBackup({ url, directory, name: "two" });
  // What the last killed process has begun may still be at work, and write once more.
  for (let left = 50; leftovers().length > 0 && left > 0; left--) {
    await restoreBackup({ url, directory, name: "two" });
  }
  expect(leftovers()).toEqual([]);
  expect(stateOf(path)).toBe("two");
  expect([...seen].sort()).toEqual(["one", "two"]);
});

it(`a schedule goes on (${KILLS} kills, seed ${SEED})`, async () => {
  const { path, directory, url } = scene();
  fill(path, "one");
  const minutes = (kill: number): number => 1_000 + kill * 100;
  let ended = 0;

  await killAgainAndAgain(
    (kill) => ["schedule", path, directory, String(minutes(kill))],
    async (said) => {
      // Killed three times in one task, it waits for its next time.
      const isRight = (line: string): boolean => / ok: |its process died/.test(line);
      expect(said.filter((line) => !isRight(line))).toEqual([]);
      ended += said.length;
      const entries = await listBackups({ directory });
      expect(entries.filter(({ verification }) => verification?.ok !== true)).toEqual([]);
    },
  );

  const before = (await listBackups({ directory })).length;
  const clock = new FakeClock(minutes(KILLS + 1) * 60_000);
  await using schedule = await scheduleBackups({
    url,
    directory,
    clock,
    timeZone: "UTC",
    schedule: "* * * * *",
    cleanupSchedule: "* * * * *",
    retention: { keepLast: 3 },
  });
  const runs = await schedule.runDue();
  expect(runs.map(({ name, outcome }) => [name, outcome])).toEqual([
    ["backup", "ok"],
    ["cleanup", "ok"],
  ]);
  expect((await listBackups({ directory })).length).toBe(Math.min(before + 1, 3));
  expect(ended).toBeGreaterThan(0);
});

async function patiently<T>(run: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await run();
    } catch (error) {
      if (attempt >= 100 || !String(error).includes("locked")) throw error;
      await pause(50);
    }
  }
}
