import { readFileSync, statSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import { hasOf } from "../../../src/testing/tier/context.ts";
import { readHead } from "../../../src/tier/file/entry-file.ts";
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

/** How often the files of keys say that they were read. */
function readsOf(folder: string, ...keys: string[]): Promise<unknown[]> {
  return Promise.all(
    keys.map(async (key) => {
      const found = await readHead(pathOf(folder, key));
      return found.state === "entry" ? found.head.accesses : found.state;
    }),
  );
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
    expect(await hasOf(second, ["read", "unread"])).toEqual([true, false]);
    const [found] = await second.getMany(["read"]);
    expect(found?.freshUntilMs).toBe(nowMs + 2_400);
  });

  it("keeps how often each entry was read, by all processes, though no read writes", async () => {
    const folder = temporaryFolder();
    const first = fileTier({ folder });
    await first.setMany([entry("read"), entry("unread")]);
    const second = fileTier({ folder });
    const before = readFileSync(pathOf(folder, "read"));
    for (const tier of [first, first, second]) await tier.getMany(["read"]);
    const unwritten = readFileSync(pathOf(folder, "read"));
    await first.close();
    await second.close();
    const third = open(folder);
    await third.getMany(["read"]);
    await hasOf(third, ["read", "unread"]);
    await third.close();

    expect(unwritten).toEqual(before);
    expect(await readsOf(folder, "read", "unread")).toEqual([4, 0]);
    const fourth = open(folder);
    await fourth.setMany([entry("read")]);
    expect(await readsOf(folder, "read")).toEqual([0]);
  });

  it("keeps how often an entry was read when its file is made anew to expire it", async () => {
    const folder = temporaryFolder();
    const first = fileTier({ folder });
    await first.setMany([entry("a")]);
    await first.getMany(["a"]);
    await first.close();
    const second = fileTier({ folder });
    await second.getMany(["a"]);

    await second.expireMany(["a"]);

    await second.getMany(["a"]);
    await second.close();
    expect(await readsOf(folder, "a")).toEqual([3]);
  });

  it("writes counts of reads with the time of the last one, before the end", async () => {
    const folder = temporaryFolder();
    const clock = new FakeClock(Date.UTC(2030, 0, 1));
    const tier = open(folder, { clock, sweepEvery: 0 });
    await tier.setMany([entry("a", { ...FOREVER, createdMs: clock.nowMs() })]);
    const file = readFileSync(pathOf(folder, "a"));

    await tier.getMany(["a"]);
    clock.advance(590_000);
    await tier.getMany(["a"]);
    clock.advance(5_000);
    const early = readFileSync(pathOf(folder, "a"));
    clock.advance(5_000);
    await tier.getMany(["a"]);
    clock.advance(5_000);

    expect(early).toEqual(file);
    await expect.poll(() => readsOf(folder, "a"), { interval: 1 }).toEqual([3]);
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
