/**
 * A program that migrates up and down for ever, until it is killed. After every complete `up` it
 * checks that the data step has worked on each row exactly once, and ends with an error if not.
 * Arguments: database file, folder of migrations.
 */

import { createMigrator } from "../../src/migrate/run.ts";
import { openSqliteStore } from "../../src/store/sqlite/store.ts";

const [path = "", directory = ""] = process.argv.slice(2);
const store = await openSqliteStore({ url: `sqlite:${path}` });
const migrator = createMigrator({ store, directory, batchSize: 400 });
console.log("ready");
for (;;) {
  await migrator.up();
  const sql = "SELECT count(*), min(done), max(done) FROM tasks";
  const { rows } = await store.read({ sql, parameters: [] });
  if (String(rows[0]) !== "3000,1,1") throw new Error(`wrong after up: ${rows[0]}`);
  console.log("complete");
  await migrator.down({ to: 0 });
}
