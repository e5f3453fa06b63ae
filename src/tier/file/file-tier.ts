/**
 * A tier of files: one for each entry, in a folder that any number of processes use together.
 *
 * The files are the truth. What a process knows besides is made from them and is only a help; what
 * one has written, dropped or cleared holds for the next read of every other.
 *
 * | what | where |
 * |---|---|
 * | the file of an entry | `entry-file.ts` |
 * | its place | `layout.ts` |
 * | reading, looking and dropping | `read.ts` |
 * | replacing and removing, in turn | `entry-files.ts` |
 * | drops by tag and prefix | `drop-log.ts` |
 * | what is known of the files | `entry-index.ts` |
 * | bounds | `evict.ts` |
 * | order in the folder | `sweep.ts` |
 */

import { abortable, throwIfAborted } from "../../core/abort.ts";
import { isSpringhouseError, SpringhouseError } from "../../core/errors.ts";
import { newCounters } from "../counters.ts";
import type {
  EntryLook,
  ExpireOptions,
  KeysQuery,
  SetOutcome,
  SweepResult,
  Tier,
  TierCallOptions,
  TierEntry,
  TierStatistics,
} from "../tier.ts";
import { Accesses } from "./accesses.ts";
import type { Drop } from "./drop-log.ts";
import { EntryFiles } from "./entry-files.ts";
import { evict, evictSome } from "./evict.ts";
import { asTierError, makeFolder } from "./file-io.ts";
import { listKeys, takePrefix } from "./list.ts";
import { type FileTierOptions, resolveFileTierOptions } from "./options.ts";
import { dropOne, lookOne, readOne } from "./read.ts";
import { sweep, walk } from "./sweep.ts";
import { forEachAtOnce } from "./turns.ts";

/** Keys of one call that are worked on at once. */
const READS_AT_ONCE = 16;
/** Entries of one call that are encoded and written at once. */
const WRITES_AT_ONCE = 8;
/** Lines of the log of drops stay short enough to be read in no time. */
const TAGS_PER_LINE = 500;
/** Removed to make room for a line of the log of drops, which has to be written. */
const EMERGENCY_ENTRIES = 32;

/**
 * Keeps entries in files, for what is large and costs much: analyses, charts, exports.
 *
 * @example
 * const tier = fileTier({ folder: "cache/files", maxBytes: "2GB", quotas: { exports: "200MB" } });
 * @throws `INVALID_ARGUMENT` for an option that it does not know or cannot use.
 */
export function fileTier(options?: FileTierOptions): Tier {
  return new FileTier(options);
}

class FileTier implements Tier {
  readonly name: string;
  readonly #files: EntryFiles;
  readonly #accesses: Accesses;
  readonly #calls = new Set<Promise<unknown>>();
  /** The walk that makes the index. It never rejects. */
  readonly #scanned: Promise<void>;
  #sweeping: Promise<unknown> = Promise.resolve();
  #timer: Disposable | undefined;
  #closing: Promise<void> | undefined;
  readonly #isClosing = (): boolean => this.#closing !== undefined;

  constructor(options?: FileTierOptions) {
    const settings = resolveFileTierOptions(options);
    this.name = settings.name;
    this.#files = new EntryFiles(settings);
    this.#accesses = new Accesses(this.#files);
    this.#scanned = this.#scan();
    this.#scheduleSweep();
  }

  setQuotas(quotas: Readonly<Record<string, number>>): void {
    this.#files.settings.bounds.quotas.add(quotas);
  }

