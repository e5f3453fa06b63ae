/** Health of an open database: `db.health()`. */

import { describe, expect, it, onTestFinished } from "vitest";
import { createBackup } from "../../src/backup/create.ts";
import { loadConfig } from "../../src/config/load.ts";
import type { Health } from "../../src/health/health.ts";
import { open } from "../../src/open.ts";
import { t } from "../../src/schema/column.ts";
import { entity } from "../../src/schema/entity.ts";
import { makePlace } from "../backup/support.ts";
import { FakeClock, findingOf } from "./support.ts";

const Task = entity("tasks", { id: t.int().primaryKey(), title: t.text() });

async function opened(options: { readonly cache?: false } = {}) {
  const place = makePlace();
  const db = await open({ url: place.url, entities: [Task], clock: new FakeClock(), ...options });
  onTestFinished(() => db.close());
  return { db, place };
}

/** Closed before the database. */
function keep(health: Health): Health {
  onTestFinished(() => health.close());
  return health;
}

describe("the health of an open database", () => {
  it("takes what a configuration says about it", async () => {
    const { db, place } = await opened();
    const env = {
      SPRINGHOUSE_MONITORING_THRESHOLDS_INTEGRITY_AGE_WARNING: "0s",
      SPRINGHOUSE_MONITORING_THRESHOLDS_DISK_FREE_WARNING: "0B",
    };
    const { monitoring } = await loadConfig({ cwd: place.folder, env });

    const report = await keep(await db.health(monitoring)).check();

    expect(monitoring).toMatchObject({ enabled: true, healthCheckInterval: 60_000 });
    expect(findingOf(report, "integrity").status).toBe("healthy");
    expect(report.ready).toBe(true);
    expect(report.counters.queries).toBeGreaterThan(0);
  });

  it("counts the hits of what it keeps, when it keeps anything", async () => {
    const [{ db }, { db: without }] = [await opened(), await opened({ cache: false })];
    const health = keep(await db.health());
    const before = await health.check();
    const titles = db.cached("titles", (q) => q.selectFrom("tasks").select("title").execute());
    await titles();
    await titles();

    const after = await health.check();
    const none = await keep(await without.health()).check();

    expect(before.checks.some(({ name }) => name === "caches")).toBe(false);
    expect(findingOf(after, "caches").found).toBe("results 50.0 % of 2 reads");
    expect(none.checks.some(({ name }) => name === "caches")).toBe(false);
  });

  it("knows the backups of a folder, and that they prove the pages to be sound", async () => {
    const { db, place } = await opened();
    const clock = new FakeClock();
    await createBackup({ url: place.url, directory: place.directory, clock });

    const report = await keep(await db.health({ backups: place.directory })).check();

    expect(findingOf(report, "backups")).toMatchObject({
      status: "healthy",
      found: expect.stringMatching(/^last verified 0 ms ago \(backup_.*\); 1 in all, /),
    });
    expect(findingOf(report, "integrity").found).toBe("sound 0 ms ago, in a verified backup");
    expect(findingOf(report, "disk").values?.["backupBytes"]).toBeGreaterThan(0);
  });

  it("refuses options that it does not have", async () => {
    const { db } = await opened();

    await expect(db.health({ database: db } as never)).rejects.toThrow(/unknown option "database"/);
  });
});
