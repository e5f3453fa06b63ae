/** Writes with a Springhouse of its own until it is killed: `springhouse-writer.ts FILE SEED`. */

import { open } from "../../../src/open.ts";
import { random } from "../../crash/random.ts";
import { BURST, GROUPS, REST_MS } from "./statements.ts";

const [path = "", seed = "1"] = process.argv.slice(2);
const next = random(Number(seed));
const below = (end: number): number => Math.floor(next() * end);
await using db = await open({ url: `sqlite:///${path}`, schema: "ignore" });

const cell = new Int32Array(new SharedArrayBuffer(4));

for (let count = 1; ; count++) {
  if (count % BURST === 0) Atomics.wait(cell, 0, 0, REST_MS);
  const id = below(400);
  const values = [id, id % GROUPS, `Name ${below(300)}`, below(1_000)];
  try {
    await db.execute("INSERT OR REPLACE INTO items VALUES (?, ?, ?, ?)", values);
    await db.execute("UPDATE items SET n = n + 1 WHERE grp = ?", [below(GROUPS)]);
  } catch {
    // Another process may hold the file, or have changed it.
  }
}
