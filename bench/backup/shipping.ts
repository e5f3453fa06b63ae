/**
 * What the loss of a machine costs: an application ships itself and writes 500 transactions a
 * second, is killed at some moment, and its database is thrown away. What was acknowledged and
 * cannot be restored from the segments is lost.
 */

import { spawn } from "node:child_process";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { restoreToTime } from "../../src/backup/restore-to-time.ts";
import type { BenchResult } from "../bench.ts";
import { percentile } from "../support.ts";

/** Long enough for the log to be begun anew under load, in some rounds. */
const LIFE_MS = 8_000;
const QUICK_LIFE_MS = 1_500;

interface Acknowledged {
  readonly number: number;
  readonly atMs: number;
  readonly tookMs: number;
}

/** The figures of this part. */
export async function measureShipping(
  folder: string,
  quick: boolean,
): Promise<Omit<BenchResult, "bench">> {
  const rounds = quick ? 2 : 5;
  const losses: number[] = [];
  const waits: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const directory = join(folder, `shipping-${round}`);
    const path = `${directory}.db`;
    fill(path);
    const lifeMs = (quick ? QUICK_LIFE_MS : LIFE_MS) * (0.5 + Math.random());
    const written = await liveAndDie(path, join(directory, "segments"), lifeMs);
    const restored = `${directory}-restored.db`;
    await restoreToTime({ directory, url: `sqlite:///${restored}` });
    losses.push(lossMs(written, lastOf(restored)));
    waits.push(...written.map(({ tookMs }) => tookMs));
  }
  return {
    figures: {
      pitr_loss_s: Number((Math.max(...losses) / 1_000).toFixed(3)),
      ship_writer_p99_ms: Number(percentile(waits, 99).toFixed(1)),
      ship_writer_stall_ms: Number(Math.max(...waits).toFixed(1)),
    },
    targets: { pitr_loss_s: { atMost: 1 } },
    notes: [
      `pitr_loss_s: the most of ${rounds} kills, from the last commit that was restored to the`,
      "last one that was acknowledged; the database itself is thrown away",
    ],
  };
}

function fill(path: string): void {
  using database = new DatabaseSync(path);
  database.exec("PRAGMA journal_mode = WAL; CREATE TABLE log (id INTEGER PRIMARY KEY, text TEXT)");
}

async function liveAndDie(
  path: string,
  place: string,
  lifeMs: number,
): Promise<readonly Acknowledged[]> {
  const script = join(import.meta.dirname, "shipping-writer.ts");
  const child = spawn(process.execPath, [script, path, place], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const ready = new Promise<void>((resolve) => {
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      if (output.startsWith("ready\n")) resolve();
    });
  });
  await Promise.race([ready, ended]);
  await new Promise((resolve) => setTimeout(resolve, lifeMs));
  child.kill("SIGKILL");
  await ended;
  // The last line may be cut in two by the kill.
  const lines = output.split("\n").slice(1, -1);
  if (lines.length === 0) throw new Error("The application that ships itself wrote nothing.");
  return lines.map((line) => {
    const [number = 0, atMs = 0, tookMs = 0] = line.split(" ").map(Number);
    return { number, atMs, tookMs };
  });
}

function lastOf(path: string): number {
  using database = new DatabaseSync(path);
  return Number(database.prepare("SELECT coalesce(max(id), 0) AS last FROM log").get()?.["last"]);
}

function lossMs(written: readonly Acknowledged[], last: number): number {
  const lost = written.filter(({ number }) => number > last);
  if (lost.length === 0) return 0;
  const endMs = Math.max(...written.map(({ atMs }) => atMs));
  return endMs - Math.min(...lost.map(({ atMs }) => atMs));
}
