/** The contract of a store, for every backend; and what only one of them can do. */

import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { type BackupKey, parseBackupKey } from "../../src/backup/encryption.ts";
import type { ObjectStore } from "../../src/backup/object-store.ts";
import { openObjectStore } from "../../src/backup/object-store-open.ts";
import { parseS3Url, s3Store } from "../../src/backup/object-store-s3.ts";
import { makeDisk } from "./disk.ts";
import { FakeS3 } from "./fake-s3.ts";
import { newFolder } from "./support.ts";

const BACKENDS: Readonly<Record<string, () => Promise<string>>> = {
  folder: async () => join(newFolder(), "made", "when", "needed"),
  "file URL": async () => `file://${newFolder()}`,
  "sealed folder": async () => newFolder(),
  S3: async () => (await FakeS3.start()).place(),
};

const KEY = parseBackupKey("ab".repeat(32));
const OTHER_KEY = parseBackupKey("cd".repeat(32));

function keyOf(backend: string): BackupKey | undefined {
  return backend === "sealed folder" ? KEY : undefined;
}

async function open(backend: string): Promise<ObjectStore> {
  const store = await openObjectStore((await BACKENDS[backend]?.()) ?? "", keyOf(backend));
  onTestFinished(() => store.close());
  return store;
}

const bytes = (text: string): Uint8Array => Buffer.from(text);

describe.each(Object.keys(BACKENDS))("a store in a %s", (backend) => {
  it("gives back what was put, byte for byte, and replaces it", async () => {
    const store = await open(backend);
    const every = Uint8Array.from({ length: 70_000 }, (_, at) => at % 256);

    await store.put("a/one.seg", every);
    expect(Buffer.from(await store.get("a/one.seg")).equals(every)).toBe(true);
    await store.put("a/one.seg", bytes(""));

    expect(await store.get("a/one.seg")).toHaveLength(0);
  });

  it("says that an object is not there", async () => {
    const store = await open(backend);

    await expect(store.get("a/none.seg")).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  it("lists names below a beginning, in order, with their sizes; an empty store too", async () => {
    const store = await open(backend);
    expect(await store.list("")).toEqual([]);
    for (const name of ["b/9", "b/10", "a/x", "b/1", "b/2", "b/3"]) {
      await store.put(name, bytes(name));
    }

    const listed = await store.list("b/");
    expect(listed.map(({ name }) => name)).toEqual(["b/1", "b/10", "b/2", "b/3", "b/9"]);
    const [first, second] = listed;
    // A seal takes the same room in each.
    expect((second?.sizeBytes ?? 0) - (first?.sizeBytes ?? 0)).toBe(1);
    if (keyOf(backend) === undefined) expect(first?.sizeBytes).toBe(3);
    expect(await store.list("")).toHaveLength(6);
  });

  it("drops what is there, and minds nothing that is not", async () => {
    const store = await open(backend);
    await store.put("a/1", bytes("1"));
    await store.put("a/2", bytes("2"));

    await store.drop(["a/1", "a/none"]);
    await store.drop([]);

    expect((await store.list("")).map(({ name }) => name)).toEqual(["a/2"]);
  });

  it("gives up when the signal has fired", async () => {
    const store = await open(backend);
    const signal = AbortSignal.abort();

    await expect(store.put("a/1", bytes("1"), signal)).rejects.toMatchObject({ code: "ABORTED" });
    expect(await store.list("")).toEqual([]);
  });
});

describe("a store in a folder", () => {
  it("makes files and folders for their owner only", async () => {
    const folder = join(newFolder(), "segments");
    const store = await openObjectStore(folder, undefined);
    await store.put("a/1.seg", bytes("1"));

    expect(statSync(join(folder, "a", "1.seg")).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, "a")).mode & 0o777).toBe(0o700);
  });

  it("never shows what a crash has left half written", async () => {
    const folder = newFolder();
    mkdirSync(join(folder, "a"));
    writeFileSync(join(folder, "a", "1.seg.partial"), "half");
    const store = await openObjectStore(folder, undefined);

    expect(await store.list("")).toEqual([]);
    await store.put("a/1.seg", bytes("whole"));
    expect(readdirSync(join(folder, "a"))).toEqual(["1.seg"]);
  });

  it("never writes through a link that lies where an object is written", async () => {
    const folder = newFolder();
    const outside = join(newFolder(), "outside");
    writeFileSync(outside, "of somebody else");
    symlinkSync(outside, join(folder, "one.partial"));
    const store = await openObjectStore(folder, undefined);

    await store.put("one", bytes("1"));

    expect(Buffer.from(await store.get("one")).toString()).toBe("1");
    expect(readFileSync(outside, "utf8")).toBe("of somebody else");
  });

  it("leaves nothing of an object that did not fit, and takes a smaller one", async ({ skip }) => {
    const disk = makeDisk(newFolder(), "256k");
    if (disk === undefined) return skip("no disk can be mounted here");
    const store = await openObjectStore(disk, undefined);

    await expect(store.put("a/1.seg", new Uint8Array(400_000))).rejects.toMatchObject({
      code: "DISK_FULL",
    });
    expect(readdirSync(join(disk, "a"))).toEqual([]);
    await store.put("a/1.seg", new Uint8Array(200_000));

    expect(await store.list("")).toEqual([{ name: "a/1.seg", sizeBytes: 200_000 }]);
  });

  it.each(["../out", "/etc/passwd", "a/../../out", ".hidden", "a//b", "a\\b", ""])(
    'refuses the name "%s"',
    async (name) => {
      const store = await openObjectStore(newFolder(), undefined);

      await expect(store.put(name, bytes(""))).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
      await expect(store.drop([name])).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    },
  );
});

