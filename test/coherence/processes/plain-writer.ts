/** Writes with `node:sqlite` and nothing else until it is killed: `plain-writer.ts FILE SEED`. */

import { DatabaseSync } from "node:sqlite";
import { random } from "../../crash/random.ts";
import { BURST, nextStatements, REST_MS } from "./statements.ts";

const [path = "", seed = "1"] = process.argv.slice(2);
const next = random(Number(seed));
const below = (end: number): number => Math.floor(next() * end);
const database = new DatabaseSync(path, { timeout: 2_000 });

const cell = new Int32Array(new SharedArrayBuffer(4));

for (let count = 1; ; count++) {
  if (count % BURST === 0) Atomics.wait(cell, 0, 0, REST_MS);
  try {
    database.exec(nextStatements(below));
  } catch {
    // Of a statement that fails the transaction is still open.
    if (database.isTransaction) database.exec("ROLLBACK");
  }
}
