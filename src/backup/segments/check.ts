/** Reads everything that a store holds, and says what of it can be restored. */

import { assertSignal } from "../../core/abort.ts";
import { assertFlag, assertText } from "../../core/arguments.ts";
import { messageOf } from "../../core/errors.ts";
import { refuseUnknownKeys } from "../../core/options.ts";
import { parseBackupKey } from "../encryption.ts";
import type { ObjectStore } from "../object-store.ts";
import { openObjectStore } from "../object-store-open.ts";
import { endOf, type Generation, readCatalog } from "./catalog.ts";
import { problemOf } from "./plan.ts";
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
  for (const generation of await readCatalog(store, signal)) {
    const { folder, bases, changes } = generation;
    const files = [...bases.flatMap(({ parts }) => parts), ...changes];
    const missing = problemOf(generation);
    const problem = missing ?? (read ? await damageOf(store, generation, signal) : undefined);
    reports.push({
      folder,
      fromMs: bases.find(({ isWhole }) => isWhole)?.timeMs,
      toMs: endOf(generation),
      transactions: changes.at(-1)?.lastTransaction ?? bases.at(-1)?.transaction ?? 0,
      files: files.length,
      bytes: files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      problem: problem?.message,
    });
  }
  return reports;
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
