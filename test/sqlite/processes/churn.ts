/** Opens and closes a file all the time until it is killed: `churn.ts FILE`. */

import { DatabaseSync } from "node:sqlite";

const [path = ""] = process.argv.slice(2);
for (let round = 0; ; round++) {
  using database = new DatabaseSync(path, { timeout: 10_000 });
  database.exec("UPDATE counter SET value = value + 1");
  if (round === 0) process.stdout.write("begun");
}
