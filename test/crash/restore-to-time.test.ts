/**
 * A restore from segments under `kill -9`: the database is the one from before or the one from
 * after, never anything else, and the next restore is not hindered by what was left.
 */

import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as pause } from "node:timers/promises";
import { expect, it, onTestFinished } from "vitest";
import { restoreToTime } from "../../src/backup/restore-to-time.ts";
import { startShipping } from "../../src/backup/segments/shipping.ts";
import { Choices } from "../../src/testing/coherence/choices.ts";
import { hashOfFile } from "../backup/segments/support.ts";
import { lines, start } from "./children.ts";

/** Each costs the start of several processes. */
const KILLS = Math.ceil(Number(process.env["SPRINGHOUSE_KILLS"] ?? 150) / 2);
const SEED = Number(process.env["SPRINGHOUSE_SEED"] ?? Date.now() % 1_000_000);
const LIFE_MS_MAX = 600;

/** Ships a database at two moments, and gives them with the hash that it had at each. */
async function ship(path: string, directory: string): Promise<Map<number, string>> {
  const moments = new Map<number, string>();
  const shipping = await startShipping({ url: `sqlite:${path}`, to: join(directory, "segments") });
  for (const rows of [2_000, 500]) {
    const database = new DatabaseSync(path);
    const numbers = `WITH RECURSIVE n (v) AS (SELECT 1 UNION ALL SELECT v + 1 FROM n WHERE v < ${rows})`;
    database.exec(`${numbers} INSERT INTO t (filler) SELECT randomblob(1000) FROM n`);
    database.close();
    const { shippedMs = 0 } = await shipping.flush();
    moments.set(shippedMs, "");
  }
  await shipping.close();
  for (const timeMs of moments.keys()) {
    await restoreToTime({ directory, url: `sqlite:${path}`, time: new Date(timeMs) });
    moments.set(timeMs, hashOfFile(path));
  }
  return moments;
}

it(`is before or after in ${KILLS} kills (seed ${SEED})`, { timeout: 600_000 }, async () => {
  console.log(`SPRINGHOUSE_SEED=${SEED}`);
  const folder = mkdtempSync(join(tmpdir(), "springhouse-restore-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "app.db");
  const directory = join(folder, "backups");
  const database = new DatabaseSync(path);
  database.exec("PRAGMA journal_mode = WAL; CREATE TABLE t (id INTEGER PRIMARY KEY, filler BLOB)");
  database.close();
  const moments = await ship(path, directory);
  const hashes = [...moments.values()];
  expect(new Set(hashes).size).toBe(2);
  const choices = new Choices(SEED);

  for (let kill = 0; kill < KILLS; kill++) {
    const child = start("restore-child.ts", path, directory, ...[...moments.keys()].map(String));
    await lines(child, 1 + choices.below(3));
    await pause(choices.fraction() * LIFE_MS_MAX);
    child.process.kill("SIGKILL");
    expect(await child.ended).toBe("SIGKILL");
    // Its own child notices that nobody is left, and lets the database go.
    await whenFree(path);
    expect(hashes).toContain(hashOfFile(path));
  }

  const [timeMs = 0] = moments.keys();
  await restoreToTime({ directory, url: `sqlite:${path}`, time: new Date(timeMs) });
  expect(hashOfFile(path)).toBe(hashes[0]);
  const left = readdirSync(folder).filter((name) => name.includes("restoring"));
  expect(left).toEqual([]);
});

async function whenFree(path: string): Promise<void> {
  for (;;) {
    try {
      using database = new DatabaseSync(path);
      database.exec("BEGIN IMMEDIATE; ROLLBACK");
      return;
    } catch (error) {
      if ((error as { errcode?: number }).errcode !== 5) throw error;
      await pause(20);
    }
  }
}
