/**
 * Making room: after every write, until all bounds hold again. One write makes little too much, so
 * little has to go; after the bounds were lowered, a sweep has more to do, in the same way.
 */

import type { EntryFiles } from "./entry-files.ts";
import type { IndexEntry } from "./entry-index.ts";
import { forEachAtOnce } from "./turns.ts";

/** Files that are removed together. */
const FILES_AT_ONCE = 8;
/** Chosen at one go; then others have their turn. */
const BATCH = 32;

/** Removes entries until the bounds hold. @returns how many. */
export async function evict(files: EntryFiles): Promise<number> {
  const { index } = files;
  const { bounds } = files.settings;
  let count = 0;
  for (const [category, bytesMax] of bounds.quotas) {
    count += await evictWhile(files, category, () => index.bytesOf(category) > bytesMax);
  }
  const isTooMuch = (): boolean => index.bytes > bounds.bytesMax || index.size > bounds.entriesMax;
  return count + (await evictWhile(files, undefined, isTooMuch));
}

/** Removes some entries whatever the bounds say: the disk is full. */
export async function evictSome(files: EntryFiles, count: number): Promise<number> {
  let left = count;
  return await evictWhile(files, undefined, () => left-- > 0 && files.index.size > 0);
}

async function evictWhile(
  files: EntryFiles,
  category: string | undefined,
  isTooMuch: () => boolean,
): Promise<number> {
  const { index, counters } = files;
  const isSurelyDead = (entry: IndexEntry): boolean => {
    const death = files.deathInIndex(entry);
    return death !== undefined && death !== "asks for a look";
  };
  let count = 0;
  for (;;) {
    const hashes: string[] = [];
    while (hashes.length < BATCH && isTooMuch()) {
      const victim = index.victim(category, isSurelyDead);
      const death = files.deathInIndex(victim);
      if (death === "expired") counters.expirations++;
      else if (death !== "dropped") counters.evictions++;
      // It counts no more from now on, so that whoever makes room beside us takes another.
      index.remove(victim.hash);
      hashes.push(victim.hash);
    }
    if (hashes.length === 0) return count;
    count += hashes.length;
    await forEachAtOnce(hashes, FILES_AT_ONCE, (hash) => removeUnlessNew(files, hash));
  }
}

/** The key may have been set again while we waited for its turn. */
function removeUnlessNew(files: EntryFiles, hash: string): Promise<void> {
  return files.inTurn(hash, async () => {
    if (files.index.get(hash) === undefined) await files.remove(hash);
  });
}
