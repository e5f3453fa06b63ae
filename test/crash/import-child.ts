/**
 * Imports one file into one target and prints a line at each step; kills itself at the step that is
 * named. Arguments: target, source, step (0: none).
 */

import { importFiles } from "springhouse/import";
import { rowsOf, TABLES } from "../migrate/import/support.ts";

const [target = "", sources = "", step = "0"] = process.argv.slice(2);
let steps = 0;
const report = await importFiles({
  target,
  sources,
  tables: TABLES,
  map: rowsOf,
  onProgress({ phase }) {
    process.stdout.write(`${phase}\n`);
    if (++steps === Number(step)) process.kill(process.pid, "SIGKILL");
  },
});
process.stdout.write(`${report.status}\n`);
