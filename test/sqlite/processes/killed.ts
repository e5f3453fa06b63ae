/** Opens a temporary database, says where, and waits for its end. */

import { openDatabase } from "../../../src/sqlite/database.ts";
import { sql } from "../statements.ts";

const database = await openDatabase({ kind: "temporary" });
await database.write([sql("CREATE TABLE t (id INTEGER PRIMARY KEY)")]);
process.stdout.write(database.path);
setInterval(() => undefined, 1_000);
