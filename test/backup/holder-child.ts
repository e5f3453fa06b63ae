/** Has a database open until it is killed: `holder-child.ts FILE`. */

import { DatabaseSync } from "node:sqlite";

const database = new DatabaseSync(process.argv[2] ?? "");
database.prepare("SELECT count(*) FROM sqlite_schema").get();
process.send?.("open");
setInterval(() => database.isOpen, 1_000);
