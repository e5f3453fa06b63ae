import { describe, expect, it } from "vitest";
import { systemClock } from "../../../src/core/clock.ts";
import { type FileTierOptions, resolveFileTierOptions } from "../../../src/tier/file/options.ts";
import { Quotas } from "../../../src/tier/stored-options.ts";

const MB = 1_024 * 1_024;

describe("the options of fileTier", () => {
  it("have defaults", () => {
    expect(resolveFileTierOptions()).toEqual({
      name: "file",
      folder: "cache/files",
      bounds: {
        entryBytesMax: 10 * MB,
        bytesMax: 1_000 * MB,
        entriesMax: Number.POSITIVE_INFINITY,
        quotas: new Quotas([]),
      },
      payload: { compression: "zstd", compressFromBytes: 1_024, encryptionKey: undefined },
      sweepEveryMs: 60_000,
      clock: systemClock,
    });
  });

  it("are written as people write them", () => {
    const encryptionKey = new Uint8Array(32);

    expect(
      resolveFileTierOptions({
        maxEntryBytes: "unlimited",
        maxBytes: "2GB",
        maxEntries: 5,
        quotas: { charts: "50MB", all: "unlimited" },
        compression: "lz4",
        compressFrom: 0,
        encryptionKey,
        sweepEvery: "1h30m",
      }),
    ).toMatchObject({
      bounds: { entryBytesMax: Number.POSITIVE_INFINITY, bytesMax: 2_048 * MB, entriesMax: 5 },
      payload: { compression: "lz4", compressFromBytes: 0, encryptionKey },
      sweepEveryMs: 5_400_000,
    });
    expect(
      resolveFileTierOptions({ encryptionKey: "0f".repeat(32) }).payload.encryptionKey,
    ).toEqual(Buffer.alloc(32, 0x0f));
    // A timer cannot be set to more.
    expect(resolveFileTierOptions({ sweepEvery: "100d" }).sweepEveryMs).toBe(2_147_483_647);
  });

  it.each<[object, string]>([
    [{ folderr: "x" }, 'unknown option "folderr". Did you mean "folder"?'],
    [{ folder: "" }, "folder is refused"],
    [{ name: 5 }, "name: 5 is refused"],
    [{ maxBytes: "lots" }, "maxBytes"],
    [{ maxEntryBytes: -1 }, "maxEntryBytes"],
    [{ maxEntries: 0 }, "maxEntries: 0 is refused"],
    [{ maxEntries: Number.NaN }, "maxEntries: NaN is refused"],
    [{ quotas: { charts: "much" } }, "quotas.charts"],
    [{ quotas: 5 }, "quotas: 5 is refused"],
    [{ quotas: [] }, "quotas: [] is refused"],
    [{ compressFrom: null }, "compressFrom: null"],
    [{ sweepEvery: null }, "sweepEvery: null"],
    [{ compression: "gzip" }, 'compression: "gzip" is refused. It is one of zstd, lz4, none.'],
    [{ encryptionKey: new Uint8Array(16) }, "encryptionKey"],
    [{ encryptionKey: "x".repeat(64) }, "32 bytes, or 64 hexadecimal digits"],
    [{ sweepEvery: "often" }, "sweepEvery"],
    [null as unknown as object, "takes an object"],
  ])("refuse %j", (options, message) => {
    expect(() => resolveFileTierOptions(options as FileTierOptions)).toThrow(
      expect.objectContaining({
        code: "INVALID_ARGUMENT",
        message: expect.stringContaining(message),
      }),
    );
  });

  it("give a category its budget, and one without a budget none", () => {
    const { quotas } = resolveFileTierOptions({ quotas: { charts: "50MB" } }).bounds;

    quotas.add({ charts: 1, reports: 2 });

    expect(["charts", "reports", "other"].map((name) => quotas.of(name))).toEqual([
      50 * MB,
      2,
      Number.POSITIVE_INFINITY,
    ]);
  });

  it("do not tell a key that is wrong", () => {
    expect(() => resolveFileTierOptions({ encryptionKey: new Uint8Array(5).fill(77) })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining("77") }),
    );
  });
});
