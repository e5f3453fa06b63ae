/** The limits of a memory tier over all its rooms, and those of each room. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import { type MemoryTier, memoryTier } from "../../../src/tier/memory/memory-tier.ts";
import type { MemoryTierOptions } from "../../../src/tier/memory/options.ts";
import type { Partition } from "../../../src/tier/memory/partition.ts";
import type { RoomOptions } from "../../../src/tier/memory/room.ts";
import type { RoomLimits } from "../../../src/tier/memory/rooms.ts";
import type { TierEntry } from "../../../src/tier/tier.ts";
import { turns } from "../../cache/support.ts";

const KB = 1_024;
/** What the tags of a test may leave to those who stay. */
const TAGS_BYTES_MAX = 2 * KB;
const POLICIES = ["w-tinylfu", "lru", "lfu", "fifo"] as const;

interface Opened {
  readonly tier: MemoryTier;
  readonly clock: FakeClock;
  /** One for each room that is asked for. */
  readonly parts: readonly Partition[];
  /** Sets a text of so many characters. */
  set(part: Partition | undefined, key: string, size?: number, tags?: readonly string[]): string;
}

function open(options: MemoryTierOptions, rooms: readonly (RoomOptions | undefined)[]): Opened {
  const clock = new FakeClock();
  const tier = memoryTier({ clock, sweepEvery: 0, ...options });
  const parts = rooms.map((room, index) => tier.partition(`${index}/`, room, "frozen"));
  const set: Opened["set"] = (part, key, size = 1, tags = []) =>
    (part as Partition).put(key, entry(clock, "x".repeat(size), tags));
  return { tier, clock, parts, set };
}

function entry(clock: FakeClock, value: string, tags: readonly string[]): TierEntry {
  const createdMs = clock.nowMs();
  const times = { createdMs, freshUntilMs: createdMs + 1_000, keepUntilMs: createdMs + 2_000 };
  return {
    key: "",
    value,
    category: "c",
    ...times,
    slidingMs: 0,
    tags,
    loadMs: 0,
    etag: undefined,
  };
}

describe("the limits of a memory tier", () => {
  it.each(POLICIES)("are held by all rooms together: entries, %s", (policy) => {
    const { tier, parts, set } = open({ maxEntries: 100, policy: "lru" }, [
      { policy },
      { maxBytes: "50MB" },
      { maxEntries: 1_000 },
      undefined,
    ]);

    for (const part of parts) for (let key = 0; key < 500; key++) set(part, `k${key}`);

    expect(tier.statistics()).toMatchObject({ entries: 100, evictions: 1_900, sets: 2_000 });
    expect(parts.map(({ size }) => size)).toEqual([25, 25, 25, 25]);
  });

  it.each(POLICIES)("are held by all rooms together: bytes, %s", (policy) => {
    const { tier, parts, set } = open({ maxBytes: 100 * KB, policy: "lru" }, [
      { policy },
      { maxEntries: 500 },
      undefined,
    ]);

    for (const part of parts) for (let key = 0; key < 100; key++) set(part, `k${key}`, 5 * KB);

    expect(tier.statistics().bytes).toBeLessThanOrEqual(100 * KB);
    expect(tier.statistics().bytes).toBeGreaterThan(85 * KB);
    for (const { size } of parts) expect(size).toBeGreaterThan(4);
  });

  it("take entries from the largest room, and leave small ones alone", () => {
    const { parts, set } = open({ maxEntries: 20, policy: "lru" }, [undefined, { maxEntries: 5 }]);
    const [large, small] = parts;
    for (let key = 0; key < 3; key++) set(small, `k${key}`);

    for (let key = 0; key < 50; key++) set(large, `k${key}`);
    expect(parts.map(({ size }) => size)).toEqual([17, 3]);

    set(small, "one more");
    expect(parts.map(({ size }) => size)).toEqual([16, 4]);
    expect(large?.hasFresh("k33")).toBe(false);
    expect(large?.hasFresh("k34")).toBe(true);
  });

  it("take bytes from the room that has most bytes, however few entries they are", () => {
    const { parts, set } = open({ maxBytes: 100 * KB, policy: "lru" }, [{ policy: "lru" }, {}]);
    const [few, many] = parts;
    for (let key = 0; key < 20; key++) set(many, `k${key}`);

    for (let key = 0; key < 20; key++) set(few, `k${key}`, 9 * KB);

    expect(many?.size).toBe(20);
    expect(few?.size).toBe(9);
  });

  it("leave the entry that has just come, also where it is the largest of all", () => {
    const { parts, set } = open({ maxBytes: 10 * KB, maxEntryBytes: "8KB" }, [{}, {}]);
    const [one, other] = parts;
    for (let key = 0; key < 4; key++) set(other, `k${key}`, 1_500);

    expect(set(one, "big", 7 * KB)).toBe("stored");

    expect(one?.hasFresh("big")).toBe(true);
    expect(other?.size).toBe(1);
  });

  it("hear the hits of a room in which nothing comes and from which others take", () => {
    const { parts, set } = open({ maxEntries: 300 }, [{ policy: "lru" }, { policy: "lru" }]);
    const [read, written] = parts;
    const wanted = Array.from({ length: 100 }, (_, index) => `k${20 + index}`);
    for (let key = 0; key < 200; key++) set(read, `k${key}`);
    // All that was saved up is used, so that only a trickle of the hits would be heard.
    for (let hit = 0; hit < 200 * 256; hit++) read?.findValue("k199");

    for (let key = 0; key < 150; key++) {
      set(written, `k${key}`);
      for (const one of wanted) read?.findValue(one);
    }

    expect(wanted.filter((key) => read?.hasFresh(key) !== true)).toEqual([]);
    expect(read?.size).toBe(150);
  });

  it("take what was dropped in any room before what lives", () => {
    const { tier, parts, set } = open({ maxEntries: 20 }, [{ maxEntries: 15 }, { policy: "lru" }]);
    const [dropped, living] = parts;
    for (let key = 0; key < 10; key++) set(dropped, `k${key}`, 1, ["t"]);
    for (let key = 0; key < 10; key++) set(living, `k${key}`);

    tier.dropTagsNow(["t"]);
    for (let key = 10; key < 20; key++) set(living, `k${key}`);

    expect(living?.size).toBe(20);
    expect(tier.statistics()).toMatchObject({ entries: 20, evictions: 0, drops: 10 });
  });

  it("are those of a room that asks for more", () => {
    const { parts, set } = open({ maxEntries: 10, maxBytes: "1MB" }, [
      { maxEntries: Number.POSITIVE_INFINITY, maxBytes: "1GB" },
    ]);
    const [part] = parts;

    expect(part?.room.limits).toEqual({
      maxEntries: 10,
      maxBytes: KB * KB,
      maxEntryBytes: KB * 102.4,
    });
    for (let key = 0; key < 30; key++) set(part, `k${key}`);
    expect(part?.size).toBe(10);
  });
});

