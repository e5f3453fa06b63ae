/**
 * The second process of the main job: a plain script that writes what it is told to and knows
 * nothing of the library, so it imports nothing but SQLite. Each statement is a transaction.
 */

import { DatabaseSync } from "node:sqlite";

interface Write {
  readonly sql: string;
  readonly parameters: readonly (number | string)[];
}

// Without a timeout SQLite does not wait for other writers at all.
const database = new DatabaseSync(process.argv[2] ?? "", { timeout: 30_000 });

process.on("message", (writes: readonly Write[]) => {
  for (const { sql, parameters } of writes) database.prepare(sql).run(...parameters);
  process.send?.(writes.length);
});
process.on("disconnect", () => {
  database.close();
});
