import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createBackup } from "../../src/backup/create.ts";
import { removeBackup } from "../../src/backup/folder.ts";
import { type BackupEntry, listBackups } from "../../src/backup/list.ts";
import { type BackupKind, type Manifest, manifestText } from "../../src/backup/manifest.ts";
import { pinBackup } from "../../src/backup/pin.ts";
import { pruneBackups } from "../../src/backup/prune.ts";
import { restoreBackup } from "../../src/backup/restore.ts";
import { planRetention, type RetentionPolicy, resolvePolicy } from "../../src/backup/retention.ts";
import { verifyBackup } from "../../src/backup/verify.ts";
import { assert } from "../../src/core/assert.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { failureOf, fillDatabase, makePlace } from "./support.ts";

const DAY_MS = 86_400_000;
const NOW_MS = Date.UTC(2026, 10, 26, 12);

function entry(name: string, ageDays: number, more: Partial<BackupEntry> = {}): BackupEntry {
  return {
    name,
    path: name,
    sizeBytes: 1,
    createdAt: new Date(NOW_MS - ageDays * DAY_MS),
    pinned: false,
    verification: undefined,
    manifest: { kind: "scheduled" } as Manifest,
    problem: undefined,
    ...more,
  };
}

function ofKind(kind: BackupKind): Partial<BackupEntry> {
  return { manifest: { kind } as Manifest };
}

function kept(entries: readonly BackupEntry[], policy: RetentionPolicy): readonly string[] {
  return planRetention(entries, resolvePolicy("test", policy), NOW_MS)
    .filter(({ action }) => action === "keep")
    .map(({ name }) => name);
}

describe("retention", () => {
  it("keeps the last thirty when nothing is said", () => {
    const entries = Array.from({ length: 40 }, (_, age) => entry(`b${age}`, age));

    expect(kept(entries, {})).toEqual(entries.slice(0, 30).map(({ name }) => name));
  });

  it("keeps the newest of each day, week, month and year besides", () => {
    const ages = [0, 0.1, 1, 2, 8, 15, 40, 70, 400];
    const entries = ages.map((age) => entry(`age ${age}`, age));

    const policy = { keepLast: 1, keepDaily: 2, keepWeekly: 2, keepMonthly: 3, keepYearly: 2 };

    // A Thursday: the days 0 and 1, this week and the one before, November, October, September.
    expect(kept(entries, policy)).toEqual([
      "age 0",
      "age 1",
      "age 8",
      "age 40",
      "age 70",
      "age 400",
    ]);
  });

  it("never removes what says that it was made in the future, nor counts it", () => {
    const entries = [
      entry("of 2099", -26_000),
      entry("of tomorrow, before a restore", -1, ofKind("pre-restore")),
      entry("of a clock that is a little fast", -4 / (24 * 60)),
      entry("sound", 1),
      entry("old", 2),
    ];

    const policy = { keepLast: 2, keepYearly: 1 };

    expect(planRetention(entries, resolvePolicy("test", policy), NOW_MS)).toEqual([
      { name: "of 2099", action: "keep", reasons: ["in the future"] },
      { name: "of tomorrow, before a restore", action: "keep", reasons: ["in the future"] },
      {
        name: "of a clock that is a little fast",
        action: "keep",
        reasons: ["last 1", "year 2026"],
      },
      { name: "sound", action: "keep", reasons: ["last 2"] },
      { name: "old", action: "remove", reasons: ["older than all that is kept"] },
    ]);
  });

  it("never removes what is pinned, damaged or cannot be read, nor counts it", () => {
    const problem = { ok: false, verifiedAt: "", problem: "bad" } as const;
    const entries = [
      entry("damaged", 0, { verification: problem }),
      entry("unreadable", 0, { manifest: undefined, createdAt: undefined, problem: "bad" }),
      entry("pinned", 1, { pinned: true }),
      entry("new", 2),
      entry("old", 3),
    ];

    expect(kept(entries, { keepLast: 1 })).toEqual(["damaged", "unreadable", "pinned", "new"]);
  });

  it.each(["pre-restore", "pre-migration"] as const)("keeps %s for a month", (kind) => {
    const entries = [
      entry("new", 0),
      entry("young", 29, ofKind(kind)),
      entry("old", 31, ofKind(kind)),
    ];

    expect(kept(entries, { keepLast: 1 })).toEqual(["new", "young"]);
  });

  it("always keeps the newest, and more rules never keep less", () => {
    const count = fc.integer({ min: 0, max: 5 });
    const counts = fc.record({ keepDaily: count, keepWeekly: count, keepMonthly: count });
    const ages = fc.array(fc.double({ min: 0, max: 900, noNaN: true }), { minLength: 1 });
    fc.assert(
      fc.property(ages, fc.integer({ min: 1, max: 5 }), counts, (list, keepLast, more) => {
        const entries = list.map((age, at) => entry(`b${at}`, age));
        const few = kept(entries, { keepLast });
        const many = kept(entries, { keepLast, ...more });

        expect(few.length).toBe(Math.min(keepLast, list.length));
        expect(few.every((name) => many.includes(name))).toBe(true);
        const most = keepLast + more.keepDaily + more.keepWeekly + more.keepMonthly;
        expect(many.length).toBeLessThanOrEqual(most);
      }),
    );
  });

  it.each([{ keepLast: 0 }, { keepDaily: -1 }, { keepWeekly: 1.5 }, { keepAll: 1 }])(
    "refuses %j",
    async (policy) => {
      const { directory } = makePlace();

      expect((await failureOf(pruneBackups({ directory, ...policy }))).code).toBe(
        "INVALID_ARGUMENT",
      );
    },
  );
});

