/**
 * What dumps of PostgreSQL are in a folder. A dump is `NAME.dump` and `NAME.dump.json` about it,
 * and `NAME.dump.pinned.json` when it is pinned.
 */

import { readdir, rename, rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { isSpringhouseError, messageOf, SpringhouseError } from "../core/errors.ts";
import { toSpringhouseError } from "../sqlite/errors.ts";
import { assertName, isName, readIfThere, WorkFolder, writeWhole } from "./folder.ts";
import type { PostgresTable } from "./postgres-content.ts";

/** A dump, as the file beside it tells. */
export interface PostgresDump {
  readonly format: "springhouse-postgres-dump";
  readonly name: string;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly tables: readonly PostgresTable[];
  /** How it was proved: restored and compared, or only read to its end. */
  readonly proof: "restored" | "read";
}

/** A dump of a list. */
export interface ListedPostgresDump {
  readonly name: string;
  /** Its file. */
  readonly path: string;
  /** Of its file. */
  readonly sizeBytes: number;
  /** When the snapshot was taken; undefined when what is about it cannot be read. */
  readonly createdAt: Date | undefined;
  readonly pinned: boolean;
  readonly manifest: PostgresDump | undefined;
  /**
   * Why what is about it cannot be read, or that its file is missing or has another size; undefined
   * when a look finds nothing wrong.
   */
  readonly problem: string | undefined;
}

/** What the file about a dump says that it is. */
export const DUMP_FORMAT = "springhouse-postgres-dump";
const MANIFEST = ".dump.json";
const PIN = ".dump.pinned.json";

/**
 * All dumps of a folder, the newest first; those about which nothing can be read come last. Of the
 * files themselves only the size is looked at. A folder that does not exist has none.
 *
 * @example const [newest] = await listPostgresDumps("backups");
 */
export async function listPostgresDumps(directory: string): Promise<readonly ListedPostgresDump[]> {
  const files = await readdir(directory).catch((error: unknown) => {
    if ((error as { code?: string }).code === "ENOENT") return [];
    throw toSpringhouseError(error, { path: directory });
  });
  const names = files
    .filter((file) => file.endsWith(MANIFEST))
    .map((file) => file.slice(0, -MANIFEST.length))
    .filter(isName);
  const dumps: ListedPostgresDump[] = [];
  for (const name of names) {
    const dump = await readListed(directory, name);
    if (dump !== undefined) dumps.push(dump);
  }
  const timeOf = ({ createdAt }: ListedPostgresDump): number => createdAt?.getTime() ?? -Infinity;
  return dumps.sort((a, b) => timeOf(b) - timeOf(a) || (a.name < b.name ? 1 : -1));
}

/** Undefined when it was removed meanwhile. */
async function readListed(
  directory: string,
  name: string,
): Promise<ListedPostgresDump | undefined> {
  const path = dumpPath(directory, name);
  const pinned = await isDumpPinned(directory, name);
  const sizeBytes = (await sizeOf(path)) ?? 0;
  try {
    const manifest = await readDump(directory, name);
    const why = await sizeProblem(path, manifest);
    const problem = why && damagedDump(path, why).message;
    const createdAt = new Date(manifest.createdAt);
    return { name, path, sizeBytes, createdAt, pinned, manifest, problem };
  } catch (error) {
    if (isSpringhouseError(error, "BACKUP_NOT_FOUND")) return undefined;
    const problem = messageOf(error);
    return { name, path, sizeBytes, createdAt: undefined, pinned, manifest: undefined, problem };
  }
}

/** The file of a dump. Throws as `assertName` does. */
export function dumpPath(directory: string, name: string): string {
  assertName(name);
  return join(directory, `${name}.dump`);
}

/** Writes what is about a dump, which makes it one. */
export async function writeDump(directory: string, manifest: PostgresDump): Promise<void> {
  const text = `${JSON.stringify(manifest, null, 2)}\n`;
  await writeWhole(join(directory, manifest.name + MANIFEST), text);
}

/**
 * What is about a dump.
 *
 * @throws `BACKUP_NOT_FOUND`, `BACKUP_DAMAGED`.
 */
export async function readDump(directory: string, name: string): Promise<PostgresDump> {
  assertName(name);
  const path = join(directory, name + MANIFEST);
  const text = await readIfThere(path);
  if (text === undefined) {
    const message = `There is no dump ${name} in ${directory}. See: springhouse backup list`;
    throw new SpringhouseError("BACKUP_NOT_FOUND", message, { fields: { name, directory } });
  }
  const manifest = parseDump(text, path);
  if (manifest.name === name) return manifest;
  throw damagedDump(path, `it is about ${JSON.stringify(manifest.name)}`);
}

function parseDump(text: string, path: string): PostgresDump {
  let value: PostgresDump | null;
  try {
    value = JSON.parse(text) as PostgresDump | null;
  } catch (error) {
    throw damagedDump(path, `it is no JSON (${messageOf(error)})`);
  }
  if (value?.format !== DUMP_FORMAT) throw damagedDump(path, "it is not about a dump");
  const isWhole =
    !Number.isNaN(Date.parse(value.createdAt)) &&
    Number.isSafeInteger(value.sizeBytes) &&
    typeof value.sha256 === "string" &&
    Array.isArray(value.tables) &&
    value.tables.every((table) => typeof table?.name === "string" && table.rows >= 0) &&
    (value.proof === "restored" || value.proof === "read");
  if (!isWhole) throw damagedDump(path, "a part of what it should say is not there");
  return value;
}

/** What one look at the file tells; undefined when it is nothing. */
export async function sizeProblem(
  path: string,
  { sizeBytes }: PostgresDump,
): Promise<string | undefined> {
  const size = await sizeOf(path);
  if (size === undefined) return "the file is not there";
  return size === sizeBytes ? undefined : `it has ${size} bytes and had ${sizeBytes}`;
}

async function sizeOf(path: string): Promise<number | undefined> {
  return (await stat(path).catch(() => undefined))?.size;
}

/** The error about a dump, or the file about it. */
export function damagedDump(path: string, why: string): SpringhouseError {
  const message = `${path} is damaged: ${why}. Do not rely on it; take another one.`;
  return new SpringhouseError("BACKUP_DAMAGED", message, { fields: { path, why } });
}

/** Pins a dump, or takes the pin away. */
export async function writeDumpPin(
  directory: string,
  name: string,
  reason: string | undefined,
): Promise<void> {
  const path = join(directory, name + PIN);
  if (reason === undefined) await rm(path, { force: true });
  else await writeWhole(path, `${JSON.stringify({ reason })}\n`);
}

/** Whether it is pinned. A file that cannot be read pins as well. */
export async function isDumpPinned(directory: string, name: string): Promise<boolean> {
  return (await readIfThere(join(directory, name + PIN))) !== undefined;
}

/** Removes a dump: it is none any more before anything of it is gone. */
export async function removeDump(directory: string, name: string): Promise<void> {
  const path = dumpPath(directory, name);
  await using aside = await WorkFolder.make(directory);
  for (const file of [join(directory, name + MANIFEST), path, join(directory, name + PIN)]) {
    await rename(file, aside.file(basename(file))).catch((error: unknown) => {
      if ((error as { code?: string }).code !== "ENOENT") throw toSpringhouseError(error, { path });
    });
  }
}
