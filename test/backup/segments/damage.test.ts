/** Segments that were cut, altered, taken away, copied or moved: told with file and offset. */

import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readCatalog } from "../../../src/backup/segments/catalog.ts";
import { HEAD_NAME, Head, readHead } from "../../../src/backup/segments/head.ts";
import { parseSegmentName, segmentName } from "../../../src/backup/segments/names.ts";
import { planRestore } from "../../../src/backup/segments/plan.ts";
import { readLine } from "../../../src/backup/segments/read.ts";
import { SEGMENT_HEADER_BYTES } from "../../../src/backup/segments/segment.ts";
import { Choices } from "../../../src/testing/coherence/choices.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import { newFolder } from "../support.ts";
import { connect, contentHash, MemoryStore, type Rig, restoredFrom, ship } from "./support.ts";

/** Thirty transactions in a segment each, with the hash at each of them. */
interface Written {
  readonly objects: ReadonlyMap<string, Uint8Array>;
  readonly hashes: readonly string[];
}

let written: Promise<Written> | undefined;

async function write(): Promise<Written> {
  const path = join(newFolder(), "app.db");
  const database = connect(path);
  database.exec("CREATE TABLE t (id INTEGER PRIMARY KEY, filler BLOB)");
  const rig = ship(path);
  await rig.shipper.step();
  await rig.shipper.settled();
  const hashes = [contentHash(database)];
  for (let commit = 1; commit <= 30; commit++) {
    rig.clock.advance(1_000);
    database.exec("INSERT INTO t (filler) VALUES (randomblob(3000))");
    await rig.shipper.step();
    hashes.push(contentHash(database));
  }
  return { objects: rig.store.objects, hashes };
}

/** A store of its own for a test to damage, and what was written to it. */
class Copy extends MemoryStore {
  readonly hashes: readonly string[];

  constructor({ objects, hashes }: Written) {
    super();
    this.hashes = hashes;
    for (const [name, bytes] of objects) this.objects.set(name, Uint8Array.from(bytes));
  }

  /** The name of a segment of changes, by its sequence. */
  segment(sequence: number): string {
    const found = [...this.objects.keys()].find((name) => {
      const parsed = parseSegmentName(name);
      return parsed?.kind === "changes" && parsed.sequence === sequence;
    });
    if (found === undefined) throw new Error(`no segment ${sequence}`);
    return found;
  }

  bytes(name: string): Uint8Array {
    return this.objects.get(name) ?? new Uint8Array();
  }

  flip(name: string, at: number, bit = 0): void {
    const bytes = this.bytes(name);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
  }
}

async function newCopy(): Promise<Copy> {
  written ??= write();
  return new Copy(await written);
}

async function readAll(store: MemoryStore): Promise<void> {
  const plan = planRestore(await readCatalog(store), { kind: "latest" });
  for await (const _ of readLine(store, plan));
}

/** The latest moment cannot be restored, what lies before the damage can. */
async function expectBroken(store: Copy, failure: object, sound: number): Promise<void> {
  await expect(restoredFrom(store, { kind: "latest" })).rejects.toMatchObject(failure);
  const target = { kind: "transaction", transaction: sound } as const;
  expect(await restoredFrom(store, target)).toBe(store.hashes[sound]);
}

