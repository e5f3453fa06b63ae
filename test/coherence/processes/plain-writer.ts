/** Writes with `node:sqlite` and nothing else until it is killed: `plain-writer.ts FILE SEED`. */

import { DatabaseSync } from "node:sqlite";
import { Choices } from "../../../src/testing/coherence/choices.ts";
import { BURST, nextStatements, REST_MS } from "./statements.ts";

const [path = "", seed = "1"] = process.argv.slice(2);
const choices = new Choices(Number(seed));
const database = new DatabaseSync(path, { timeout: 2_000 });

const cell = new Int32Array(new SharedArrayBuffer(4));

for (let count = 1; ; count++) {
  if (count % BURST === 0) Atomics.wait(cell, 0, 0, REST_MS);
  try {
    database.exec(nextStatements(choices));
  } catch {
    // Of a statement that fails the transaction is still open.
    if (database.isTransaction) database.exec("ROLLBACK");
  }
}