describe("the largest entry of a room", () => {
  it("is one that takes all of its bytes, if the tier takes it", () => {
    const { parts, set } = open({}, [{ maxBytes: "20KB" }]);
    const [part] = parts;

    expect(set(part, "large", 19 * KB)).toBe("stored");
    expect(part?.hasFresh("large")).toBe(true);
    expect(set(part, "too large", 21 * KB)).toBe("too-large");
  });

  it.each([
    ["8MB", 3_000_000, "stored"],
    ["1KB", 50_000, "too-large"],
  ] as const)("is at most the tier's maxEntryBytes of %s", (maxEntryBytes, size, outcome) => {
    const { parts, set } = open({ maxBytes: "10MB", maxEntryBytes }, [
      undefined,
      { maxEntries: 5 },
      { policy: "lru" },
      { maxBytes: "9MB" },
    ]);

    expect(parts.map((part) => set(part, "k", size))).toEqual(new Array(4).fill(outcome));
  });

  it.each(POLICIES)("to the byte, is there when it is read at once: %s", (policy) => {
    const { parts, set } = open({}, [{ policy, maxBytes: 20 * KB }]);
    const [part] = parts;
    for (let key = 0; key < 50; key++) set(part, `k${key}`, 500);

    set(part, "probe", 10 * KB);
    const [probe] = [...(part as Partition).entries()].filter(({ key }) => key === "probe");
    const beside = (probe?.bytes ?? 0) - 10 * KB;
    for (const key of ["large", "again"]) {
      expect(set(part, key, 20 * KB - beside)).toBe("stored");
      expect(part?.hasFresh(key)).toBe(true);
    }

    expect(part?.size).toBe(1);
  });

  it("leaves the room to those that come after it", () => {
    const { parts, set } = open({}, [{ maxBytes: 100 * KB }]);
    const [part] = parts;
    set(part, "large", 90 * KB);

    for (let key = 0; key < 100; key++) set(part, `k${key}`, KB);

    expect(part?.hasFresh("large")).toBe(false);
    expect(part?.size).toBeGreaterThan(55);
  });
});

