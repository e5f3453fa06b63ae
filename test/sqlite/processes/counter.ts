/** Adds to one counter, beside other processes that do the same: `counter.ts FILE TIMES`. */

import { openDatabase } from "../../../src/sqlite/database.ts";
import { openSqliteStore } from "../../../src/store/sqlite/store.ts";
import { sql } from "../statements.ts";

const [path = "", times = "0"] = process.argv.slice(2);
const store = await openSqliteStore({ url: { kind: "file", path } });
const add = sql("UPDATE counter SET value = value + 1");
let left = Number(times);

/** Reads, computes and writes back in one transaction: lost updates would show. */
async function addInTransaction(): Promise<void> {
  await store.transaction(async (transaction) => {
    const { rows } = await transaction.read(sql("SELECT value FROM counter"));
    const next = Number(rows[0]?.[0]) + 1;
    await transaction.write([sql("UPDATE counter SET value = ?", next)]);
  });
}

async function caller(): Promise<void> {
  while (left-- > 0) await (left % 3 === 0 ? addInTransaction() : store.write([add]));
}

await Promise.all(Array.from({ length: 6 }, caller));
await store.close();
// A second open after the close shows that the process can go on with the file.
const again = await openDatabase({ kind: "file", path }, { readOnly: true });
await again.read(sql("SELECT value FROM counter"));
await again.close();
process.stdout.write("done");
