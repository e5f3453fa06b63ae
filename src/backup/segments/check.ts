/** Reads everything that a store holds, and says what of it can be restored. */

import { assertSignal } from "../../core/abort.ts";
import { assertFlag, assertText } from "../../core/arguments.ts";
import { isSpringhouseError, messageOf } from "../../core/errors.ts";
import { refuseUnknownKeys } from "../../core/options.ts";
import { parseBackupKey } from "../encryption.ts";
import type { ObjectStore } from "../object-store.ts";
import { openObjectStore } from "../object-store-open.ts";
import { endOf, type Generation, readCatalog } from "./catalog.ts";
import { type LineEnd, readHead } from "./head.ts";
import { endMissing, problemOf } from "./plan.ts";
import { readLine } from "./read.ts";

/** What was found in a generation. */
export interface GenerationReport {
  readonly folder: string;
  /** The first and the last moment that it shows, UTC milliseconds. */
  readonly fromMs: number | undefined;
  readonly toMs: number | undefined;
  readonly transactions: number;
  readonly files: number;
  readonly bytes: number;
  /** Whether the store tells where it ends; else later segments may have been taken away. */
  readonly isEndKnown: boolean;
  /** What cannot be restored, and the file to blame. */
  readonly problem: string | undefined;
}

/** Options of `checkSegments`. */
export interface CheckSegmentsOptions {
  /** A folder, or `s3://bucket/prefix`, as for `startShipping`. No default. */
  readonly from: string;
  /** Whether to read every file, and not only their names. Default: false. */
  readonly read?: boolean;
  /** The key of encrypted segments, as for `createBackup`. Default: none. */
  readonly key?: string | undefined;
  /** Gives up between two files. Default: never. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reports on every generation, the oldest first. Of one that is damaged, the first damage is told.
 *
 * @throws what the store throws when it cannot be reached.
 * @example const [report] = await checkSegments({ from: "backups/segments", read: true });
 */
export async function checkSegments(
  options: CheckSegmentsOptions,
): Promise<readonly GenerationReport[]> {
  refuseUnknownKeys(options, ["from", "read", "key", "signal"], "checkSegments");
  const { from, read = false, key, signal } = options;
  assertText("checkSegments: from", from);
  assertFlag("checkSegments: read", read);
  assertSignal(signal);
  const store = await openObjectStore(from, key === undefined ? undefined : parseBackupKey(key));
  try {
    return await reportsOn(store, read, signal);
  } finally {
    await store.close();
  }
}

async function reportsOn(
  store: ObjectStore,
  read: boolean,
  signal: AbortSignal | undefined,
): Promise<readonly GenerationReport[]> {
  const reports: GenerationReport[] = [];
  const ends = await readEnds(store, read, signal);
  const generations = await readCatalog(store, signal);
  for (const generation of generations) {
    const { folder, bases, changes } = generation;
    const files = [...bases.flatMap(({ parts }) => parts), ...changes];
    const end = ends.find((one) => one.folder === folder);
    const missing = problemOf(generation, end);
    const problem = missing ?? (read ? await damageOf(store, generation, signal) : undefined);
    reports.push({
      folder,
      fromMs: bases.find(({ isWhole }) => isWhole)?.timeMs,
      toMs: endOf(generation),
      transactions: changes.at(-1)?.lastTransaction ?? bases.at(-1)?.transaction ?? 0,
      files: files.length,
      bytes: files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      isEndKnown: end !== undefined,
      problem: problem?.message,
    });
  }
  const there = new Set(generations.map(({ folder }) => folder));
  reports.push(...ends.filter(({ folder }) => !there.has(folder)).map(reportOfGone));
  return reports.sort((a, b) => (a.folder < b.folder ? -1 : 1));
}

/** What the names alone say needs no key. */
async function readEnds(
  store: ObjectStore,
  read: boolean,
  signal: AbortSignal | undefined,
): Promise<readonly LineEnd[]> {
  try {
    return (await readHead(store, signal)) ?? [];
  } catch (error) {
    if (!read && isSpringhouseError(error, "BACKUP_KEY")) return [];
    throw error;
  }
}

function reportOfGone(end: LineEnd): GenerationReport {
  return {
    folder: end.folder,
    fromMs: undefined,
    toMs: undefined,
    transactions: 0,
    files: 0,
    bytes: 0,
    isEndKnown: true,
    problem: endMissing(end, undefined).message,
  };
}

async function damageOf(
  store: Pick<ObjectStore, "get">,
  { bases, changes }: Generation,
  signal: AbortSignal | undefined,
): Promise<Error | undefined> {
  const whole = bases.filter(({ isWhole }) => isWhole);
  try {
    for (const [at, base] of whole.entries()) {
      // Every base by itself, and the changes once, from the first one on.
      const line = at === 0 ? changes : [];
      const after = line.filter(({ firstTransaction }) => firstTransaction > base.transaction);
      for await (const _ of readLine(store, { base, changes: after }, signal));
    }
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(messageOf(error));
  }
}
