/** The process in which backups are made, checked and restored; `work.ts` starts it. */

import { rmSync } from "node:fs";
import { setPriority } from "node:os";
import { assert } from "../core/assert.ts";
import { toWireError } from "../sqlite/errors.ts";
import { pack } from "./packing.ts";
import { checkFile, prove } from "./proof.ts";
import type { Progress, Reply, Results, Task } from "./protocol.ts";
import { copyDatabase } from "./snapshot.ts";
import { DatabaseHold } from "./swap.ts";

/** Those who use the database go first. */
const PRIORITY = 19;
const KEEPS_ALIVE_MS = 2 ** 30;

let hold: DatabaseHold | undefined;
/** The file that is being written. */
let unfinished: string | undefined;

function send(reply: Reply): void {
  if (process.connected) process.send?.(reply);
}

function onProgress(progress: Progress): void {
  send({ kind: "progress", progress });
}

async function run(task: Task): Promise<Results[Task["kind"]]> {
  switch (task.kind) {
    case "snapshot":
      return copyDatabase(task.database, task.to, onProgress);
    case "pack":
      return pack(task, onProgress);
    case "prove":
      return prove(task, onProgress);
    case "check":
      return checkFile(task.path, onProgress);
    case "lock":
      hold = new DatabaseHold(task.database);
      return hold.begin();
    case "copyLocked":
      return held().copy(task.to, onProgress);
    case "swap":
      return { aside: held().swap(task.restored, task.setOldAside) };
    case "unlock":
      hold?.[Symbol.dispose]();
      hold = undefined;
      return null;
  }
}

function held(): DatabaseHold {
  assert(hold !== undefined, "no database is locked");
  return hold;
}

try {
  setPriority(PRIORITY);
} catch {
  // Not allowed here; then all have the same priority.
}
// Nobody is left who would use or remove it. Whoever comes next has looked for leftovers already.
process.once("disconnect", () => {
  if (unfinished !== undefined) rmSync(unfinished, { force: true });
  process.exit(1);
});
// Ctrl-C in a terminal goes to every process of it; the main process decides what happens.
process.on("SIGINT", () => undefined);
setInterval(() => undefined, KEEPS_ALIVE_MS);
process.on("message", (task: Task) => {
  unfinished = "to" in task ? task.to : undefined;
  run(task).then(
    (result) => send({ kind: "done", result }),
    (error: unknown) => send({ kind: "failed", error: toWireError(error) }),
  );
});
