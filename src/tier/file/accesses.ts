/**
 * When entries were used, and how often: gathered in memory and written into their files in
 * batches, so that no read writes.
 *
 * Time and count are written in place, into sixteen bytes of the head that have their own check
 * (see entry-file.ts). The times of the file system would cost a `stat` with every read of a file
 * that this process has no memory of, and tools that copy files change them.
 *
 * They are written when the time has changed enough to matter: by a tenth of a sliding life, or by
 * ten minutes for the order of eviction; and at the end. A process that is killed loses that much
 * and what came after the last flush; then an entry seems less used than it was. So it does when
 * two processes write into one file within the microseconds between look and write.
 */

import { addAccesses } from "./entry-file.ts";
import type { EntryFiles } from "./entry-files.ts";
import type { IndexEntry } from "./entry-index.ts";
import { isAbsent } from "./file-io.ts";
import { forEachAtOnce, Slices } from "./turns.ts";

/** How long a use waits to be written. */
const FLUSH_AFTER_MS = 5_000;
/** So many uses wait; beyond that, those that no sliding life hangs on are forgotten. */
const WAITING_MAX = 10_000;
/** The order of eviction needs no more. */
const GRAIN_MS = 600_000;
/** The part of a sliding life that may be lost. */
const SLIDING_GRAIN = 0.1;
const FILES_AT_ONCE = 4;

/** The uses of the entries of a tier. */
export class Accesses {
  readonly #files: EntryFiles;
  readonly #waiting = new Set<IndexEntry>();
  #timer: Disposable | undefined;
  #flushing: Promise<void> = Promise.resolve();

  constructor(files: EntryFiles) {
    this.#files = files;
  }

  /** Notes a use. */
  add(entry: IndexEntry, nowMs: number): void {
    const { index, settings } = this.#files;
    index.touch(entry, nowMs);
    const { slidingMs } = entry.meta;
    if (nowMs - entry.accessFlushedMs < grainMsOf(slidingMs)) return;
    if (this.#waiting.size >= WAITING_MAX && slidingMs === 0) return;
    this.#waiting.add(entry);
    this.#timer ??= settings.clock.schedule(() => void this.flush(), FLUSH_AFTER_MS);
  }

  /** Writes, of the uses that did not matter yet, as many as may wait. */
  async close(): Promise<void> {
    const slices = new Slices();
    for (const entry of this.#files.index.entries()) {
      if (this.#waiting.size >= WAITING_MAX) break;
      if (entry.unwrittenAccesses > 0) this.#waiting.add(entry);
      if (slices.isOver) await slices.pause();
    }
    await this.flush();
  }

  /** Writes what waits. It never fails: a use that is lost harms nobody. */
  flush(): Promise<void> {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    const entries = [...this.#waiting];
    this.#waiting.clear();
    this.#flushing = this.#flushing.then(() =>
      forEachAtOnce(entries, FILES_AT_ONCE, (entry) => this.#write(entry)),
    );
    return this.#flushing;
  }

  async #write(entry: IndexEntry): Promise<void> {
    const files = this.#files;
    const { hash } = entry;
    await files.inTurn(hash, async () => {
      // Replaced or removed meanwhile.
      if (files.index.get(hash) !== entry) return;
      const { accessedMs, unwrittenAccesses: accesses } = entry;
      try {
        const path = files.layout.entryPath(hash);
        await files.atGate(() => addAccesses(path, { accessedMs, accesses }));
        entry.accessFlushedMs = accessedMs;
        entry.unwrittenAccesses -= accesses;
      } catch (error) {
        if (!isAbsent(error)) files.counters.errors++;
      }
    });
  }
}

function grainMsOf(slidingMs: number): number {
  return slidingMs === 0 ? GRAIN_MS : slidingMs * SLIDING_GRAIN;
}
