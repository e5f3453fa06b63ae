import { statSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import { fileTier } from "../../../src/tier/file/file-tier.ts";
import type { FileTierOptions } from "../../../src/tier/file/options.ts";
import type { Tier } from "../../../src/tier/tier.ts";
import {
  closing,
  entry,
  entryFilesIn,
  FOREVER,
  listed,
  pathOf,
  temporaryFolder,
  valuesOf,
} from "./support.ts";

function open(folder: string, options: FileTierOptions = {}): Tier {
  return closing(fileTier({ folder, ...options }));
}

describe("a restart", () => {
  it("finds entries, tags, counts and drops as they were", async () => {
    const folder = temporaryFolder();
    const first = fileTier({ folder });
    await first.setMany([
      entry("a", { tags: ["t"], category: "charts" }),
      entry("b", { tags: ["u"] }),
      entry("user:1"),
      entry("c"),
    ]);
    await first.dropTags(["u"]);
    await first.dropPrefix("user:");
    const { bytes } = first.statistics();
    await first.close();

    const second = open(folder);
    expect(await listed(second)).toEqual(["a", "c"]);
    expect(second.statistics()).toMatchObject({ entries: 2 });
    expect(second.statistics().bytes).toBeLessThanOrEqual(bytes);
    await second.dropTags(["t"]);
    expect(await valuesOf(second, "a", "b", "c")).toEqual([undefined, undefined, "value of c"]);
  });

  it("does not undo clear", async () => {
    const folder = temporaryFolder();
    const first = fileTier({ folder });
    await first.setMany([entry("a"), entry("b")]);
    await first.clear();
    await first.setMany([entry("b", { value: "new" })]);
    await first.close();

    const second = open(folder);
    expect(await valuesOf(second, "a", "b")).toEqual([undefined, "new"]);
    await second.sweep();
    expect(entryFilesIn(folder)).toHaveLength(1);
  });

  it("keeps the renewals of sliding entries, though no read writes", async () => {
    const folder = temporaryFolder();
    const clock = new FakeClock(Date.UTC(2030, 0, 1));
    const nowMs = clock.nowMs();
    const life = { freshUntilMs: nowMs + 1_000, keepUntilMs: nowMs + 1_000, slidingMs: 1_000 };
    const first = fileTier({ folder, clock });
    await first.setMany(["read", "unread"].map((key) => entry(key, { createdMs: nowMs, ...life })));
    const { mtimeMs } = statSync(pathOf(folder, "read"));

    clock.advance(900);
    await first.getMany(["read"]);
    expect(statSync(pathOf(folder, "read")).mtimeMs).toBe(mtimeMs);
    await first.close();
    clock.advance(500);

    const second = open(folder, { clock });
    expect(await second.hasMany(["read", "unread"])).toEqual([true, false]);
    const [found] = await second.getMany(["read"]);
    expect(found?.freshUntilMs).toBe(nowMs + 2_400);
  });

  it("knows what another process has renewed, in lists and sweeps as well", async () => {
    const folder = temporaryFolder();
    const clock = new FakeClock(Date.UTC(2030, 0, 1));
    const nowMs = clock.nowMs();
    const life = { freshUntilMs: nowMs + 1_000, keepUntilMs: nowMs + 1_000, slidingMs: 1_000 };
    const here = open(folder, { clock, sweepEvery: "1d" });
    await here.setMany([entry("a", { createdMs: nowMs, ...life })]);
    const there = fileTier({ folder, clock, sweepEvery: "1d" });
    clock.advance(900);
    await there.getMany(["a"]);
    await there.close();
    clock.advance(500);

    expect(await listed(here)).toEqual(["a"]);
    expect(await here.sweep()).toEqual({ expired: 0, reclaimed: 0 });
    clock.advance(500);
    expect(await listed(here)).toEqual([]);
  });

  it("keeps the order of eviction", async () => {
    const folder = temporaryFolder();
    const clock = new FakeClock(Date.UTC(2030, 0, 1));
    const made = (key: string) => entry(key, { ...FOREVER, createdMs: clock.nowMs() });
    const first = fileTier({ folder, clock });
    await first.setMany([made("read"), made("unread")]);
    clock.advance(700_000);
    await first.getMany(["read"]);
    await first.close();

    const second = open(folder, { clock, maxEntries: 2 });
    expect(await listed(second)).toEqual(["read", "unread"]);
    await second.setMany([made("new")]);
    expect(await listed(second)).toEqual(["new", "read"]);
  });

  it("holds bounds that were lowered meanwhile", async () => {
    const folder = temporaryFolder();
    const first = fileTier({ folder });
    await first.setMany(Array.from({ length: 60 }, (_, at) => entry(`key ${at}`)));
    await first.close();

    const second = open(folder, { maxEntries: 10 });
    await second.sweep();

    expect(await listed(second)).toHaveLength(10);
    expect(entryFilesIn(folder)).toHaveLength(10);
  });
});
