/** One of several processes that write one file: `writer.ts FILE MILLISECONDS`. */

import { isSpringhouseError } from "../../src/core/errors.ts";
import { openSqliteStore } from "../../src/store/sqlite/store.ts";

const [path = "", duration = "0"] = process.argv.slice(2);
const endMs = performance.now() + Number(duration);
const store = await openSqliteStore({ url: { kind: "file", path } });
let writes = 0;
let busyErrors = 0;

/** Four callers that read, compute and write, each in a transaction or a unit of its own. */
async function caller(inTransaction: boolean): Promise<void> {
  const statement = { sql: "UPDATE counter SET value = value + 1", parameters: [] };
  while (performance.now() < endMs) {
    try {
      if (inTransaction) {
        await store.transaction((transaction) => transaction.write([statement]));
      } else {
        await store.write([statement]);
      }
      writes++;
    } catch (error) {
      if (!isSpringhouseError(error, "BUSY")) throw error;
      busyErrors++;
    }
  }
}

await Promise.all([caller(false), caller(false), caller(false), caller(true)]);
await store.close();
process.stdout.write(JSON.stringify({ writes, busyErrors }));
