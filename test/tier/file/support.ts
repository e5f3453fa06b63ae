/** What the tests of the file tier share: folders of their own, entries, and views of the disk. */

import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach } from "vitest";
import { hashOfKey, Layout } from "../../../src/tier/file/layout.ts";
import type { Tier, TierEntry } from "../../../src/tier/tier.ts";

const made: string[] = [];
const opened: Tier[] = [];
const mounted: string[] = [];

afterEach(async () => {
  for (const tier of opened.splice(0)) await tier.close();
  for (const folder of mounted.splice(0)) execFileSync("umount", ["--lazy", folder]);
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** In memory where there is such a place: some tests make tens of thousands of files. */
const PLACE = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

/** A folder that is gone after the test. */
export function temporaryFolder(place: string = PLACE): string {
  const folder = mkdtempSync(join(place, "springhouse-files-"));
  made.push(folder);
  return folder;
}

/** A folder on a disk of one megabyte, or nothing when this user may not mount one. */
export function smallDisk(): string | undefined {
  const folder = join(temporaryFolder(), "small");
  mkdirSync(folder);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], { stdio: "ignore" });
  } catch {
    return undefined;
  }
  mounted.push(folder);
  return folder;
}

/** Closes the tier after the test. */
export function closing<T extends Tier>(tier: T): T {
  opened.push(tier);
  return tier;
}

/** An entry made now that lives for an hour. */
export function entry(key: string, change: Partial<TierEntry> = {}): TierEntry {
  const nowMs = Date.now();
  return {
    key,
    value: `value of ${key}`,
    category: "general",
    createdMs: nowMs,
    freshUntilMs: nowMs + 3_600_000,
    keepUntilMs: nowMs + 3_600_000,
    slidingMs: 0,
    tags: [],
    loadMs: 0,
    etag: undefined,
    ...change,
  };
}

/** Where the file of a key is. */
export function pathOf(folder: string, key: string): string {
  return new Layout(folder).entryPath(hashOfKey(key));
}

/** All files below a folder, relative to it. */
export function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) =>
    statSync(join(folder, path)).isFile(),
  );
}

/** The files of entries below a folder. */
export function entryFilesIn(folder: string): string[] {
  return filesIn(folder).filter((path) => /^[0-9a-f]\/[0-9a-f]{2}\/[0-9a-f]{61}$/.test(path));
}

/** What a tier has for the keys. */
export async function valuesOf(tier: Tier, ...keys: string[]): Promise<unknown[]> {
  return (await tier.getMany(keys)).map((found) => found?.value);
}

/** All keys that a tier lists, sorted. */
export async function listed(tier: Tier): Promise<string[]> {
  const keys: string[] = [];
  for await (const chunk of tier.keys()) keys.push(...chunk);
  return keys.sort();
}

/** Bytes that no compression makes smaller. */
export function noise(bytes: number): Uint8Array {
  const all = new Uint8Array(bytes);
  for (let at = 0; at < bytes; at += 65_536) crypto.getRandomValues(all.subarray(at, at + 65_536));
  return all;
}

/** Changes one bit of a file. */
export function damage(path: string): void {
  const bytes = readFileSync(path);
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  writeFileSync(path, bytes);
}

/** The times of an entry that lives for ever. */
export const FOREVER = {
  freshUntilMs: Number.POSITIVE_INFINITY,
  keepUntilMs: Number.POSITIVE_INFINITY,
};
