/**
 * Shipping under `kill -9`, while somebody else writes and moves the log in every way: whatever is
 * in the store can be restored, to a state that the database had, and in the end to the last one.
 * `SPRINGHOUSE_KILLS` sets the number of kills, `SPRINGHOUSE_SEED` repeats a run.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as pause } from "node:timers/promises";
import { expect, it, onTestFinished } from "vitest";
import { folderStore } from "../../src/backup/object-store-folder.ts";
import { readCatalog } from "../../src/backup/segments/catalog.ts";
import { readHead } from "../../src/backup/segments/head.ts";
import { planRestore, type RestoreTarget } from "../../src/backup/segments/plan.ts";
import { replay } from "../../src/backup/segments/replay.ts";
import { isSpringhouseError } from "../../src/core/errors.ts";
import { Choices } from "../../src/testing/coherence/choices.ts";
import { contentHash } from "../backup/segments/support.ts";
import { lines, start } from "./children.ts";

/** Each costs the start of a process, and every fourth one a restore. */
const KILLS = Math.ceil(Number(process.env["SPRINGHOUSE_KILLS"] ?? 150) / 2);
const SEED = Number(process.env["SPRINGHOUSE_SEED"] ?? Date.now() % 1_000_000);
/** A child lives for so many events, and for so long after the last of them. */
const EVENTS_MAX = 6;
const LIFE_MS_MAX = 100;
/** Restores cost more than kills. */
const KILLS_PER_RESTORE = 4;

/** Restores, proves and reads the number of commits. */
async function restored(
  folder: string,
  target: RestoreTarget,
): Promise<{ commits: number; hash: string }> {
  const store = folderStore(join(folder, "segments"));
  const path = join(folder, "restored.db");
  rmSync(path, { force: true });
  const ends = await readHead(store);
  await replay(store, planRestore(await readCatalog(store), target, ends), path);
  using database = new DatabaseSync(path);
  expect(database.prepare("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
  const commits = Number(database.prepare("SELECT value FROM counter").get()?.["value"]);
  return { commits, hash: contentHash(database) };
}

it(`ships every commit through ${KILLS} kills (seed ${SEED})`, { timeout: 600_000 }, async () => {
  console.log(`SPRINGHOUSE_SEED=${SEED} SPRINGHOUSE_KILLS=${KILLS}`);
  const folder = mkdtempSync(join(tmpdir(), "springhouse-ship-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "app.db");
  const database = new DatabaseSync(path);
  onTestFinished(() => database.close());
  database.exec(`PRAGMA journal_mode = WAL;
    CREATE TABLE counter (value INTEGER); INSERT INTO counter VALUES (0);
    CREATE TABLE t (id INTEGER PRIMARY KEY, filler BLOB)`);
  const choices = new Choices(SEED);
  const writer = start("ship-writer.ts", path, String(SEED));
  await lines(writer, 1);
  let events = "";
  let reached = 0;

  for (let kill = 1; kill <= KILLS; kill++) {
    const shipper = start("ship-child.ts", path, join(folder, "segments"));
    await lines(shipper, 1 + choices.below(EVENTS_MAX));
    await pause(choices.fraction() * LIFE_MS_MAX);
    shipper.process.kill("SIGKILL");
    const how = await shipper.ended;
    expect(how, shipper.output.slice(-500)).toBe("SIGKILL");
    events += shipper.output;
    if (kill % KILLS_PER_RESTORE !== 0 || !events.includes('"kind":"base"')) continue;
    // A generation whose base was not finished restores nothing; then the one before is asked for.
    const { commits } = await restored(folder, { kind: "latest" }).catch((error: unknown) => {
      if (!isSpringhouseError(error, "SEGMENT_MISSING")) throw error;
      return restored(folder, { kind: "time", timeMs: Number(error.fields["reachesMs"]) });
    });
    expect(commits).toBeGreaterThanOrEqual(reached);
    reached = commits;
  }

  const last = start("ship-child.ts", path, join(folder, "segments"));
  await lines(last, 1);
  writer.process.stdin?.end();
  expect(await writer.ended).toBe(0);
  const commits = Number(database.prepare("SELECT value FROM counter").get()?.["value"]);
  const hash = contentHash(database);
  let latest = { commits: -1, hash: "" };
  while (latest.commits < commits) {
    await pause(50);
    latest = await restored(folder, { kind: "latest" }).catch(() => latest);
  }
  last.process.kill("SIGKILL");
  await last.ended;
  expect(latest).toEqual({ commits, hash });
  events += last.output;
  console.log(
    ["generation", "resumed", "base", "shipped", "reset"]
      .map((kind) => `${events.split(`"kind":"${kind}"`).length - 1} ${kind}`)
      .join(", "),
    `${commits} commits`,
  );
  expect(events).toContain('"kind":"reset"');
  expect(events).toContain('"kind":"resumed"');
});
