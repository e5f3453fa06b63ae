/**
 * Keeping the folder in order: a walk that finds the files of other processes, and the removal of
 * what is dead, too much, or left behind.
 *
 * A sweep goes through the folders by name only and looks into the files that it does not know.
 * The first one, at the start, knows none: that is how the index is made. All of them are looked
 * into, too, before lines of the log of drops are forgotten: what another process has put in the
 * place of a known file may be what they kill.
 */

import { lstat } from "node:fs/promises";
import { join } from "node:path";
import type { SweepResult } from "../tier.ts";
import type { EntryFiles, Judgement } from "./entry-files.ts";
import { evict } from "./evict.ts";
import { listFolder, removeFile } from "./file-io.ts";
import { LEVEL_ONE, LEVEL_TWO, nameInShelf, type Shelf } from "./layout.ts";
import { forEachAtOnce, Slices } from "./turns.ts";

/** A file that has been written for so long never will be: its process was killed. */
const TEMPORARY_AGE_MAX_MS = 60_000;
/** Folders and files that are looked at together: a sweep leaves room for those who wait. */
const FOLDERS_AT_ONCE = 2;
const FILES_AT_ONCE = 4;

/** What a sweep is told. */
export interface SweepOptions {
  /** Whether it should be given up, since the tier is being closed. */
  readonly isOver: () => boolean;
}

/** Sweeps once. */
export async function sweep(files: EntryFiles, { isOver }: SweepOptions): Promise<SweepResult> {
  const { drops } = files;
  const result = { expired: 0, reclaimed: 0 };
  const count = (judgement: Judgement): void => {
    if (judgement === "expired") result.expired++;
    if (judgement === "dropped") result.reclaimed++;
  };
  await drops.refresh();
  const { segment } = drops;
  const forgets = await drops.hasForgettable();
  await walk(files, forgets, count, isOver);
  await removeDead(files, count, isOver);
  result.reclaimed += await evict(files);
  if (isOver()) return result;
  if (forgets) await drops.forgetBefore(segment);
  await drops.rotate();
  return result;
}

/** Goes through all folders, so that the index has what is there and nothing else. */
export async function walk(
  files: EntryFiles,
  everyFile: boolean,
  count: (judgement: Judgement) => void,
  isOver: () => boolean,
): Promise<void> {
  const { index, layout } = files;
  const pass = ++index.walk;
  for (const one of LEVEL_ONE) {
    const folder = join(layout.root, one);
    const names = (await listFolder(folder)).filter((name) => LEVEL_TWO.has(name));
    await forEachAtOnce(names, FOLDERS_AT_ONCE, async (two) => {
      if (isOver()) return;
      const shelf = { digits: one + two, path: join(folder, two) };
      await walkShelf(files, shelf, everyFile, count);
    });
  }
  if (isOver()) return;
  const slices = new Slices();
  for (const entry of index.entries()) {
    // Its file was not met; whoever wrote it since has marked it.
    if (entry.walk < pass) count(await files.settle(entry.hash));
    if (slices.isOver) await slices.pause();
  }
}

async function walkShelf(
  files: EntryFiles,
  { digits, path }: Shelf,
  everyFile: boolean,
  count: (judgement: Judgement) => void,
): Promise<void> {
  const { index } = files;
  const unknown: string[] = [];
  for (const name of await listFolder(path)) {
    const found = nameInShelf(digits, name);
    if (found.kind === "temporary") await removeLeftover(join(path, name));
    if (found.kind !== "entry") continue;
    const known = index.get(found.hash);
    if (known !== undefined) known.walk = index.walk;
    if (known === undefined || everyFile) unknown.push(found.hash);
  }
  await forEachAtOnce(unknown, FILES_AT_ONCE, async (hash) => count(await files.settle(hash)));
}

async function removeLeftover(path: string): Promise<void> {
  // The times of files are those of the machine, whatever the clock of the tier says.
  const ageMs = await lstat(path).then(
    ({ mtimeMs }) => Date.now() - mtimeMs,
    () => 0,
  );
  if (ageMs > TEMPORARY_AGE_MAX_MS) await removeFile(path);
}

async function removeDead(
  files: EntryFiles,
  count: (judgement: Judgement) => void,
  isOver: () => boolean,
): Promise<void> {
  const slices = new Slices();
  let dead: string[] = [];
  const removeThem = async (): Promise<void> => {
    const hashes = dead;
    dead = [];
    await forEachAtOnce(hashes, FILES_AT_ONCE, async (hash) => count(await files.settle(hash)));
  };
  for (const entry of files.index.entries()) {
    const death = files.deathOf(entry.meta, entry.accessedMs);
    if (death === "expired" || death === "dropped") dead.push(entry.hash);
    if (!slices.isOver) continue;
    if (isOver()) return;
    await removeThem();
    await slices.pause();
  }
  await removeThem();
}