describe("a sealed store", () => {
  it("keeps nothing that can be read without the key", async () => {
    const folder = newFolder();
    const sealed = await openObjectStore(folder, KEY);
    await sealed.put("a/1", bytes("a secret"));

    expect(readFileSync(join(folder, "a", "1")).includes("secret")).toBe(false);
    const plain = await openObjectStore(folder, undefined);
    await expect(plain.get("a/1")).rejects.toMatchObject({
      code: "BACKUP_KEY",
      message: expect.stringContaining("is encrypted"),
    });
    const other = await openObjectStore(folder, OTHER_KEY);
    await expect(other.get("a/1")).rejects.toMatchObject({
      code: "BACKUP_KEY",
      message: expect.stringContaining("another key"),
    });
  });

  it("notices one bit that is another, a cut, and an object under another name", async () => {
    const folder = newFolder();
    const sealed = await openObjectStore(folder, KEY);
    await sealed.put("1", bytes("one"));
    await sealed.put("2", bytes("two"));
    const whole = readFileSync(join(folder, "1"));
    const damaged = { code: "SEGMENT_DAMAGED", fields: { file: "1" } };

    for (let at = 16; at < whole.length; at++) {
      const altered = Buffer.from(whole);
      altered[at] = (altered[at] ?? 0) ^ 1;
      writeFileSync(join(folder, "1"), altered);
      await expect(sealed.get("1"), `byte ${at}`).rejects.toMatchObject(damaged);
    }
    for (const length of [16, 28, whole.length - 1]) {
      writeFileSync(join(folder, "1"), whole.subarray(0, length));
      await expect(sealed.get("1")).rejects.toMatchObject(damaged);
    }
    copyFileSync(join(folder, "2"), join(folder, "1"));
    await expect(sealed.get("1")).rejects.toMatchObject(damaged);
  });

  it("reads what was kept before there was a key", async () => {
    const folder = newFolder();
    await (await openObjectStore(folder, undefined)).put("1", bytes("plain"));

    const content = await (await openObjectStore(folder, KEY)).get("1");

    expect(Buffer.from(content).toString()).toBe("plain");
  });
});

describe("a store in S3", () => {
  it("keeps its names below the prefix", async () => {
    const fake = await FakeS3.start();
    const store = await openObjectStore(fake.place("deep/prefix"), undefined);
    await store.put("a/1", bytes("1"));
    fake.objects.set("other/2", Buffer.from("2"));

    expect([...fake.objects.keys()]).toEqual(["deep/prefix/a/1", "other/2"]);
    expect((await store.list("")).map(({ name }) => name)).toEqual(["a/1"]);
    await store.close();
  });

  it("tries again when the server is busy, and fails with the place when it stays so", async () => {
    const fake = await FakeS3.start();
    const store = await openObjectStore(fake.place(), undefined);
    fake.failures = 1;
    await store.put("a/1", bytes("1"));

    fake.failures = 100;
    await expect(store.put("a/2", bytes("2"))).rejects.toMatchObject({
      code: "IO",
      fields: { place: "s3://bucket/app/segments/", name: "a/2" },
    });
    await store.close();
  });

  it("says which package it needs when that is not installed", async () => {
    const load = (): Promise<never> => {
      const message = "Cannot find package '@aws-sdk/client-s3' imported from x";
      throw Object.assign(new Error(message), { code: "ERR_MODULE_NOT_FOUND" });
    };

    await expect(s3Store(parseS3Url("s3://bucket"), load)).rejects.toMatchObject({
      code: "MISSING_DEPENDENCY",
      fields: { install: "npm install @aws-sdk/client-s3" },
    });
  });

  it("is refused with keys in the URL, without a bucket, or with a misspelt parameter", () => {
    expect(() => parseS3Url("s3://id:geheim@bucket/a")).toThrow(
      expect.objectContaining({
        code: "INVALID_URL",
        message: expect.not.stringContaining("geheim"),
      }),
    );
    expect(() => parseS3Url("s3:///a")).toThrow(/s3:\/\/BUCKET/);
    expect(() => parseS3Url("s3://bucket?endpont=x")).toThrow(/Did you mean "endpoint"/);
    expect(parseS3Url("s3://bucket/a/b/?region=eu-central-1")).toEqual({
      bucket: "bucket",
      prefix: "a/b/",
      endpoint: undefined,
      region: "eu-central-1",
    });
  });
});

it("a place of another kind is refused", async () => {
  await expect(openObjectStore("ftp://host/folder", undefined)).rejects.toMatchObject({
    code: "INVALID_URL",
  });
  await expect(openObjectStore("", undefined)).rejects.toMatchObject({ code: "INVALID_URL" });
});
