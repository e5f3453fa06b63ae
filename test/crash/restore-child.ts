/**
 * Restores FILE to one moment and then to the other, until it is killed:
 * `restore-child.ts FILE DIRECTORY TIME TIME`. Says when it begins and when one is done.
 */

import { writeSync } from "node:fs";
import { restoreToTime } from "../../src/backup/restore-to-time.ts";

const [path = "", directory = "", ...times] = process.argv.slice(2);
const STDOUT = 1;

writeSync(STDOUT, "ready\n");
for (let turn = 0; ; turn++) {
  const time = new Date(Number(times[turn % times.length]));
  await restoreToTime({ directory, url: `sqlite:${path}`, time });
  writeSync(STDOUT, "done\n");
}
