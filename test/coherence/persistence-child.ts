/** A process that has a result stored, says so, and waits to be killed. Paths: database, tier. */

import { sqliteTier } from "../../src/cache/index.ts";
import { open } from "../../src/index.ts";
import { patientClock } from "./persistence-support.ts";
import { Task, Week } from "./support.ts";

const [path, tierPath = ""] = process.argv.slice(2);
const tier = sqliteTier({ path: tierPath });
const db = await open({
  url: `sqlite:///${path}`,
  entities: [Week, Task],
  cache: { tiers: [tier] },
  clock: patientClock,
});
const all = db.cached("all", (q) => q.selectFrom("tasks").selectAll().execute(), { version: 1 });
const rows = await all();
const { tier: from } = all.explain();
while (from === "memory" && tier.statistics().sets === 0)
  await new Promise((resolve) => setImmediate(resolve));
// What is written last is not in memory of any process when this one is gone.
if (process.argv.includes("write")) await db.repository(Task).patch(1, { seconds: 7 });
console.log(JSON.stringify({ tier: from, count: rows.length }));
setInterval(() => undefined, 60_000);