describe("a segment", () => {
  it("that was cut off is named with the byte at which it ends", async () => {
    for (const length of [0, 7, SEGMENT_HEADER_BYTES - 1, SEGMENT_HEADER_BYTES + 100]) {
      const store = await newCopy();
      const name = store.segment(12);
      store.objects.set(name, store.bytes(name).subarray(0, length));

      const failure = { code: "SEGMENT_DAMAGED", fields: { file: name, offset: length } };
      await expectBroken(store, failure, 11);
    }
  });

  it("that goes on after its end is damaged too", async () => {
    const store = await newCopy();
    const name = store.segment(12);
    const bytes = store.bytes(name);
    store.objects.set(name, Buffer.concat([bytes, Buffer.from([0])]));

    const failure = { code: "SEGMENT_DAMAGED", fields: { file: name, offset: bytes.length } };
    await expectBroken(store, failure, 11);
  });

  it("in which any one bit is another is never taken for sound, and is named", async () => {
    const choices = new Choices(7);
    for (let trial = 0; trial < 300; trial++) {
      const store = await newCopy();
      const names = [...store.objects.keys()].filter((name) => name.endsWith(".seg"));
      const name = choices.one(names);
      const at = choices.below(store.bytes(name).length);
      store.flip(name, at, choices.below(8));

      const failure = await readAll(store).catch((error: unknown) => error);

      expect(failure, `${name} at ${at}`).toMatchObject({
        code: "SEGMENT_DAMAGED",
        fields: { file: name },
      });
    }
  });

  it("whose pages were altered is named to within 4 KiB", async () => {
    const store = await newCopy();
    const name = store.segment(20);
    store.flip(name, SEGMENT_HEADER_BYTES + 50);

    const failure = {
      code: "SEGMENT_DAMAGED",
      fields: { file: name, offset: SEGMENT_HEADER_BYTES },
      message: expect.stringContaining("was altered"),
    };
    await expectBroken(store, failure, 19);
  });

  it("that is missing is noticed by the next one", async () => {
    const store = await newCopy();
    const [before, missing, after] = [11, 12, 13].map((sequence) => store.segment(sequence));
    store.objects.delete(missing ?? "");

    const reachesMs = parseSegmentName(before ?? "")?.timeMs;
    await expectBroken(store, { code: "SEGMENT_MISSING", fields: { file: after, reachesMs } }, 11);
  });

  it("that stands there twice under two names is told of, whichever name is first", async () => {
    for (const shift of [-500, 500]) {
      const store = await newCopy();
      const name = store.segment(12);
      const { timeMs = 0 } = parseSegmentName(name) ?? {};
      const twin = name.replace(String(timeMs), String(timeMs + shift));
      store.objects.set(twin, store.bytes(name));

      await expectBroken(store, { code: "SEGMENT_MISSING" }, 11);
    }
  });

  it("that stands in the place of another is told of", async () => {
    const store = await newCopy();
    const [one, two] = [store.segment(12), store.segment(13)];
    const [first, second] = [store.bytes(one), store.bytes(two)];
    store.objects.set(one, second);
    store.objects.set(two, first);

    const message = expect.stringContaining("was renamed or copied");
    await expectBroken(store, { code: "SEGMENT_DAMAGED", fields: { file: one }, message }, 11);
  });

  it("of another generation does not pass for one of this", async () => {
    const path = join(newFolder(), "other.db");
    const database = connect(path);
    const rig = ship(path);
    await rig.shipper.step();
    database.exec("CREATE TABLE t (a)");
    await rig.shipper.step();
    const foreign = [...rig.store.objects].find(([name]) => name.includes("/wal-"));
    const store = await newCopy();
    store.objects.set(store.segment(1), foreign?.[1] ?? new Uint8Array());

    const message = expect.stringContaining("another generation");
    await expectBroken(store, { code: "SEGMENT_DAMAGED", message }, 0);
  });
});

describe("a base", () => {
  it("of which a part is missing is none", async () => {
    const store = await newCopy();
    const base = [...store.objects.keys()].find((name) => name.includes("/base-"));
    store.objects.delete(base ?? "");

    await expect(restoredFrom(store, { kind: "latest" })).rejects.toMatchObject({
      code: "RESTORE_POINT_UNKNOWN",
      message: expect.stringContaining("no whole base"),
    });
  });
});

/** Two generations of a commit each, of which the newer has a base of two parts. */
async function writeTwice(): Promise<
  Pick<Rig, "store" | "clock"> & { path: string; endMs: number; nextMs: number }
> {
  const path = join(newFolder(), "app.db");
  const database = connect(path);
  database.exec("CREATE TABLE t (filler BLOB)");
  const first = ship(path);
  await first.shipper.step();
  await first.shipper.settled();
  await first.shipper.close();
  const endMs = first.clock.nowMs();
  for (let row = 0; row < 3; row++) database.exec("INSERT INTO t VALUES (randomblob(2000000))");
  database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  first.clock.advance(60_000);
  const second = ship(path, {}, first);
  await second.shipper.step();
  await second.shipper.settled();
  database.exec("DELETE FROM t");
  second.clock.advance(60_000);
  await second.shipper.step();
  await second.shipper.close();
  const { store, clock } = second;
  return { store, clock, path, endMs, nextMs: clock.nowMs() };
}

describe("a generation", () => {
  it.each([
    ["a part of its base", 1, "base-000000000000-000001-of-000002-"],
    ["its whole base", 2, "wal-0000000001-"],
  ])("without %s is not silently passed by for an earlier one", async (_, parts, file) => {
    const { store, endMs, nextMs } = await writeTwice();
    const [, newest = ""] = (await readCatalog(store)).map(({ folder }) => folder);
    const bases = [...store.objects.keys()].filter((name) => name.startsWith(`${newest}/base-`));
    await store.drop(bases.slice(0, parts));
    const generations = await readCatalog(store);

    for (const target of [{ kind: "latest" }, { kind: "time", timeMs: nextMs }] as const) {
      const failure = await restoredFrom(store, target).catch((error: unknown) => error);
      expect(failure).toMatchObject({
        code: "SEGMENT_MISSING",
        message: expect.stringContaining(`Restore to ${new Date(endMs).toISOString()}`),
        fields: { file: expect.stringContaining(`${newest}/${file}`), reachesMs: endMs },
      });
    }
    const asked = planRestore(generations, { kind: "time", timeMs: endMs });

    expect(bases).toHaveLength(2);
    expect(asked).toMatchObject({ reachesMs: endMs, nothingUntilMs: nextMs });
  });

  it("is restored to its end only, when a later base of it is not whole", async () => {
    const store = await newCopy();
    const name = store.segment(30);
    const { folder = "", timeMs = 0 } = parseSegmentName(name) ?? {};
    const part = { kind: "base", folder, sequence: 2, parts: 2, timeMs } as const;
    const base = segmentName(folder, { ...part, firstTransaction: 30, lastTransaction: 30 });
    store.objects.set(base, Buffer.from("the rest of a base"));
    expect(await restoredFrom(store, { kind: "latest" })).toBe(store.hashes[30]);
    store.objects.delete(name);

    const file = base.replace("000002-of", "000001-of");
    await expectBroken(store, { code: "SEGMENT_MISSING", fields: { file } }, 29);
  });
});

