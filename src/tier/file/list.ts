/** Going through what is known of the files, in slices. */

import type { KeysQuery } from "../tier.ts";
import type { EntryFiles } from "./entry-files.ts";
import type { IndexEntry } from "./entry-index.ts";
import { Slices } from "./turns.ts";

/** The contract of a tier. */
const CHUNK_MAX = 1_000;

/** The keys of living entries, in chunks. */
export async function* listKeys(
  files: EntryFiles,
  { prefix = "", tag }: KeysQuery = {},
): AsyncGenerator<readonly string[]> {
  const slices = new Slices();
  let chunk: string[] = [];
  for (const entry of files.index.entries()) {
    const { key, tags } = entry.meta;
    const isAskedFor = key.startsWith(prefix) && (tag === undefined || tags.includes(tag));
    if (isAskedFor && (await files.isLiving(entry))) chunk.push(key);
    if (chunk.length === CHUNK_MAX) {
      yield chunk;
      chunk = [];
    }
    if (slices.isOver) await slices.pause();
  }
  if (chunk.length > 0) yield chunk;
}

/**
 * Takes the entries of a prefix out of the index around the `drop` that kills them.
 *
 * @returns how many of them were alive, as far as the index knows. All files of the prefix are
 *   removed by the next sweep.
 */
export async function takePrefix(
  files: EntryFiles,
  prefix: string,
  drop: () => Promise<void>,
): Promise<number> {
  const living: IndexEntry[] = [];
  const slices = new Slices();
  for (const entry of files.index.entries()) {
    const isAlive = entry.meta.key.startsWith(prefix) && files.deathInIndex(entry) === undefined;
    if (isAlive) living.push(entry);
    if (slices.isOver) await slices.pause();
  }
  await drop();
  let count = 0;
  for (const entry of living) {
    // What was set, dropped or evicted meanwhile has been dealt with.
    if (files.index.get(entry.hash) === entry) {
      files.index.remove(entry.hash);
      count++;
    }
    if (slices.isOver) await slices.pause();
  }
  files.counters.drops += count;
  return count;
}
