/**
 * Kills shipping at each of its steps, one after the other: the next run goes on, every commit that
 * was shipped can be restored, and nothing in the store is damaged.
 */

import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, it } from "vitest";
import { folderStore } from "../../src/backup/object-store-folder.ts";
import { checkSegments } from "../../src/backup/segments/check.ts";
import { systemClock } from "../../src/core/clock.ts";
import { connect, contentHash, restoredFrom, ship } from "../backup/segments/support.ts";
import { newFolder } from "../backup/support.ts";
import { start } from "./children.ts";

/** Of a base, two commits, and where the line ends after each. */
const STEPS_MIN = 30;

interface Shipped {
  readonly commit: number;
  readonly shippedMs: number;
}

interface Run {
  readonly wasKilled: boolean;
  readonly shipped: readonly Shipped[];
}

/** Runs the child to its end, or to the step at which it is killed. */
async function run(path: string, place: string, step: number): Promise<Run> {
  const child = start("ship-step-child.ts", path, place, String(step));
  const how = await child.ended;
  expect([0, "SIGKILL"], child.output).toContain(how);
  const told = child.output.trim().split("\n").filter(Boolean);
  const shipped = told.map((line) => JSON.parse(line) as Shipped).filter((one) => "commit" in one);
  return { wasKilled: how === "SIGKILL", shipped };
}

/** What the database held at each commit. */
function hashes(): readonly string[] {
  return [0, 1, 2].map((value) => {
    using database = new DatabaseSync(":memory:");
    database.exec(`CREATE TABLE counter (value INTEGER); INSERT INTO counter VALUES (${value})`);
    return contentHash(database);
  });
}

it("ships every commit when it is killed at any step of it", { timeout: 60_000 }, async () => {
  const contents = hashes();
  let isThrough = false;
  let steps = 0;
  while (!isThrough) {
    steps++;
    const folder = newFolder();
    const [path, place] = [join(folder, "app.db"), join(folder, "segments")];
    const database = connect(path);
    database.exec("CREATE TABLE counter (value INTEGER); INSERT INTO counter VALUES (0)");

    const { wasKilled, shipped } = await run(path, place, steps);
    const store = folderStore(place);
    const check = async (when: string): Promise<void> => {
      for (const { commit, shippedMs } of shipped) {
        const found = await restoredFrom(store, { kind: "time", timeMs: shippedMs });
        expect(found, `commit ${commit}, ${when}`).toBe(contents[commit]);
      }
    };
    await check(`killed at step ${steps}`);
    const { shipper, events } = ship(path, { store, clock: systemClock });
    await shipper.step();
    await shipper.settled();
    await shipper.close();

    const why = `killed at step ${steps}, then ${JSON.stringify(events)}`;
    expect(await restoredFrom(store, { kind: "latest" }), why).toBe(contentHash(database));
    await check(why);
    const reports = await checkSegments({ from: place, read: true });
    expect(reports.map(({ problem }) => problem).filter(Boolean), why).toEqual([]);
    isThrough = !wasKilled;
  }
  // Fewer would mean that the store is written to by calls that are not counted.
  expect(steps).toBeGreaterThan(STEPS_MIN);
});
