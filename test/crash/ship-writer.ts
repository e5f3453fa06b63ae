/**
 * A program that knows nothing of us: writes into FILE until its standard input ends. For a while it
 * lets the log be, then it moves it in every way that SQLite has. The number of each commit is in
 * the database.
 */

import { writeSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as pause } from "node:timers/promises";
import { Choices } from "../../src/testing/coherence/choices.ts";

const [path = "", seed = "0"] = process.argv.slice(2);
const STDOUT = 1;
const choices = new Choices(Number(seed));
const database = new DatabaseSync(path, { timeout: 5_000 });
database.exec(
  "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0",
);
const count = database.prepare("UPDATE counter SET value = value + 1");
const insert = database.prepare("INSERT INTO t (filler) VALUES (randomblob(?))");
const thin = database.prepare("DELETE FROM t WHERE id % 97 = ?");
const checkpoint = database.prepare("PRAGMA wal_checkpoint(PASSIVE)");
const restart = database.prepare("PRAGMA wal_checkpoint(RESTART)");
const truncate = database.prepare("PRAGMA wal_checkpoint(TRUNCATE)");

/** Bursts in which the log is let be, and those in which it is not. */
const CALM = 150;
const WILD = 20;

/** A disk that is never given a rest would make the test a test of the disk. */
const PAUSE_MS = 5;

let isOver = false;
process.stdin.on("end", () => {
  isOver = true;
});
process.stdin.resume();
writeSync(STDOUT, "ready\n");
for (let round = 0; !isOver; round++) {
  for (let burst = 0; burst < 20; burst++) {
    database.exec("BEGIN IMMEDIATE");
    count.run();
    for (let row = 0; row < 3; row++) insert.run(choices.below(3_000));
    if (choices.chance(0.3)) thin.run(choices.below(97));
    database.exec("COMMIT");
  }
  await pause(PAUSE_MS);
  if (round % (CALM + WILD) < CALM) continue;
  if (choices.chance(0.3)) checkpoint.get();
  // These wait for readers; a short time is enough, and they must not hold up the test.
  database.exec("PRAGMA busy_timeout = 5");
  if (choices.chance(0.1)) restart.get();
  if (choices.chance(0.1)) truncate.get();
  database.exec("PRAGMA busy_timeout = 5000");
}
database.close();
