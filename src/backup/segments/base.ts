/**
 * A base: every page of the database as a pinned snapshot has it, in parts of a few megabytes.
 *
 * The pages come by way of a copy beside the database, made by SQLite's online backup from within
 * the snapshot, so that it ends although others write. It is the only way to them that keeps the
 * locks of the process (see `log.ts`), and it needs the size of the database on its disk for as
 * long as the base is shipped.
 */

import { type FileHandle, open } from "node:fs/promises";
import type { DatabaseSync } from "node:sqlite";
import { nodeSqlite } from "../../core/node-sqlite.ts";
import { toSpringhouseError } from "../../sqlite/errors.ts";
import { createPrivately, syncFile } from "../../sqlite/files.ts";
import type { ObjectStore } from "../object-store.ts";
import { removeSteadily } from "../steady-file.ts";
import { segmentName } from "./names.ts";
import { lockPage } from "./pages.ts";
import { encodeSegment, SEGMENT_BYTES_MAX, type SegmentFacts } from "./segment.ts";
import type { Frame } from "./wal.ts";

/** Pages of a step of the backup: nobody waits for it, since it reads a snapshot. */
const PAGES_PER_STEP = 1_000;

/** Where a base stands. */
export interface BaseFacts
  extends Pick<SegmentFacts, "generation" | "timeMs" | "position" | "previous" | "pageSize"> {
  readonly folder: string;
  readonly transaction: number;
}

/** Where the copy stands while a base is made; what a crash leaves there is overwritten. */
export function copyPathOf(database: string): string {
  return `${database}-ship-base`;
}

/**
 * Ships a base from a connection that holds the snapshot. Returns its size in pages.
 *
 * @throws `DISK_FULL`, `IO`; parts that were shipped before make no base and are dropped later.
 */
export async function shipBase(
  connection: DatabaseSync,
  database: string,
  store: Pick<ObjectStore, "put">,
  facts: BaseFacts,
  signal?: AbortSignal,
): Promise<number> {
  const copy = copyPathOf(database);
  try {
    await removeSteadily(copy);
    createPrivately(copy);
    await nodeSqlite().backup(connection, copy, {
      rate: PAGES_PER_STEP,
      progress: () => syncFile(copy),
    });
    const file = await open(copy, "r");
    try {
      return await shipFile(file, store, facts, signal);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw toSpringhouseError(error, { path: copy });
  } finally {
    await removeSteadily(copy);
  }
}

async function shipFile(
  file: FileHandle,
  store: Pick<ObjectStore, "put">,
  { folder, transaction, ...facts }: BaseFacts,
  signal: AbortSignal | undefined,
): Promise<number> {
  const { pageSize } = facts;
  const pages = Math.floor((await file.stat()).size / pageSize);
  const pagesPerPart = SEGMENT_BYTES_MAX / pageSize;
  const parts = Math.ceil(pages / pagesPerPart);
  let { previous } = facts;
  for (let part = 1; part <= parts; part++) {
    const first = (part - 1) * pagesPerPart + 1;
    const frames = await readPages(
      file,
      pageSize,
      first,
      Math.min(pagesPerPart, pages - first + 1),
    );
    const last = frames.length - 1;
    const marked = frames.map((frame, at) =>
      part === parts && at === last ? { ...frame, commitPages: pages } : frame,
    );
    const whole: SegmentFacts = {
      ...facts,
      kind: "base",
      sequence: part,
      parts,
      firstTransaction: transaction,
      lastTransaction: transaction,
      databasePages: pages,
      previous,
    };
    const { bytes, hash } = await encodeSegment(whole, marked);
    await store.put(segmentName(folder, whole), bytes, signal);
    previous = hash;
  }
  return pages;
}

/** Pages of a file in a row, without the one that never holds data. */
export async function readPages(
  file: Pick<FileHandle, "read">,
  pageSize: number,
  first: number,
  count: number,
): Promise<readonly Frame[]> {
  const bytes = new Uint8Array(count * pageSize);
  await file.read(bytes, 0, bytes.length, (first - 1) * pageSize);
  const pages = Array.from({ length: count }, (_, at) => ({
    page: first + at,
    commitPages: 0,
    data: bytes.subarray(at * pageSize, (at + 1) * pageSize),
  }));
  return pages.filter(({ page }) => page !== lockPage(pageSize));
}