  async getMany(
    keys: readonly string[],
    options?: TierCallOptions,
  ): Promise<readonly (TierEntry | undefined)[]> {
    return await this.#call("getMany", options, async () => {
      const entries = new Array<TierEntry | undefined>(keys.length).fill(undefined);
      const refreshed = this.#refreshDrops();
      await forEachAtOnce(
        keys,
        READS_AT_ONCE,
        async (key, index) => {
          entries[index] = await readOne(this.#files, this.#accesses, key, refreshed);
        },
        options?.signal,
      );
      return entries;
    });
  }

  async lookMany(
    keys: readonly string[],
    options?: TierCallOptions,
  ): Promise<readonly (EntryLook | undefined)[]> {
    return await this.#call("lookMany", options, async () => {
      const looks = new Array<EntryLook | undefined>(keys.length).fill(undefined);
      const refreshed = this.#refreshDrops();
      await forEachAtOnce(
        keys,
        READS_AT_ONCE,
        async (key, index) => {
          looks[index] = await lookOne(this.#files, key, refreshed);
        },
        options?.signal,
      );
      return looks;
    });
  }

  async setMany(
    entries: readonly TierEntry[],
    options?: TierCallOptions,
  ): Promise<readonly SetOutcome[]> {
    return await this.#call("setMany", options, async () => {
      if (entries.length === 0) return [];
      const outcomes = new Array<SetOutcome>(entries.length).fill("stored");
      try {
        // One position for all: what is dropped while they are written may concern any of them.
        const begunMs = performance.now();
        const position = await this.#files.drops.position();
        await forEachAtOnce(
          entries,
          WRITES_AT_ONCE,
          async (entry, index) => {
            outcomes[index] = await this.#files.store(entry, position, begunMs);
          },
          options?.signal,
        );
      } finally {
        await evict(this.#files);
      }
      return outcomes;
    });
  }

  async expireMany(keys: readonly string[], options?: ExpireOptions): Promise<number> {
    return await this.#call("expireMany", options, async () => {
      let count = 0;
      const { atMs = Number.POSITIVE_INFINITY, signal } = options ?? {};
      const begunMs = performance.now();
      await this.#files.drops.refresh();
      await forEachAtOnce(
        [...new Set(keys)],
        WRITES_AT_ONCE,
        async (key) => {
          if (await this.#files.expire(key, atMs, begunMs)) count++;
        },
        signal,
      );
      return count;
    });
  }

  async dropMany(keys: readonly string[], options?: TierCallOptions): Promise<number> {
    return await this.#call("dropMany", options, async () => {
      let count = 0;
      await this.#files.drops.refresh();
      await forEachAtOnce(
        keys,
        READS_AT_ONCE,
        async (key) => {
          if (await dropOne(this.#files, key)) count++;
        },
        options?.signal,
      );
      return count;
    });
  }

  async dropTags(tags: readonly string[], options?: TierCallOptions): Promise<void> {
    await this.#call("dropTags", options, async () => {
      const all = [...new Set(tags)];
      for (let start = 0; start < all.length; start += TAGS_PER_LINE) {
        await this.#append({ tags: all.slice(start, start + TAGS_PER_LINE) });
      }
    });
  }

  async dropPrefix(prefix: string, options?: TierCallOptions): Promise<number> {
    return await this.#call("dropPrefix", options, async () => {
      // Without a walk: a line of the log kills the files that others have written, too.
      return await takePrefix(this.#files, prefix, () => this.#append({ prefix }));
    });
  }

  async *keys(query?: KeysQuery, options?: TierCallOptions): AsyncGenerator<readonly string[]> {
    await this.#call("keys", options, () => this.#findAll());
    const chunks = listKeys(this.#files, query);
    for (;;) {
      const chunk = await this.#call("keys", options, () => chunks.next());
      if (chunk.done === true) return;
      yield chunk.value;
    }
  }

  async clear(options?: TierCallOptions): Promise<void> {
    await this.#call("clear", options, async () => {
      await this.#append({ prefix: "" });
      this.#files.index.clear();
    });
  }

  async sweep(options?: TierCallOptions): Promise<SweepResult> {
    return await this.#call("sweep", options, async () => {
      await this.#scanned;
      return await this.#sweepInTurn();
    });
  }

  statistics(): TierStatistics {
    const { index, counters } = this.#files;
    return { entries: index.size, bytes: index.bytes, ...counters };
  }

  resetStatistics(): void {
    Object.assign(this.#files.counters, newCounters());
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#timer?.[Symbol.dispose]();
    await Promise.allSettled([...this.#calls, this.#scanned, this.#sweeping]);
    await this.#accesses.close();
    this.#files.drops.close();
  }

  /** What all calls have in common: they are refused after the end, given up, and counted. */
  async #call<T>(
    what: string,
    { signal }: TierCallOptions = {},
    work: () => Promise<T>,
  ): Promise<T> {
    throwIfAborted(signal, `${what} of the tier "${this.name}"`);
    if (this.#closing !== undefined) {
      throw new SpringhouseError("CLOSED", `The tier "${this.name}" is closed. Open it again.`);
    }
    const call = this.#counted(work);
    this.#calls.add(call);
    const end = (): void => void this.#calls.delete(call);
    call.then(end, end);
    return await abortable(call, signal, `${what} of the tier "${this.name}"`);
  }

  async #counted<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!isSpringhouseError(error, "INVALID_ARGUMENT")) this.#files.counters.errors++;
      throw asTierError(error, `A call of the tier "${this.name}"`);
    }
  }

  /** Begun now and awaited by each key, which it fails; without keys nobody would. */
  #refreshDrops(): Promise<void> {
    const refreshed = this.#files.drops.refresh();
    refreshed.catch(() => undefined);
    return refreshed;
  }

  /** Goes through the folders, so that the files of other processes are known, too. */
  async #findAll(): Promise<void> {
    await this.#scanned;
    await this.#files.drops.refresh();
    await walk(this.#files, false, () => undefined, this.#isClosing);
  }

  async #append(drop: Drop): Promise<void> {
    const { drops } = this.#files;
    try {
      await drops.append(drop);
    } catch (error) {
      if (!isSpringhouseError(asTierError(error, ""), "DISK_FULL")) throw error;
      // To drop needs some bytes, and entries are what can be done without.
      await evictSome(this.#files, EMERGENCY_ENTRIES);
      await drops.append(drop);
    }
  }

  async #scan(): Promise<void> {
    const { drops, layout } = this.#files;
    try {
      await makeFolder(layout.root);
      await drops.refresh();
      await walk(this.#files, false, () => undefined, this.#isClosing);
      await evict(this.#files);
    } catch {
      // The next sweep tries again, and a call that needs the folder says what is wrong.
      this.#files.counters.errors++;
    }
  }

  #sweepInTurn(): Promise<SweepResult> {
    const isOver = this.#isClosing;
    const sweeping = this.#sweeping.then(() => sweep(this.#files, { isOver }));
    this.#sweeping = sweeping.catch(() => undefined);
    return sweeping;
  }

  #scheduleSweep(): void {
    const { clock, sweepEveryMs } = this.#files.settings;
    if (sweepEveryMs === 0) return;
    this.#timer = clock.schedule(() => void this.#sweepAndGoOn(), sweepEveryMs);
  }

  async #sweepAndGoOn(): Promise<void> {
    await this.#scanned;
    if (this.#closing !== undefined) return;
    await this.#sweepInTurn().catch(() => this.#files.counters.errors++);
    if (this.#closing === undefined) this.#scheduleSweep();
  }
}
