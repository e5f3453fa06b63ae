/**
 * Writes until it is killed: `writer-child.ts FILE START`. Each number of the sequence is written
 * twice, to `left` and to `right`, in one unit or one transaction, and goes to stdout once it is
 * acknowledged. Numbers begin at START; the way of writing changes from number to number.
 */

import { writeSync } from "node:fs";
import { openSqliteStore } from "../../src/store/sqlite/store.ts";
import type { Statement } from "../../src/store/store.ts";

const [path = "", start = "0"] = process.argv.slice(2);
const store = await openSqliteStore({ url: { kind: "file", path } });
const STDOUT = 1;
/** Rows that make the log grow, so that checkpoints run while the process is killed. */
const FILLER = "x".repeat(2_000);
const CALLERS = 8;

let next = Number(start);

function unit(number: number): Statement[] {
  return ["left", "right"].map((table) => ({
    sql: `INSERT INTO ${table} VALUES (?, ?)`,
    parameters: [number, FILLER],
  }));
}

async function write(number: number): Promise<void> {
  const statements = unit(number);
  switch (number % 4) {
    case 0:
      await store.transaction(async (transaction) => {
        for (const statement of statements) await transaction.write([statement]);
      });
      return;
    case 1:
      await store.transaction(async (transaction) => {
        await transaction.write(statements.slice(0, 1));
        await transaction.transaction((inner) => inner.write(statements.slice(1)));
      });
      return;
    default:
      await store.write(statements);
  }
}

async function caller(): Promise<void> {
  for (;;) {
    const number = next++;
    await write(number);
    // Straight to the pipe: what the process has told, the parent can read after its death.
    writeSync(STDOUT, `${number}\n`);
  }
}

writeSync(STDOUT, "ready\n");
await Promise.all(Array.from({ length: CALLERS }, caller));
