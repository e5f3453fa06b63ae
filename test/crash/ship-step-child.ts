/**
 * Ships a base and a few commits, and is killed at one step: `ship-step-child.ts FILE STORE STEP`.
 * A step is a call that changes the store; of a file that is written, half is another one. Tells
 * each commit that was shipped, with the time by which it was.
 */

import { writeSync } from "node:fs";
import files from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { DatabaseSync } from "node:sqlite";
import { openObjectStore } from "../../src/backup/object-store-open.ts";
import { takeShipLock } from "../../src/backup/segments/ship-lock.ts";
import { Shipper } from "../../src/backup/segments/shipper.ts";
import { systemClock } from "../../src/core/clock.ts";

const [path = "", place = "", step = ""] = process.argv.slice(2);
const STDOUT = 1;
const HOUR_MS = 3_600_000;
const COMMITS = 2;
let steps = 0;

function dieAt(): boolean {
  return ++steps === Number(step);
}

function die(): never {
  process.kill(process.pid, "SIGKILL");
  for (;;);
}

for (const name of ["mkdir", "open", "rename", "rm"] as const) {
  const call = files[name] as (...parameters: unknown[]) => Promise<unknown>;
  Object.assign(files, {
    [name]: (...parameters: unknown[]) => (dieAt() ? die() : call(...parameters)),
  });
}
const { writeFile } = files;
files.writeFile = async (file, data, options): Promise<void> => {
  if (dieAt()) die();
  if (dieAt()) {
    const bytes = data as Uint8Array;
    await writeFile(file, bytes.subarray(0, bytes.length / 2), options);
    die();
  }
  await writeFile(file, data, options);
};
syncBuiltinESMExports();

using _ = takeShipLock(path);
const store = await openObjectStore(place, undefined);
const shipper = new Shipper({
  database: path,
  store,
  clock: systemClock,
  baseEveryMs: HOUR_MS,
  keepMs: HOUR_MS,
  logBytesMax: 1e9,
  onEvent: (event) => {
    if (event.kind === "failed") throw event.error;
  },
});
using database = new DatabaseSync(path);
for (let commit = 0; commit <= COMMITS; commit++) {
  if (commit > 0) database.exec("UPDATE counter SET value = value + 1");
  await shipper.step();
  await shipper.settled();
  const shippedMs = Date.now();
  writeSync(STDOUT, `${JSON.stringify({ commit, shippedMs })}\n`);
  // The next commit is of another moment.
  while (Date.now() <= shippedMs);
}
await shipper.close();
writeSync(STDOUT, `${JSON.stringify({ steps })}\n`);
