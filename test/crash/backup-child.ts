/**
 * Works on backups until it is killed: `backup-child.ts MODE DATABASE DIRECTORY START`. It prints a
 * line after each piece of work. Modes: `create` makes backups; `restore` puts "one" and "two" in
 * the place of the database in turn, the latter first when START is odd; `schedule` runs a schedule
 * whose clock goes a minute a round, from START minutes on.
 */

import { writeSync } from "node:fs";
import { createBackup } from "../../src/backup/create.ts";
import { restoreBackup } from "../../src/backup/restore.ts";
import { scheduleBackups } from "../../src/backup/schedule/scheduled-backups.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";

const [mode = "", path = "", directory = "", start = "0"] = process.argv.slice(2);
const url = `sqlite:///${path}`;
const MINUTE_MS = 60_000;

function say(text: string): void {
  // Straight to the pipe: what the process has told, the parent can read after its death.
  writeSync(1, `${text}\n`);
}

async function schedule(): Promise<void> {
  const clock = new FakeClock(Number(start) * MINUTE_MS);
  const options = { url, directory, clock, timeZone: "UTC" };
  const every = { schedule: "* * * * *", cleanupSchedule: "* * * * *", retention: { keepLast: 3 } };
  const opened = await scheduleBackups({ ...options, ...every });
  for (;;) {
    for (const run of await opened.runDue()) say(`${run.name} ${run.outcome}: ${run.message}`);
    clock.advance(MINUTE_MS);
  }
}

say("ready");
if (mode === "schedule") await schedule();
for (let round = Number(start); ; round++) {
  if (mode === "create") say((await createBackup({ url, directory })).name);
  else {
    const name = round % 2 === 0 ? "two" : "one";
    await restoreBackup({ url, directory, name });
    say(name);
  }
}
