import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  ACCESS_AT,
  ACCESS_BYTES,
  addAccesses,
  type EntryMeta,
  encodeAccess,
  encodeEntry,
  type Found,
  META_BYTES_MAX,
  readEntry,
  readHead,
} from "../../../src/tier/file/entry-file.ts";
import { temporaryFolder } from "./support.ts";

const META: EntryMeta = {
  key: "a\0\ud800 key",
  category: "charts",
  createdMs: 1_000,
  freshUntilMs: 2_000,
  keepUntilMs: Number.POSITIVE_INFINITY,
  slidingMs: 0,
  tags: ["one", "two"],
  loadMs: 1.5,
  etag: undefined,
  codec: "json",
  log: "log",
  at: 7,
};

function written(bytes: Uint8Array | undefined): string {
  const path = join(temporaryFolder(), "entry");
  writeFileSync(path, bytes ?? "");
  return path;
}

function entryOf(found: Found): Found & { state: "entry" } {
  expect(found.state).toBe("entry");
  return found as Found & { state: "entry" };
}

describe("the file of an entry", () => {
  it("gives back metadata and body, whatever their lengths", async () => {
    const meta = fc.record({
      key: fc.string({ unit: "binary", maxLength: 20_000, size: "max" }),
      category: fc.string(),
      createdMs: fc.integer({ min: 0 }),
      freshUntilMs: fc.constantFrom(5, Number.POSITIVE_INFINITY),
      keepUntilMs: fc.constantFrom(5, Number.POSITIVE_INFINITY),
      slidingMs: fc.constantFrom(0, 5, Number.POSITIVE_INFINITY),
      tags: fc.array(fc.string()),
      loadMs: fc.nat(),
      etag: fc.option(fc.string(), { nil: undefined }),
      codec: fc.string(),
      log: fc.string(),
      at: fc.maxSafeNat(),
    });
    const body = fc.uint8Array({ maxLength: 40_000, size: "max" });
    const path = written(undefined);
    await fc.assert(
      fc.asyncProperty(meta, body, fc.nat(50_000), async (given, bytes, expected) => {
        writeFileSync(path, encodeEntry(given, bytes) ?? "");

        const found = entryOf(await readEntry(path, expected));
        expect(found.head.meta).toEqual(given);
        expect(Buffer.from(found.body)).toEqual(Buffer.from(bytes));
        expect(entryOf(await readHead(path)).head).toEqual(found.head);
      }),
      { numRuns: 100 },
    );
  });

  it("is damaged whatever bit of it changes, but for what it says of reads", async () => {
    const file = encodeEntry(META, Buffer.from("body")) ?? Buffer.alloc(0);
    const path = written(file);
    for (let at = 0; at < file.length; at++) {
      const changed = Buffer.from(file);
      changed[at] = (changed[at] ?? 0) ^ 4;
      writeFileSync(path, changed);
      const { state } = await readEntry(path);

      const isAccess = at >= ACCESS_AT && at < ACCESS_AT + ACCESS_BYTES;
      // The last character of "SHF2": another version.
      expect([at, state]).toEqual([at, isAccess ? "entry" : at === 3 ? "foreign" : "damaged"]);
    }
  });

  it("is damaged wherever it is torn", async () => {
    const file = encodeEntry(META, Buffer.from("body")) ?? Buffer.alloc(0);
    const path = written(file);
    for (let length = 0; length < file.length; length++) {
      writeFileSync(path, file.subarray(0, length));

      expect([length, (await readEntry(path)).state]).toEqual([length, "damaged"]);
    }
  });

  it("may claim any length and nothing is allocated for it", async () => {
    const file = encodeEntry(META, Buffer.from("body")) ?? Buffer.alloc(0);
    for (const at of [8, 12]) {
      const claim = Buffer.from(file);
      claim.writeUInt32LE(0xffff_fff0, at);

      expect((await readEntry(written(claim))).state).toBe("damaged");
    }
  });

  it("is absent, a folder, empty, or of another version", async () => {
    const folder = temporaryFolder();

    expect(await readEntry(join(folder, "none"))).toEqual({ state: "absent" });
    expect(await readEntry(join(written(undefined), "below a file"))).toEqual({ state: "absent" });
    expect(await readEntry(folder)).toEqual({ state: "damaged" });
    expect(await readEntry(written(undefined))).toEqual({ state: "damaged" });
    for (const [magic, isOlder] of [
      ["SHF1", true],
      ["SHF3", false],
    ] as const) {
      const path = written(Buffer.from(magic.padEnd(100)));

      expect(await readHead(path)).toEqual({ state: "foreign", isOlder });
    }
  });

  it("is refused when its metadata is too long", () => {
    expect(encodeEntry({ ...META, key: "k".repeat(META_BYTES_MAX) }, new Uint8Array())).toBe(
      undefined,
    );
  });

  it("remembers its reads in place, and not when that was half written", async () => {
    const path = written(encodeEntry(META, Buffer.from("body")));
    const access = async (): Promise<unknown> => {
      const { accessedMs, accesses } = entryOf(await readEntry(path)).head;
      return { accessedMs, accesses };
    };
    const write = (bytes: Uint8Array): void => {
      const file = readFileSync(path);
      file.set(bytes, ACCESS_AT);
      writeFileSync(path, file);
    };
    const none = { accessedMs: META.createdMs, accesses: 0 };

    expect(await access()).toEqual(none);
    write(encodeAccess({ accessedMs: 5_000, accesses: 3 }));
    expect(await access()).toEqual({ accessedMs: 5_000, accesses: 3 });
    write(encodeAccess({ accessedMs: 6_000, accesses: 4 }).subarray(0, 8));
    expect(await access()).toEqual(none);
    write(encodeAccess({ accessedMs: Number.NaN, accesses: 4 }));
    expect(await access()).toEqual({ accessedMs: META.createdMs, accesses: 4 });
  });

  it("adds reads to those it has, up to what 32 bits hold, but not in another version", async () => {
    const path = written(encodeEntry(META, Buffer.from("body")));
    await addAccesses(path, { accessedMs: 6_000, accesses: 2 });
    await addAccesses(path, { accessedMs: 5_000, accesses: 3 });
    const sum = entryOf(await readEntry(path)).head;
    await addAccesses(path, { accessedMs: 5_000, accesses: 2 ** 32 - 2 });
    const most = entryOf(await readEntry(path)).head;
    const older = written(Buffer.from("SHF1".padEnd(100)));
    await addAccesses(older, { accessedMs: 5_000, accesses: 1 });

    expect(sum).toMatchObject({ accessedMs: 6_000, accesses: 5 });
    expect(most.accesses).toBe(2 ** 32 - 1);
    expect(readFileSync(older, "latin1")).toBe("SHF1".padEnd(100));
  });
});