describe("the clean-up", () => {
  it("removes old backups, and nothing else that lies there", async () => {
    const { path, url, directory, folder } = makePlace();
    fillDatabase(path, 1);
    const clock = new FakeClock(NOW_MS);
    const make = async (name: string): Promise<void> => {
      clock.advance(DAY_MS);
      await createBackup({ url, directory, name, clock });
    };
    for (const name of ["a", "b", "c"]) await make(name);
    await pinBackup({ directory, name: "a", reason: "the first one" });
    mkdirSync(join(directory, "migration-20251229-101500/profiles"), { recursive: true });
    writeFileSync(join(folder, "outside"), "");
    symlinkSync(folder, join(directory, "linked"));

    const plan = await pruneBackups({ directory, keepLast: 1, dryRun: true, clock });
    const before = readdirSync(directory).sort();
    const report = await pruneBackups({ directory, keepLast: 1, clock });

    expect(before).toEqual(["a", "b", "c", "linked", "migration-20251229-101500"]);
    expect(plan).toEqual({ ...report, dryRun: true });
    expect(report.removed).toEqual(["b"]);
    expect(readdirSync(directory).sort()).toEqual([
      "a",
      "c",
      "linked",
      "migration-20251229-101500",
    ]);
    expect(readdirSync(folder).sort()).toContain("outside");
    await pinBackup({ directory, name: "a", pinned: false });
    expect((await pruneBackups({ directory, keepLast: 1, clock })).removed).toEqual(["a"]);
  });

  it.each([
    ["is missing", rmSync],
    ["has another size", (path: string) => truncateSync(path, 100)],
  ])("keeps the last sound backup when the data of a newer one %s", async (_, damage) => {
    const { path, url, directory } = makePlace();
    fillDatabase(path, 1);
    const clock = new FakeClock(NOW_MS);
    await createBackup({ url, directory, name: "sound", clock });
    clock.advance(DAY_MS);
    await createBackup({ url, directory, name: "broken", clock });
    damage(join(directory, "broken/database.zst"));

    const { removed, decisions } = await pruneBackups({ directory, keepLast: 1, clock });

    expect(removed).toEqual([]);
    expect(decisions).toEqual([
      { name: "broken", action: "keep", reasons: ["damaged"] },
      { name: "sound", action: "keep", reasons: ["last 1"] },
    ]);
  });

  it("never follows a link out of the folder", async () => {
    const { path, url, directory, folder } = makePlace();
    fillDatabase(path, 1);
    await createBackup({ url, directory, name: "real" });
    renameSync(join(directory, "real"), join(folder, "real"));
    symlinkSync(join(folder, "real"), join(directory, "real"));
    rmSync(join(folder, "real/verified.json"));
    const before = readdirSync(join(folder, "real"));

    const calls: (() => Promise<unknown>)[] = [
      () => pinBackup({ directory, name: "real" }),
      () => verifyBackup({ directory, name: "real" }),
      () => restoreBackup({ directory, name: "real", url: `sqlite:///${folder}/other.db` }),
    ];

    for (const call of calls) {
      const failure = await failureOf(call());
      expect(failure.code).toBe("BACKUP_NOT_FOUND");
      expect(failure.message).toContain("is a link");
    }
    expect(await listBackups({ directory })).toEqual([]);
    expect(readdirSync(join(folder, "real"))).toEqual(before);
  });

  it("never writes through a link, to whatever file of the backup it is named like", async () => {
    const { path, url, directory, folder } = makePlace();
    fillDatabase(path, 1);
    const { path: made } = await createBackup({ url, directory, name: "a" });
    const outside = join(folder, "outside");
    writeFileSync(outside, "of somebody else");
    for (const name of ["pinned.json.new", "verified.json.new", "owner.json"]) {
      symlinkSync(outside, join(made, name));
    }

    await pinBackup({ directory, name: "a", reason: "the first one" });
    await verifyBackup({ directory, name: "a" });

    const [{ pinned, verification } = { pinned: false, verification: undefined }] =
      await listBackups({ directory });
    expect([pinned, verification?.ok]).toEqual([true, true]);
    await removeBackup(directory, "a");
    expect(readFileSync(outside, "utf8")).toBe("of somebody else");
    expect(readdirSync(directory)).toEqual([]);
  });

  it("never takes data from another folder, whatever a manifest says", async () => {
    const { path, url, directory } = makePlace();
    fillDatabase(path, 1);
    const { manifest, path: made } = await createBackup({ url, directory, name: "a" });
    assert(manifest !== undefined, "a backup was made");
    const data = { ...manifest.data, file: "../database.zst" };
    writeFileSync(join(made, "manifest.json"), manifestText({ ...manifest, data }));

    expect((await listBackups({ directory }))[0]?.problem).toContain("no file of a backup");
    expect((await failureOf(verifyBackup({ directory, name: "a" }))).code).toBe("BACKUP_DAMAGED");
  });

  it.each(["../outside", "..", "a/../../outside", "/etc"])(
    "never leaves the folder: %j",
    async (name) => {
      const { directory } = makePlace();

      expect((await failureOf(removeBackup(directory, name))).code).toBe("INVALID_ARGUMENT");
      expect((await failureOf(pinBackup({ directory, name }))).code).toBe("INVALID_ARGUMENT");
    },
  );
});
