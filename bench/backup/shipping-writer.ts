/**
 * An application that ships itself: `shipping-writer.ts FILE PLACE`. Says "ready" when the first
 * base is in the store, then writes until it is killed: the number of each commit that was
 * acknowledged, when, and how long it took.
 */

import { writeSync } from "node:fs";
import { startShipping } from "../../src/backup/segments/shipping.ts";
import { openSqliteStore } from "../../src/store/sqlite/store.ts";

const [path = "", place = ""] = process.argv.slice(2);
const WRITES_PER_S = 500;
const STDOUT = 1;
const WRITE = "INSERT INTO log (id, text) VALUES (?, ?)";

const store = await openSqliteStore({ url: `sqlite:///${path}` });
const shipping = await startShipping({ url: `sqlite:///${path}`, to: place });
await shipping.flush();
writeSync(STDOUT, "ready\n");
const startMs = performance.now();
let written = 0;
setInterval(() => {
  // A timer that comes late has more to do: the pace is kept.
  const due = ((performance.now() - startMs) * WRITES_PER_S) / 1_000;
  for (; written < due; written++) void write(written + 1);
}, 1);

async function write(number: number): Promise<void> {
  const askedMs = performance.now();
  await store.write([{ sql: WRITE, parameters: [number, "a line of some length"] }]);
  writeSync(STDOUT, `${number} ${Date.now()} ${performance.now() - askedMs}\n`);
}
