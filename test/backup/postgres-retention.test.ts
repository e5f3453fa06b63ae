/** Dumps of a folder, which needs no server: listing, pinning and removing them. */

import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { listPostgresDumps, type PostgresDump } from "../../src/backup/postgres-list.ts";
import { pinPostgresDump, prunePostgresDumps } from "../../src/backup/postgres-retention.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { failureOf, newFolder } from "./support.ts";

const DAY_MS = 86_400_000;
const NOW_MS = Date.UTC(2026, 10, 26, 12);
const clock = new FakeClock(NOW_MS);

/** A dump that was made so many days ago. */
function addDump(directory: string, name: string, ageDays = 0, more: object = {}): void {
  const manifest: PostgresDump = {
    format: "springhouse-postgres-dump",
    name,
    createdAt: new Date(NOW_MS - ageDays * DAY_MS).toISOString(),
    sizeBytes: 4,
    sha256: "",
    tables: [],
    proof: "restored",
    ...more,
  };
  writeFileSync(join(directory, `${name}.dump`), "four");
  writeFileSync(join(directory, `${name}.dump.json`), JSON.stringify(manifest));
}

describe("a list of dumps", () => {
  it.each([
    ["is no JSON", "{", "is no JSON"],
    ["is null", "null", "not about a dump"],
    ["is of something else", { format: "zip" }, "not about a dump"],
    ["is of another dump", { name: "other" }, 'about "other"'],
    ["lacks a time", { createdAt: undefined }, "a part of what it should say"],
    ["has no tables", { tables: [null] }, "a part of what it should say"],
  ])("has one whose description %s, as damaged and last", async (_, damage, problem) => {
    const directory = newFolder();
    addDump(directory, "good", 100);
    addDump(directory, "no name");
    const path = join(directory, "bad.dump.json");
    addDump(directory, "bad", 0, typeof damage === "string" ? {} : damage);
    if (typeof damage === "string") writeFileSync(path, damage);

    const dumps = await listPostgresDumps(directory);

    expect(dumps.map(({ name }) => name)).toEqual(["good", "bad"]);
    expect(dumps[0]?.problem).toBe(undefined);
    expect(dumps[1]).toMatchObject({ manifest: undefined, createdAt: undefined, sizeBytes: 4 });
    expect(dumps[1]?.problem).toContain(path);
    expect(dumps[1]?.problem).toContain(problem);
  });

  it("is empty where there is no folder, and an error where it cannot be read", async () => {
    const folder = newFolder();
    writeFileSync(join(folder, "file"), "");

    expect(await listPostgresDumps(join(folder, "none"))).toEqual([]);
    expect((await failureOf(listPostgresDumps(join(folder, "file")))).message).toContain("ENOTDIR");
  });
});

describe("the clean-up of dumps", () => {
  it("keeps what the rules say, what is pinned and what is damaged", async () => {
    const directory = newFolder();
    for (const age of [0, 1, 2, 40]) addDump(directory, `age${age}`, age);
    addDump(directory, "cut", 3, { sizeBytes: 5 });
    addDump(directory, "bad");
    writeFileSync(join(directory, "bad.dump.json"), "");
    writeFileSync(join(directory, "other.dump"), "of somebody else");
    await pinPostgresDump({ directory, name: "age2", reason: "before the move" });
    const options = { directory, keepLast: 1, keepMonthly: 2, clock };

    const plan = await prunePostgresDumps({ ...options, dryRun: true });
    const before = readdirSync(directory).length;
    const report = await prunePostgresDumps(options);

    expect(plan).toEqual({ ...report, dryRun: true });
    expect(before).toBe(14);
    expect(report).toMatchObject({ removed: ["age1"], freedBytes: 4 });
    expect(report.decisions.map(({ name, reasons }) => [name, reasons])).toEqual([
      ["age0", ["last 1", "month 2026-11"]],
      ["age1", ["older than all that is kept"]],
      ["age2", ["pinned"]],
      ["cut", ["damaged"]],
      ["age40", ["month 2026-10"]],
      ["bad", ["cannot be read"]],
    ]);
    expect(readdirSync(directory).filter((name) => /age1|work/.test(name))).toEqual([]);
    expect(readdirSync(directory)).toHaveLength(12);
    await pinPostgresDump({ directory, name: "age2", pinned: false });
    expect((await prunePostgresDumps(options)).removed).toEqual(["age2"]);
    expect(readdirSync(directory).filter((name) => name.startsWith("age2"))).toEqual([]);
  });

  it("never counts one that was only read, and keeps it for a month", async () => {
    const directory = newFolder();
    addDump(directory, "restored", 35);
    const ages = { young: 2, old: 32, oldest: 40 };
    for (const [name, age] of Object.entries(ages))
      addDump(directory, name, age, { proof: "read" });

    const options = { directory, keepLast: 1, clock };
    expect((await prunePostgresDumps(options)).removed).toEqual(["oldest"]);
    rmSync(join(directory, "restored.dump"));

    // Nothing is left that is known to be sound, so nothing is removed.
    expect((await prunePostgresDumps(options)).removed).toEqual([]);
  });

  it("does not count one of the future, nor removes it", async () => {
    const directory = newFolder();
    addDump(directory, "future", -26_000);
    addDump(directory, "read", 40, { proof: "read" });
    addDump(directory, "restored", 50);

    const { removed } = await prunePostgresDumps({ directory, keepLast: 1, clock });

    // The one that was only read is newer than the last one that is known to be sound.
    expect(removed).toEqual([]);
  });

  it("pins only what there is, by a name that stays in the folder", async () => {
    const directory = newFolder();
    mkdirSync(join(directory, "nightly"));

    const missing = await failureOf(pinPostgresDump({ directory, name: "nightly" }));
    const outside = await failureOf(pinPostgresDump({ directory, name: "../nightly" }));

    expect([missing.code, outside.code]).toEqual(["BACKUP_NOT_FOUND", "INVALID_ARGUMENT"]);
    expect(readdirSync(directory)).toEqual(["nightly"]);
  });
});