const roomOptions = fc.record(
  {
    policy: fc.constantFrom(...POLICIES),
    maxEntries: fc.integer({ min: 1, max: 15 }),
    maxBytes: fc.integer({ min: 1_000, max: 20_000 }),
  },
  { requiredKeys: [] },
);

const tierOptions = fc.record(
  {
    policy: fc.constantFrom(...POLICIES),
    maxEntries: fc.integer({ min: 1, max: 25 }),
    maxBytes: fc.integer({ min: 3_000, max: 30_000 }),
    maxEntryBytes: fc.integer({ min: 1_000, max: 30_000 }),
  },
  { requiredKeys: [] },
);

const step = fc.record({
  do: fc.constantFrom(
    ...(["set", "set", "set", "set", "set", "find", "find", "drop", "dropTag"] as const),
    ...(["dropPrefix", "clear", "clearAll", "pass", "sweep", "turn"] as const),
  ),
  part: fc.nat(4),
  at: fc.nat(20),
  size: fc.oneof(fc.nat(50), fc.nat(1_500), fc.nat(9_000)),
  ms: fc.nat(900),
});

describe("a memory tier of several rooms", () => {
  it("holds all limits and has the newest entry, whatever happens in whatever order", async () => {
    const limits = fc.tuple(tierOptions, fc.tuple(roomOptions, roomOptions, roomOptions));
    await fc.assert(
      fc.asyncProperty(
        limits,
        fc.array(step, { maxLength: 60, size: "max" }),
        async ([options, rooms], steps) => {
          const opened = open(options, [...rooms, undefined, undefined]);
          const { tier, clock, parts } = opened;
          for (const { do: what, part: number, at, size, ms } of steps) {
            const part = parts[number] as Partition;
            const key = `k${at % 3}:${at}`;
            const tags = at % 2 === 0 ? [`t${at % 3}`, "all"] : [];
            if (what === "set") {
              const outcome = opened.set(part, key, size, tags);
              expect(part.findValue(key)?.toString().length).toBe(
                outcome === "stored" ? size : undefined,
              );
              if (outcome === "stored") checkBytes(opened, part);
            } else if (what === "find") part.findValue(key);
            else if (what === "drop") part.drop(key);
            else if (what === "dropTag") tier.dropTagsNow([`t${at % 3}`]);
            else if (what === "dropPrefix") part.dropPrefix(`k${at % 3}`);
            else if (what === "clear") part.clear();
            else if (what === "clearAll" && at < 5) await tier.clear();
            else if (what === "pass") clock.advance(ms);
            else if (what === "sweep") await tier.sweep();
            else if (what === "turn") await turns(1);
            check(opened);
          }
          await tier.clear();
          await tier.sweep();
          expect(tier.statistics()).toMatchObject({ entries: 0, bytes: 0 });
          await tier.close();
        },
      ),
      { numRuns: 400 },
    );
  }, 60_000);
});

/** After an entry came to a part: nothing but the growth of tables is beyond a limit of bytes. */
function checkBytes({ parts }: Opened, last: Partition): void {
  const rooms = [...new Set(parts.map(({ room }) => room))];
  const all = rooms.reduce((sum, { boundBytes }) => sum + boundBytes, 0);
  const entries = rooms.reduce((sum, room) => sum + room.entries, 0);
  if (entries > 1) expect(all).toBeLessThanOrEqual(limitsOf(parts).maxBytes);
  if (last.room.entries > 1) {
    expect(last.room.boundBytes).toBeLessThanOrEqual(last.room.limits.maxBytes);
  }
}

/** At any time, but for what tags leave to others; whoever has to go for it goes with the next. */
function check({ tier, parts }: Opened): void {
  const { maxEntries, maxBytes } = limitsOf(parts);
  const { entries, bytes } = tier.statistics();
  const tables = parts.reduce((sum, { tableBytes }) => sum + tableBytes, 0);
  expect(entries).toBeLessThanOrEqual(maxEntries);
  expect(bytes - tables).toBeLessThanOrEqual(maxBytes + TAGS_BYTES_MAX);
  for (const { room } of parts) {
    expect(room.entries).toBeLessThanOrEqual(room.limits.maxEntries);
    expect(room.bytes - tables).toBeLessThanOrEqual(room.limits.maxBytes + TAGS_BYTES_MAX);
  }
}

/** Those of the tier, which the last part shares. */
function limitsOf(parts: readonly Partition[]): RoomLimits {
  const [last] = parts.slice(-1) as [Partition];
  return last.room.limits;
}
