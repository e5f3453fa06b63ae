/** Writes with a Springhouse of its own until it is killed: `springhouse-writer.ts FILE SEED`. */

import { open } from "../../../src/open.ts";
import { Choices } from "../../../src/testing/coherence/choices.ts";
import { BURST, GROUPS, REST_MS } from "./statements.ts";

const [path = "", seed = "1"] = process.argv.slice(2);
const choices = new Choices(Number(seed));
await using db = await open({ url: `sqlite:///${path}`, schema: "ignore" });

const cell = new Int32Array(new SharedArrayBuffer(4));

for (let count = 1; ; count++) {
  if (count % BURST === 0) Atomics.wait(cell, 0, 0, REST_MS);
  const id = choices.below(400);
  const values = [id, id % GROUPS, `Name ${choices.below(300)}`, choices.below(1_000)];
  try {
    await db.execute("INSERT OR REPLACE INTO items VALUES (?, ?, ?, ?)", values);
    await db.execute("UPDATE items SET n = n + 1 WHERE grp = ?", [choices.below(GROUPS)]);
  } catch {
    // Another process may hold the file, or have changed it.
  }
}
