/**
 * The writer under `kill -9`: whatever was acknowledged is there, nothing is half applied, and the
 * file is sound. `SPRINGHOUSE_KILLS` sets the number of kills, `SPRINGHOUSE_SEED` repeats a run.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as pause } from "node:timers/promises";
import { expect, it, onTestFinished } from "vitest";
import { openSqliteStore } from "../../src/store/sqlite/store.ts";
import { Choices } from "../../src/testing/coherence/choices.ts";

const KILLS = Number(process.env["SPRINGHOUSE_KILLS"] ?? 150);
const SEED = Number(process.env["SPRINGHOUSE_SEED"] ?? Date.now() % 1_000_000);
/** A child lives this long at most after its first sign of life. */
const LIFE_MS_MAX = 120;
/** Mostly the sign is the first acknowledged write; else that it is open, so that some die early. */
const EARLY_DEATHS = 0.2;
/** A new file now and then: its first pages are written under fire as well. */
const KILLS_PER_FILE = 25;

interface Life {
  readonly acknowledged: readonly number[];
}

/** Starts a child, lets it live for a while after its first `lines` lines, kills it. */
async function live(path: string, start: number, lines: number, lifeMs: number): Promise<Life> {
  const script = join(import.meta.dirname, "writer-child.ts");
  const child = spawn(process.execPath, [script, path, String(start)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  const ready = Promise.withResolvers<void>();
  child.stdout?.setEncoding("utf8");
  child.stdout?.on("data", (text: string) => {
    output += text;
    if (output.split("\n").length > lines) ready.resolve();
  });
  const ended = endOf(child);
  await Promise.race([ready.promise, ended]);
  await pause(lifeMs);
  child.kill("SIGKILL");
  const signal = await ended;
  if (signal !== "SIGKILL") throw new Error(`the child ended by itself: ${output.slice(-200)}`);
  // The last line may be cut in two by the kill.
  const whole = output.slice(0, output.lastIndexOf("\n")).split("\n").slice(1);
  return { acknowledged: whole.map(Number) };
}

function endOf(child: ChildProcess): Promise<NodeJS.Signals | null> {
  return new Promise((resolve) => child.once("close", (_, signal) => resolve(signal)));
}

/** What stands in the file, read with nothing of ours. */
function contentOf(path: string): { readonly left: number[]; readonly right: number[] } {
  using database = new DatabaseSync(path);
  expect(database.prepare("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
  const numbers = (table: string): number[] =>
    database
      .prepare(`SELECT number FROM ${table} ORDER BY number`)
      .all()
      .map((row) => Number(row["number"]));
  return { left: numbers("left"), right: numbers("right") };
}

async function newFile(folder: string, index: number): Promise<string> {
  const path = join(folder, `crash-${index}.db`);
  await using store = await openSqliteStore({ url: { kind: "file", path } });
  await store.write(
    ["left", "right"].map((table) => ({
      sql: `CREATE TABLE ${table} (number INTEGER PRIMARY KEY, filler TEXT)`,
      parameters: [],
    })),
  );
  return path;
}

it(`loses no acknowledged write in ${KILLS} kills (seed ${SEED})`, async () => {
  console.log(`SPRINGHOUSE_SEED=${SEED} SPRINGHOUSE_KILLS=${KILLS}`);
  const folder = mkdtempSync(join(tmpdir(), "springhouse-crash-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const choices = new Choices(SEED);
  let path = "";
  let acknowledged: number[] = [];
  let total = 0;

  for (let kill = 0; kill < KILLS; kill++) {
    if (kill % KILLS_PER_FILE === 0) {
      path = await newFile(folder, kill);
      acknowledged = [];
    }
    const start = kill * 1_000_000;
    const life = await live(
      path,
      start,
      choices.chance(EARLY_DEATHS) ? 1 : 2,
      choices.fraction() * LIFE_MS_MAX,
    );
    acknowledged.push(...life.acknowledged);
    total += life.acknowledged.length;
    const { left, right } = contentOf(path);
    const present = new Set(left);

    expect(left, `kill ${kill}: a unit is half applied`).toEqual(right);
    expect(
      acknowledged.filter((number) => !present.has(number)),
      `kill ${kill}: acknowledged writes are lost`,
    ).toEqual([]);
  }

  // A run in which nothing was written would prove nothing.
  expect(total).toBeGreaterThan(KILLS);
});
