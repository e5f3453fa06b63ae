/** Whether what was written is safe, as health sees it, with the fault that turns each check. */

import { describe, expect, it } from "vitest";
import type { HealthBackup } from "../../src/health/sources.ts";
import { FakeClock, findingOf, lookAfter, SaidDatabase } from "./support.ts";

const MB = 1_024 ** 2;
const DAY_MS = 86_400_000;

describe("backups", () => {
  const clock = new FakeClock();
  const looked = async (list: readonly HealthBackup[]) => {
    const backups = { list: async () => list, sizeBytes: async () => 5 * MB };
    return findingOf(await lookAfter({ backups }, { clock }).check(), "backups");
  };
  const made = (name: string, daysAgo: number, verified?: boolean): HealthBackup => ({
    name,
    createdMs: clock.nowMs() - daysAgo * DAY_MS,
    verified,
  });

  it("count from the last one that was verified", async () => {
    const fresh = await looked([made("b", 1, true), made("a", 2, true)]);
    const late = await looked([made("c", 0.1), made("b", 2, true)]);
    const old = await looked([made("c", 0.1), made("b", 9, true)]);

    expect(fresh).toMatchObject({
      status: "healthy",
      found: "last verified 24 h ago (b); 2 in all, 5.0 MB",
      values: { count: 2, bytes: 5 * MB, ageMs: DAY_MS },
    });
    expect(late).toMatchObject({ status: "warning", found: expect.stringContaining("(b)") });
    expect(old.status).toBe("unhealthy");
  });

  it("of the future count for nothing, and are a warning", async () => {
    const future = made("f", -26_000, true);
    const alone = await looked([future]);
    const beside = await looked([future, made("a", 1, true)]);
    const unproved = await looked([made("f", -26_000), made("a", 1, true)]);
    const old = await looked([future, made("a", 9, true)]);
    const skewed = await looked([made("s", -4 / (24 * 60), true)]);

    const moment = new Date(future.createdMs ?? 0).toISOString();
    const dated = `f says that it is of ${moment}, which has`;
    const advice = expect.stringMatching(/^See whether the clock of this machine is right/);
    expect(alone).toEqual({
      name: "backups",
      status: "warning",
      found: `none of 1 counts as verified; ${dated} yet to come`,
      advice,
      values: { count: 1, bytes: 5 * MB },
    });
    expect(beside).toMatchObject({
      status: "warning",
      found: `last verified 24 h ago (a); 2 in all, 5.0 MB; ${dated} yet to come`,
      advice,
      values: { ageMs: DAY_MS },
    });
    expect(unproved).toMatchObject({ status: "warning", advice });
    expect(old.status).toBe("unhealthy");
    expect(skewed).toMatchObject({ status: "healthy", values: { ageMs: 0 } });
  });

  it("are a warning when there are none, or none that was verified", async () => {
    expect(await looked([])).toMatchObject({ status: "warning", found: "none" });
    expect(await looked([made("a", 0)])).toMatchObject({ found: "none of 1 is verified" });
  });

  it.each([
    [0, 0.5],
    [2, 0.5],
    [0, 2],
  ])("are a warning when one is damaged, of %f days beside %f", async (damaged, sound) => {
    const list = [made("b", damaged, false), made("a", sound, true)];
    const found = await looked(list.toSorted((a, b) => (b.createdMs ?? 0) - (a.createdMs ?? 0)));

    expect(found).toMatchObject({
      status: "warning",
      advice: expect.stringMatching(/^b is damaged/),
    });
  });
});

describe("integrity", () => {
  const clock = new FakeClock();
  const looked = async (
    check: { readonly daysAgo: number; readonly problems: number } | undefined,
    backupDaysAgo?: number,
  ) => {
    const database = new SaidDatabase();
    const atMs = clock.nowMs() - (check?.daysAgo ?? 0) * DAY_MS;
    const value = JSON.stringify({ atMs, ms: 5, problems: check?.problems });
    database.read = async () => ({
      columns: [],
      rows: check === undefined ? [] : [[value]],
      changes: 0,
    });
    const createdMs = clock.nowMs() - (backupDaysAgo ?? 0) * DAY_MS;
    const list = backupDaysAgo === undefined ? [] : [{ name: "b", createdMs, verified: true }];
    const backups = { list: async () => list, sizeBytes: async () => 0 };
    return findingOf(await lookAfter({ database, backups }, { clock }).check(), "integrity");
  };

  it("is that of the last quick_check or of the last verified backup", async () => {
    expect(await looked(undefined)).toMatchObject({ status: "warning", found: "never checked" });
    expect(await looked({ daysAgo: 3, problems: 0 })).toMatchObject({
      status: "healthy",
      found: "sound 3 days ago, by quick_check",
    });
    expect(await looked({ daysAgo: 15, problems: 0 })).toMatchObject({ status: "warning" });
    expect(await looked({ daysAgo: 15, problems: 0 }, 1)).toMatchObject({
      status: "healthy",
      found: "sound 24 h ago, in a verified backup",
    });
  });

  it("does not count what was found in the future", async () => {
    expect(await looked(undefined, -26_000)).toMatchObject({
      status: "warning",
      found: "never checked",
    });
    expect(await looked({ daysAgo: -26_000, problems: 0 })).toMatchObject({
      status: "warning",
      found: expect.stringMatching(/^checked at 20\d\d-.*, which has yet to come/),
    });
    expect(await looked({ daysAgo: -26_000, problems: 0 }, 15)).toMatchObject({
      status: "warning",
      found: "sound 15 days ago, in a verified backup",
    });
    expect(await looked({ daysAgo: -26_000, problems: 2 }, 1)).toMatchObject({
      status: "unhealthy",
      found: expect.stringMatching(/^quick_check found 2 problems at .*, which has yet to come/),
      values: { problems: 2 },
    });
  });

  it("is lost when quick_check complains", async () => {
    expect(await looked({ daysAgo: 1, problems: 3 }, 2)).toMatchObject({
      status: "unhealthy",
      found: "quick_check found 3 problems 24 h ago",
    });
  });
});
