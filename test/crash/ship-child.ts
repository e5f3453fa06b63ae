/**
 * Ships until it is killed: `ship-child.ts FILE STORE`. Small logs are begun anew under load, so
 * that a kill meets every step of that too. Each event goes to stdout.
 */

import { writeSync } from "node:fs";
import { openObjectStore } from "../../src/backup/object-store-open.ts";
import { takeShipLock } from "../../src/backup/segments/ship-lock.ts";
import { Shipper } from "../../src/backup/segments/shipper.ts";
import { systemClock } from "../../src/core/clock.ts";

const [database = "", place = ""] = process.argv.slice(2);
const STDOUT = 1;
const HOUR_MS = 3_600_000;

using _ = takeShipLock(database);
const shipper = new Shipper({
  database,
  store: await openObjectStore(place, undefined),
  clock: systemClock,
  baseEveryMs: HOUR_MS,
  keepMs: HOUR_MS,
  logBytesMax: 1e9,
  resetBytes: 400_000,
  onEvent: (event) => {
    writeSync(STDOUT, `${JSON.stringify(event)}\n`);
    if (event.kind === "failed") throw event.error;
  },
});
for (;;) {
  await shipper.step().catch((error: unknown) => {
    // Others hold locks for moments; everything else must not happen.
    if ((error as { code?: string }).code !== "BUSY") throw error;
  });
  await new Promise((resolve) => setImmediate(resolve));
}
