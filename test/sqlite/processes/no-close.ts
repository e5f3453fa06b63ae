/** Uses every kind of thread and ends without closing: `no-close.ts FILE`. */

import { openDatabase } from "../../../src/sqlite/database.ts";
import { sql } from "../statements.ts";

const [path = ""] = process.argv.slice(2);
const database = await openDatabase({ kind: "file", path });
await database.write([
  sql("CREATE TABLE t (id INTEGER PRIMARY KEY)"),
  sql("INSERT INTO t VALUES (1)"),
]);
await database.read(sql("SELECT count(*) FROM t"));
await database.read(sql("SELECT * FROM t WHERE id = 1"));
const temporary = await openDatabase({ kind: "temporary" });
process.stdout.write(`${temporary.path}\n`);
// Not awaited: what is under way keeps the process until it is done.
void database.write([sql("INSERT INTO t VALUES (2)")]).then(() => process.stdout.write("written"));
