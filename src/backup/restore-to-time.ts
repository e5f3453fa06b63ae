/**
 * Restoring a database to a moment, from the segments that were shipped.
 *
 * The file is made beside the database, and checked in a process of its own; only then does it take
 * the place of the database, as a restored backup does (`restore.ts`). Whatever fails before that
 * leaves the database as it was.
 */

import { dirname, join } from "node:path";
import { assertFlag, assertText, wrongArgument } from "../core/arguments.ts";
import { assertNoPart } from "./folder.ts";
import type { ObjectStore } from "./object-store.ts";
import { openObjectStore } from "./object-store-open.ts";
import {
  type BackupOptions,
  type ResolvedBackupOptions,
  resolveBackupOptions,
  resolveDatabase,
} from "./options.ts";
import type { Proof } from "./protocol.ts";
import {
  behindLinks,
  type Replaced,
  removeLeftovers,
  replaceDatabase,
  restoringPath,
} from "./restore.ts";
import { assertRoom } from "./room.ts";
import { readCatalog } from "./segments/catalog.ts";
import { readHead } from "./segments/head.ts";
import { planRestore, type RestorePlan, type RestoreTarget } from "./segments/plan.ts";
import { readLine, readSegment } from "./segments/read.ts";
import { replay } from "./segments/replay.ts";
import { removeSteadily } from "./steady-file.ts";
import { BackupWork } from "./work.ts";

/** For `restoreToTime`. */
export interface RestoreToTimeOptions extends BackupOptions {
  /** The database that it becomes: `sqlite:app.db`. No default. */
  readonly url: string;
  /** Where the segments are, as for `startShipping`. Default: `segments` in the directory. */
  readonly from?: string | undefined;
  /** Commits that were seen later are left out. Default: nothing is left out. */
  readonly time?: Date | undefined;
  /** Reads and proves the segments, and says what would be restored. Default: false. */
  readonly dryRun?: boolean;
}

/** What a restore to a moment did, or would do. */
export interface RestoreToTimeReport {
  /** The file that it became, or would become. */
  readonly database: string;
  readonly dryRun: boolean;
  /** Whether the store tells where it ends; else later segments may have been taken away. */
  readonly isEndKnown: boolean;
  /** When the last commit in it was seen; a dry run knows it too. */
  readonly reaches: Date;
  /**
   * Commits in between are lost: from what was reached to the next whole base, or to the last
   * segment when there is none.
   */
  readonly nothingUntil: Date | undefined;
  /** Number of the last transaction, counted from the beginning of its generation. */
  readonly transaction: number;
  /** Segments that were read and proved, and their size. */
  readonly files: number;
  readonly bytes: number;
  /** What was checked of the restored file; nothing for a dry run, which makes none. */
  readonly proof: Proof | undefined;
  readonly replaced: Replaced | undefined;
}

/**
 * Makes a database of shipped segments. What was there before is backed up and verified first, with
 * the kind "pre-restore".
 *
 * @throws `RESTORE_POINT_UNKNOWN`, `SEGMENT_MISSING`, `SEGMENT_DAMAGED` with the file and what can
 *   be restored; `CORRUPT` when the database was damaged already when it was shipped;
 *   `DATABASE_IN_USE`; `DISK_FULL`. Nothing was changed then.
 * @example
 * const time = new Date("2026-11-12T10:03Z");
 * await restoreToTime({ directory: "backups", url: "sqlite:app.db", time });
 */
export async function restoreToTime(options: RestoreToTimeOptions): Promise<RestoreToTimeReport> {
  const more = ["url", "from", "time", "dryRun"];
  const resolved = resolveBackupOptions("restoreToTime", options, more);
  const { dryRun = false, from = join(resolved.directory, "segments") } = options;
  assertFlag("restoreToTime: dryRun", dryRun);
  assertText("restoreToTime: from", from);
  const target = targetOf(options.time);
  const database = resolveDatabase("restoreToTime", options.url);
  await assertNoPart(resolved.directory, await behindLinks(database));
  const store = await openObjectStore(from, resolved.key);
  try {
    const ends = await readHead(store, resolved.signal);
    const plan = planRestore(await readCatalog(store, resolved.signal), target, ends);
    if (dryRun) await prove(store, plan, resolved);
    const done = dryRun ? undefined : await restore(store, plan, database, resolved);
    return {
      database,
      dryRun,
      isEndKnown: ends !== undefined,
      reaches: new Date(plan.reachesMs),
      nothingUntil: plan.nothingUntilMs === undefined ? undefined : new Date(plan.nothingUntilMs),
      transaction: plan.transaction,
      files: plan.files,
      bytes: plan.bytes,
      proof: done?.proof,
      replaced: done?.replaced,
    };
  } finally {
    await store.close();
  }
}

function targetOf(time: Date | undefined): RestoreTarget {
  if (time === undefined) return { kind: "latest" };
  if (time instanceof Date && !Number.isNaN(time.getTime())) {
    return { kind: "time", timeMs: time.getTime() };
  }
  throw wrongArgument("restoreToTime: time", "a valid Date", time);
}

/** Reads every segment of a plan as a restore would, but for the file that it makes. */
async function prove(
  store: ObjectStore,
  plan: RestorePlan,
  { signal, onProgress }: ResolvedBackupOptions,
): Promise<void> {
  let done = 0;
  for await (const _ of readLine(store, plan, signal)) {
    onProgress?.({ step: "read", done: ++done, total: plan.files, unit: "files" });
  }
}

async function restore(
  store: ObjectStore,
  plan: RestorePlan,
  database: string,
  options: ResolvedBackupOptions,
): Promise<{ readonly proof: Proof; readonly replaced: Replaced }> {
  const { signal, onProgress } = options;
  await removeLeftovers(database);
  await assertRoom(dirname(database), await sizeOf(store, plan), "The restored database");
  const restored = restoringPath(database);
  const total = plan.files;
  try {
    await replay(store, plan, restored, {
      signal,
      onProgress: (done) => onProgress?.({ step: "unpack", done, total, unit: "files" }),
    });
    await using work = new BackupWork({ what: "The restore", signal, onProgress });
    const proof = await work.run({ kind: "check", path: restored });
    const replaced = await replaceDatabase({ database, restored, dryRun: false }, work, options);
    return { proof, replaced };
  } finally {
    await removeSteadily(restored);
  }
}

/** In bytes, after the last segment; it may have been larger in between. */
async function sizeOf(store: ObjectStore, { base, changes }: RestorePlan): Promise<number> {
  const ends = [base.parts.at(-1), changes.at(-1)].filter((listed) => listed !== undefined);
  const sizes = await Promise.all(
    ends.map(async (listed) => {
      const { facts } = await readSegment(store, listed);
      return facts.databasePages * facts.pageSize;
    }),
  );
  return Math.max(...sizes);
}