describe("the end of the segments", () => {
  it("that was taken away is told of, and what stands before it is restored", async () => {
    const store = await newCopy();
    store.objects.delete(store.segment(30));
    const reachesMs = parseSegmentName(store.segment(29))?.timeMs ?? 0;

    const failure = { code: "SEGMENT_MISSING", fields: { reachesMs } };
    for (const later of [{ kind: "latest" }, { kind: "time", timeMs: reachesMs + 1 }] as const) {
      await expect(restoredFrom(store, later)).rejects.toMatchObject(failure);
    }
    const asked = await restoredFrom(store, { kind: "time", timeMs: reachesMs });
    const inside = await restoredFrom(store, { kind: "time", timeMs: reachesMs - 1 });

    const target = { kind: "time", timeMs: reachesMs } as const;
    const plan = planRestore(await readCatalog(store), target, await readHead(store));
    expect(plan).toMatchObject({ reachesMs, nothingUntilMs: reachesMs + 1_000 });
    expect(asked).toBe(store.hashes[29]);
    expect(inside).toBe(store.hashes[28]);
  });

  it("that was taken away with its whole generation is told of too", async () => {
    const { store, endMs, nextMs } = await writeTwice();
    const [, newest = ""] = (await readCatalog(store)).map(({ folder }) => folder);
    await store.drop([...store.objects.keys()].filter((name) => name.startsWith(newest)));

    const failure = { code: "SEGMENT_MISSING", fields: { reachesMs: endMs } };
    await expect(restoredFrom(store, { kind: "latest" })).rejects.toMatchObject(failure);
    const later = { kind: "time", timeMs: nextMs } as const;
    await expect(restoredFrom(store, later)).rejects.toMatchObject(failure);
    await restoredFrom(store, { kind: "time", timeMs: endMs + 1 });
  });

  it("is told once a second at most, and after what it tells of", async () => {
    const path = join(newFolder(), "app.db");
    const database = connect(path);
    database.exec("CREATE TABLE t (a)");
    const rig = ship(path);
    await rig.shipper.step();
    await rig.shipper.settled();
    let heads = 0;
    const put = rig.store.put.bind(rig.store);
    rig.store.put = async (name, bytes) => {
      await put(name, bytes);
      if (name === HEAD_NAME) heads++;
    };

    for (let step = 0; step < 20; step++) {
      database.exec("INSERT INTO t VALUES (1)");
      rig.clock.advance(250);
      await rig.shipper.step();
      const [generation] = await readCatalog(rig.store);
      const [end] = (await readHead(rig.store)) ?? [];
      expect(end?.sequence).toBeLessThanOrEqual(generation?.changes.at(-1)?.sequence ?? 0);
    }
    await rig.shipper.settled();

    expect(heads).toBe(5);
    expect(await readHead(rig.store)).toMatchObject([{ sequence: 20, transaction: 20 }]);
  });

  it("is forgotten with segments that are older than what is kept", async () => {
    const { store } = await writeTwice();
    const [first, second] = (await readHead(store)) ?? [];
    const head = new Head(store, new FakeClock(), (await readHead(store)) ?? []);

    await head.forgetBefore((first?.timeMs ?? 0) + 1, second?.folder ?? "");

    expect(await readHead(store)).toEqual([second]);
  });

  it("that cannot be read is damaged, and no reason to stop shipping", async () => {
    const { store, path, clock } = await writeTwice();
    for (const text of ["", "null", '{"ends":[{}]}']) {
      store.objects.set(HEAD_NAME, Buffer.from(text));
      const fields = { file: HEAD_NAME };
      await expect(readHead(store)).rejects.toMatchObject({ code: "SEGMENT_DAMAGED", fields });
    }

    const next = ship(path, {}, { store, clock });
    await next.shipper.step();
    await next.shipper.settled();

    expect(await readHead(store)).toHaveLength(1);
  });
});

describe("a moment", () => {
  it("before the first base is refused with the first one that there is", async () => {
    const target = { kind: "time", timeMs: 1 } as const;

    await expect(restoredFrom(await newCopy(), target)).rejects.toMatchObject({
      code: "RESTORE_POINT_UNKNOWN",
      message: expect.stringContaining("The first moment that it knows is"),
    });
  });

  it("that is reached before the damage is restored", async () => {
    const store = await newCopy();
    const timeMs = parseSegmentName(store.segment(24))?.timeMs ?? 0;
    store.objects.delete(store.segment(25));

    const restored = await restoredFrom(store, { kind: "time", timeMs: timeMs + 999 });

    expect(restored).toBe(store.hashes[24]);
  });
});
