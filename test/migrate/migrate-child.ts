/**
 * A program that migrates: opens the database, says "ready", waits for a line, runs `up`, and prints
 * how many migrations it has applied. Arguments: database file, folder of migrations.
 */

import { once } from "node:events";
import { createMigrator } from "../../src/migrate/run.ts";
import { openSqliteStore } from "../../src/store/sqlite/store.ts";

const [path = "", directory = ""] = process.argv.slice(2);
await using store = await openSqliteStore({ url: `sqlite:${path}` });
console.log("ready");
await once(process.stdin, "data");
const { migrations } = await createMigrator({ store, directory, batchSize: 50 }).up();
console.log(`applied ${migrations.length}`);
process.stdin.destroy();
