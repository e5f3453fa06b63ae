/**
 * Where damaged files go, so that somebody can find out what damaged them.
 *
 * Names begin with the time, so the oldest is the first by name. It is bounded, since a bad disk
 * damages many files, and by bytes too, since they count for no other bound.
 */

import { lstat, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../core/clock.ts";
import { isAbsent, listFolder, renameFile, withFolder } from "./file-io.ts";

/** So many show what is going on. */
const FILES_MAX = 100;
/** So much room is for show. */
const BYTES_MAX = 50 * 1_024 * 1_024;
/** Digits of a time in milliseconds until the year 5138. */
const TIME_DIGITS = 15;

/** The damaged files of a tier. */
export class Quarantine {
  readonly #folder: string;
  readonly #clock: Clock;
  #pruning: Promise<void> = Promise.resolve();

  constructor(folder: string, clock: Clock) {
    this.#folder = folder;
    this.#clock = clock;
  }

  /** Moves a file here, if it is still there. */
  async take(path: string, hash: string): Promise<void> {
    const time = String(Math.trunc(this.#clock.nowMs())).padStart(TIME_DIGITS, "0");
    const target = join(this.#folder, `${time}-${hash}`);
    try {
      await withFolder(this.#folder, () => renameFile(path, target));
    } catch (error) {
      if (!isAbsent(error)) throw error;
    }
    // One after the other: two at once would count what the other has removed.
    this.#pruning = this.#pruning.then(() => this.#prune());
    await this.#pruning;
  }

  /** Removes the oldest until the bounds hold. */
  async #prune(): Promise<void> {
    let bytes = 0;
    const newestFirst = (await listFolder(this.#folder)).sort().reverse();
    for (const [index, name] of newestFirst.entries()) {
      const path = join(this.#folder, name);
      bytes += await lstat(path).then(
        ({ size }) => size,
        () => 0,
      );
      if (index >= FILES_MAX || bytes > BYTES_MAX) await rm(path, { recursive: true, force: true });
    }
  }
}
