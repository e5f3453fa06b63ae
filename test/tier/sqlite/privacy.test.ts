/** Encryption, and options. */

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { sqliteTier } from "../../../src/tier/sqlite/sqlite-tier.ts";
import { entry, listed, openTier, query, temporaryPath, valuesOf } from "./support.ts";

const KEY = new Uint8Array(32).fill(7);
const SECRET = "correct horse battery staple";

describe("an encrypted tier", () => {
  it("leaves no value readable in its file, and reads it with the key, given either way", async () => {
    const path = temporaryPath();
    const first = openTier({ path, encryptionKey: KEY });
    await first.setMany([entry("a", { value: SECRET })]);
    await first.close();
    expect(readFileSync(path).includes("horse")).toBe(false);

    const again = openTier({ path, encryptionKey: "07".repeat(32) });

    expect(await valuesOf(again, ["a"])).toEqual([SECRET]);
  });

  it("leaves keys and tags readable, as its guide says", async () => {
    const path = temporaryPath();
    const tier = openTier({ path, encryptionKey: KEY });
    await tier.setMany([entry("key-of-ann", { value: SECRET, tags: ["tag-of-ann"] })]);
    await tier.close();

    const file = readFileSync(path);
    expect(["key-of-ann", "tag-of-ann"].map((name) => file.includes(name))).toEqual([true, true]);
  });

  it("opened with another key, or with none, has misses", async () => {
    const path = temporaryPath();
    for (const encryptionKey of [new Uint8Array(32).fill(8), undefined]) {
      const first = openTier({ path, encryptionKey: KEY });
      await first.setMany([entry("a", { value: SECRET })]);
      await first.close();

      const other = openTier({ path, ...(encryptionKey && { encryptionKey }) });
      expect(await valuesOf(other, ["a"])).toEqual([undefined]);
      expect(other.statistics().errors).toBe(1);
      expect(await listed(other)).toEqual([]);
      await other.close();
    }
  });

  it("does not take the value of one key for that of another", async () => {
    const tier = openTier({ encryptionKey: KEY });
    await tier.setMany([entry("a", { value: "for a" }), entry("b", { value: "for b" })]);
    query(
      tier.path,
      `UPDATE cache_entries SET (value, checksum) =
         (SELECT value, checksum FROM cache_entries WHERE key = 'a') WHERE key = 'b'`,
    );

    expect(await valuesOf(tier, ["a", "b"])).toEqual(["for a", undefined]);
  });

  it("does not take a plain value that somebody put into the file", async () => {
    const path = temporaryPath();
    const plain = openTier({ path });
    await plain.setMany([entry("a", { value: "planted" })]);
    await plain.close();

    expect(await valuesOf(openTier({ path, encryptionKey: KEY }), ["a"])).toEqual([undefined]);
  });
});

describe("the options of sqliteTier", () => {
  it.each([
    [{ maxBites: 1 }, /maxBites.*Did you mean "maxBytes"/],
    [{ maxBytes: "1 gig" }, /maxBytes/],
    [{ maxEntries: 0 }, /maxEntries/],
    [{ maxEntries: 1.5 }, /maxEntries/],
    [{ maxEntryBytes: "2GB" }, /maxEntryBytes/],
    [{ quotas: { images: "many" } }, /quotas\.images/],
    [{ compression: "gzip" }, /compression/],
    [{ encryptionKey: "secret" }, /encryptionKey/],
    [{ encryptionKey: new Uint8Array(16) }, /encryptionKey/],
    [{ sweepEvery: "often" }, /sweepEvery/],
    [{ path: "" }, /path/],
    [{ name: "" }, /name/],
  ])("%j are refused", (options, message) => {
    expect(() => sqliteTier(options as never)).toThrow(message);
  });

  it("never show the key in a message", () => {
    const secret = "f00dcafe";

    expect(() => sqliteTier({ encryptionKey: secret })).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining(secret) }),
    );
  });

  it("open nothing", async () => {
    const tier = sqliteTier({ path: "/nonexistent/folder/of/nobody/cache.db" });

    expect(tier.statistics()).toMatchObject({ entries: 0, bytes: 0, errors: 0 });
    await tier.close();
  });
});
