import { randomBytes } from "node:crypto";
import { constants, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Payload, type PayloadSettings, pack, unpack } from "../../src/tier/payload.ts";

const PLAIN: PayloadSettings = {
  compression: "none",
  compressFromBytes: 1_024,
  encryptionKey: undefined,
};
const SECRET = randomBytes(32);
const TEXT = "the same words again and again. ".repeat(100);

async function corrupt(key: string, payload: Payload, secret?: Uint8Array): Promise<void> {
  await expect(unpack(key, payload, secret)).rejects.toMatchObject({
    code: "CORRUPT",
    fields: { key },
  });
}

describe("a payload", () => {
  it.each([
    ["json", PLAIN],
    ["json+zstd", { ...PLAIN, compression: "zstd" }],
    ["json+lz4", { ...PLAIN, compression: "lz4" }],
    ["json+aes-256-gcm", { ...PLAIN, encryptionKey: SECRET }],
    ["json+zstd+aes-256-gcm", { ...PLAIN, compression: "zstd", encryptionKey: SECRET }],
    ["json+lz4+aes-256-gcm", { ...PLAIN, compression: "lz4", encryptionKey: SECRET }],
  ] as const)("says how it is read: %s", async (codec, settings) => {
    const payload = await pack("key", TEXT, settings);

    expect(payload.codec).toBe(codec);
    expect(await unpack("key", payload, settings.encryptionKey)).toBe(TEXT);
  });

  it("gives back what was packed, whatever the settings", async () => {
    const settings = fc.record({
      compression: fc.constantFrom("zstd", "lz4", "none"),
      compressFromBytes: fc.constantFrom(0, 10, 1_024),
      encryptionKey: fc.constantFrom(undefined, SECRET),
    } as const);
    const value = fc.oneof(fc.jsonValue(), fc.uint8Array({ maxLength: 2_000 }), fc.bigInt());
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary" }), value, settings, async (key, given, how) => {
        const payload = await pack(key, given, how);

        expect(await unpack(key, payload, how.encryptionKey)).toEqual(given);
      }),
      { numRuns: 200 },
    );
  });

  it("is compressed only from a size on, and only when that makes it a tenth smaller", async () => {
    const settings: PayloadSettings = { ...PLAIN, compression: "zstd" };

    expect((await pack("k", "a".repeat(1_000), settings)).codec).toBe("json");
    expect((await pack("k", "a".repeat(1_100), settings)).codec).toBe("json+zstd");
    expect((await pack("k", randomBytes(5_000), settings)).codec).toBe("bytes");
  });

  it("is compressed by Zstandard at level 3", async () => {
    const params = { [constants.ZSTD_c_compressionLevel]: 3 };
    const text = Array.from({ length: 2_000 }, (_, index) => `${index * 7_919}`).join();

    const { bytes } = await pack("k", Buffer.from(text), { ...PLAIN, compression: "zstd" });

    expect(Buffer.from(bytes)).toEqual(zstdCompressSync(text, { params }));
  });

  it("is large in another thread, and the same", async () => {
    const value = TEXT.repeat(300);

    for (const compression of ["zstd", "lz4"] as const) {
      const payload = await pack("k", value, { ...PLAIN, compression });

      expect(await unpack("k", payload, undefined)).toBe(value);
    }
  });

  it("does not change when the bytes that were handed in do", async () => {
    const value = Buffer.from(TEXT);

    const packing = pack("k", value, { ...PLAIN, compression: "lz4" });
    value.fill(0);

    expect(await unpack("k", await packing, undefined)).toEqual(new Uint8Array(Buffer.from(TEXT)));
  });

  it("is refused when the value is not data", async () => {
    await expect(pack("k", { f: () => 1 }, PLAIN)).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      fields: { path: ["f"] },
    });
  });
});

describe("a damaged payload", () => {
  it("is corrupt when its steps are unknown, or not what the bytes are", async () => {
    const bytes = Buffer.from("{}");

    await corrupt("k", { codec: "json+gzip", bytes });
    await corrupt("k", { codec: "json+zstd", bytes });
    await corrupt("k", { codec: "json+lz4", bytes });
    await corrupt("k", { codec: "json+lz4", bytes: Buffer.from("{") });
    await expect(unpack("k", { codec: "", bytes }, undefined)).rejects.toMatchObject({
      code: "CORRUPT",
    });
  });

  it("is corrupt when any bit of it was changed, if it is encrypted", async () => {
    const { codec, bytes } = await pack("k", "v", { ...PLAIN, encryptionKey: SECRET });

    for (let index = 0; index < bytes.byteLength; index++) {
      const changed = Uint8Array.from(bytes);
      changed[index] = (changed[index] ?? 0) ^ 1;
      await corrupt("k", { codec, bytes: changed }, SECRET);
    }
    for (let length = 0; length < bytes.byteLength; length++) {
      await corrupt("k", { codec, bytes: bytes.subarray(0, length) }, SECRET);
    }
  });

  it("is corrupt under another key of the cache, another secret, none, or other steps", async () => {
    const payload = await pack("k", TEXT, {
      ...PLAIN,
      compression: "zstd",
      encryptionKey: SECRET,
    });

    await corrupt("other", payload, SECRET);
    await corrupt("k", payload, randomBytes(32));
    await corrupt("k", payload, undefined);
    await corrupt("k", { ...payload, codec: "bytes+aes-256-gcm" }, SECRET);
  });

  it("is told apart by keys that differ in a lone surrogate only", async () => {
    const payload = await pack("\ud800", 1, { ...PLAIN, encryptionKey: SECRET });

    await corrupt("\ud801", payload, SECRET);
    expect(await unpack("\ud800", payload, SECRET)).toBe(1);
  });

  it("does not pass plain bytes off as encrypted ones", async () => {
    await corrupt("k", await pack("k", "v", PLAIN), SECRET);
  });

  it("cannot make the reader allocate more than 512 MB", async () => {
    const claims = Buffer.alloc(20, 0xff);

    await corrupt("k", { codec: "bytes+lz4", bytes: claims });
  });

  it("is decompressed in another thread when little grows to much", async () => {
    const value = "0".repeat(20 * 1_024 * 1_024);
    const bytes = zstdCompressSync(value);
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);

    const back = unpack("k", { codec: "bytes+zstd", bytes }, undefined) as Promise<Uint8Array>;

    expect((await back).byteLength).toBe(value.length);
    clearInterval(timer);
    expect(bytes.byteLength).toBeLessThan(64 * 1_024);
    expect(ticks).toBeGreaterThan(0);
  });
});
