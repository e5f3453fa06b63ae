/**
 * The thread in which a database is copied, so that a large one does not stop the event loop. It
 * writes the copy, or says why it cannot, and ends.
 */

import { parentPort, workerData } from "node:worker_threads";
import { Connection } from "../sqlite/connection.ts";
import { toWireError } from "../sqlite/errors.ts";

/** What the thread is given. */
export interface CopyTask {
  readonly from: string;
  readonly to: string;
}

const { from, to } = workerData as CopyTask;
try {
  using connection = new Connection({
    path: from,
    readOnly: true,
    pragmas: ["busy_timeout = 5000"],
  });
  connection.ask("VACUUM INTO ?", to);
} catch (error) {
  parentPort?.postMessage(toWireError(error));
}
