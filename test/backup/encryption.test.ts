import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  decrypting,
  encrypting,
  newEncryption,
  parseBackupKey,
  readBackupKey,
} from "../../src/backup/encryption.ts";
import { failureOf, KEY, makePlace, OTHER_KEY } from "./support.ts";

const CHUNK = 1_048_576;
const key = parseBackupKey(KEY);

function bytes(length: number): Buffer {
  return Buffer.alloc(length, "a text that repeats ");
}

async function encrypted(plain: Buffer, encryption = newEncryption(key)): Promise<Buffer> {
  return buffer(Readable.from([plain]).pipe(encrypting(key, encryption, "context")));
}

function decrypted(data: Buffer, encryption = newEncryption(key), context = "context") {
  return buffer(Readable.from([data]).compose(decrypting(key, encryption, context)));
}

describe("encrypted data", () => {
  it.each([0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 5])(
    "of %i bytes comes back",
    async (length) => {
      const encryption = newEncryption(key);
      const data = await encrypted(bytes(length), encryption);

      expect((await decrypted(data, encryption)).equals(bytes(length))).toBe(true);
      expect(data.includes("repeats")).toBe(false);
    },
  );

  it("comes back however it is cut into pieces", async () => {
    const encryption = newEncryption(key);
    const data = await encrypted(bytes(CHUNK + 100), encryption);
    const cuts = fc.array(fc.integer({ min: 0, max: data.length }), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(cuts, async (at) => {
        const ends = [...at.sort((a, b) => a - b), data.length];
        const pieces = ends.map((end, index) => data.subarray(ends[index - 1] ?? 0, end));
        const plain = Readable.from(pieces).compose(decrypting(key, encryption, "context"));

        expect((await buffer(plain)).length).toBe(CHUNK + 100);
      }),
      { numRuns: 10 },
    );
  });

  it.each<[string, (data: Buffer) => Buffer]>([
    ["cut off behind a chunk", (data) => data.subarray(0, CHUNK + 16)],
    ["cut off", (data) => data.subarray(0, -1)],
    ["empty", () => Buffer.alloc(0)],
    ["longer", (data) => Buffer.concat([data, Buffer.of(0)])],
    ["without its first chunk", (data) => data.subarray(CHUNK + 16)],
    [
      "of swapped chunks",
      (data) => {
        const size = CHUNK + 16;
        const [one, two, rest] = [
          data.subarray(0, size),
          data.subarray(size, 2 * size),
          data.subarray(2 * size),
        ];
        return Buffer.concat([two, one, rest]);
      },
    ],
    [
      "of another bit",
      (data) => {
        data[CHUNK + 20] = (data[CHUNK + 20] ?? 0) ^ 1;
        return data;
      },
    ],
  ])("that is %s is refused", async (_, damage) => {
    const encryption = newEncryption(key);
    const data = damage(await encrypted(bytes(2 * CHUNK + 10), encryption));

    expect((await failureOf(decrypted(data, encryption))).code).toBe("BACKUP_DAMAGED");
  });

  it("is refused with another context, salt or key", async () => {
    const encryption = newEncryption(key);
    const data = await encrypted(bytes(10), encryption);
    const withOtherKey = async (): Promise<Buffer> => {
      const opening = decrypting(parseBackupKey(OTHER_KEY), encryption, "context");
      return buffer(Readable.from([data]).compose(opening));
    };

    expect((await failureOf(decrypted(data, encryption, "other"))).code).toBe("BACKUP_DAMAGED");
    expect((await failureOf(decrypted(data))).code).toBe("BACKUP_DAMAGED");
    expect((await failureOf(withOtherKey())).code).toBe("BACKUP_DAMAGED");
  });
});

describe("a key", () => {
  it("is the same in both of its forms, and has a name that tells nothing of it", () => {
    const base64 = Buffer.from(KEY, "hex").toString("base64");

    expect(parseBackupKey(`${base64}\n`)).toEqual(key);
    expect(key.id).toMatch(/^[0-9a-f]{16}$/);
    expect(KEY).not.toContain(key.id);
    expect(parseBackupKey(OTHER_KEY).id).not.toBe(key.id);
  });

  it.each(["", "password", "ab".repeat(31), `${"ab".repeat(31)}xy`])("is not %j", (text) => {
    expect(() => parseBackupKey(text)).toThrow(expect.objectContaining({ code: "BACKUP_KEY" }));
  });

  it("comes from a text, or a file that its owner alone may read", async () => {
    const { folder } = makePlace();
    const file = join(folder, "key");
    writeFileSync(file, `${KEY}\n`, { mode: 0o600 });

    expect(await readBackupKey({})).toBeUndefined();
    expect(await readBackupKey({ text: OTHER_KEY, file })).toEqual(parseBackupKey(OTHER_KEY));
    expect(await readBackupKey({ file })).toEqual(key);
    chmodSync(file, 0o640);
    expect((await failureOf(readBackupKey({ file }))).message).toContain("chmod 600");
    expect((await failureOf(readBackupKey({ file: "/nowhere/key" }))).code).toBe("BACKUP_KEY");
  });
});
