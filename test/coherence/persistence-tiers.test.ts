import { describe, expect, it } from "vitest";
import { sqliteTier } from "../../src/cache/index.ts";
import { open } from "../../src/index.ts";
import { ChaosTier } from "../../src/testing/chaos-tier.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import type { TierEntry } from "../../src/tier/tier.ts";
import { pass, turns } from "../cache/support.ts";
import { temporaryPath } from "../sqlite/support.ts";
import { warningsOf } from "../support/warnings.ts";
import { openStored, weeksFile } from "./persistence-support.ts";

/** A file whose tier has the seconds of week 1. */
async function stored() {
  const file = await weeksFile();
  const { db, seconds } = await openStored(file);
  expect(await seconds(1)).toBe(30);
  await db.close();
  return file;
}

describe("a tier that is not sound", () => {
  /** The seconds of week 1 through a tier that does as it is told. */
  async function openChaos(file: Awaited<ReturnType<typeof stored>>, clock?: FakeClock) {
    const chaos = new ChaosTier(sqliteTier({ path: file.tierPath }));
    const cache = { tiers: [chaos] };
    const opened = await openStored({ ...file, cache, ...(clock === undefined ? {} : { clock }) });
    return { ...opened, chaos };
  }

  const value = (entry: TierEntry | undefined) => entry?.value as Record<string, unknown>;
  const damages: readonly [string, (entry: TierEntry | undefined) => unknown][] = [
    ["no entry", () => ({})],
    ["another key", (entry) => ({ ...entry, key: "x" })],
    ["a bare value", (entry) => ({ ...entry, value: 31 })],
    ["no mark", (entry) => ({ ...entry, value: { ...value(entry), mark: "" } })],
    ["another mark", (entry) => ({ ...entry, value: { ...value(entry), mark: "7" } })],
    ["no number", (entry) => ({ ...entry, value: { ...value(entry), sequence: -1 } })],
    ["another form", (entry) => ({ ...entry, value: { ...value(entry), form: 0 } })],
    ["no footprint", (entry) => ({ ...entry, value: { ...value(entry), footprint: "[1,[7]]" } })],
    ["no list of uses", (entry) => ({ ...entry, value: { ...value(entry), uses: [["x"]] } })],
    ["no data", (entry) => ({ ...entry, value: { ...value(entry), value: () => 31 } })],
    ["no value", (entry) => ({ ...entry, value: { ...value(entry), value: undefined, form: 2 } })],
  ];

  it("is no reason to serve a damaged entry", async () => {
    warningsOf();
    const file = await stored();
    for (const [name, change] of damages) {
      const { db, seconds, counted, chaos } = await openChaos(file);
      chaos.fault = { kind: "corrupt", change };

      expect(await seconds(1), name).toBe(30);
      expect(counted.runs, name).toBe(1);
      await db.close();
    }
  });

  it("costs no caller more than a run: it throws", async () => {
    const warnings = warningsOf();
    const { db, seconds, chaos } = await openChaos(await stored());
    chaos.fault = { kind: "throw", error: new Error("broken") };

    expect([await seconds(1), await seconds(2), await seconds(3)]).toEqual([30, 70, null]);
    await db.close();
    expect(warnings.map(({ code }) => code)).toEqual(["RESULT_TIER_FAILED"]);
    expect(db.cacheStatistics().tiers["sqlite"]?.errors).toBeGreaterThan(2);
  });

  it("costs no caller more than a second: it hangs", async () => {
    const warnings = warningsOf();
    const clock = new FakeClock(Date.now());
    const { db, seconds, chaos } = await openChaos(await stored(), clock);
    chaos.fault = { kind: "hang" };

    const answer = seconds(1);
    while (chaos.calls["getMany"] === undefined) await turns();
    await pass(clock, 1_000);
    expect(await answer).toBe(30);
    expect(warnings.map(({ code }) => code)).toEqual(["RESULT_TIER_FAILED"]);
    chaos.fault = { kind: "none" };
    await db.close();
  });
});

describe("tiers", () => {
  it("are closed with the database, though nothing was cached", async () => {
    const { path, tierPath } = await weeksFile();
    const tier = sqliteTier({ path: tierPath });
    const db = await open({ url: `sqlite:///${path}`, cache: { tiers: [tier] } });

    await Promise.all([db.close(), db.close()]);

    await expect(tier.getMany(["a"])).rejects.toMatchObject({ code: "CLOSED" });
  });

  it("that cannot be are refused when the database is opened, as are versions", async () => {
    const file = await weeksFile();
    const [one, two] = [
      sqliteTier({ path: temporaryPath() }),
      sqliteTier({ path: temporaryPath() }),
    ];
    const openWith = (tiers: unknown) => openStored({ ...file, cache: { tiers: tiers as [] } });

    await expect(openWith([one, two])).rejects.toThrow(/two tiers have the name "sqlite"/);
    await expect(openWith([{ name: "x" }])).rejects.toThrow(/a tier; .* no method getMany/);
    await expect(openWith(one)).rejects.toThrow(/must be a list/);
    for (const version of ["", Number.NaN, {}]) {
      const cached = { version: version as number };
      await expect(openStored({ ...file, cached })).rejects.toThrow(/version must be/);
    }
  });
});
