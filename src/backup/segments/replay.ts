/**
 * Makes a database file from a base and the changes that follow on it. Pages are written in their
 * order into a new file; nobody else sees it before it is whole, synced and proved by whoever asked
 * for it.
 */

import { type FileHandle, open } from "node:fs/promises";
import { SpringhouseError } from "../../core/errors.ts";
import { toSpringhouseError } from "../../sqlite/errors.ts";
import type { ObjectStore } from "../object-store.ts";
import { lockPage } from "./pages.ts";
import type { RestorePlan } from "./plan.ts";
import { readLine } from "./read.ts";
import type { DecodedSegment } from "./segment.ts";

/** Only the owner may read it, as the database itself. */
const FILE_MODE = 0o600;

/** What can be said about a replay. */
export interface ReplayOptions {
  /** Gives up between two segments. Default: never. */
  readonly signal?: AbortSignal | undefined;
  /** Is told how many segments were read. Default: nobody is. */
  readonly onProgress?: ((files: number) => void) | undefined;
}

/**
 * Writes what a plan restores to `path`, which must not exist.
 *
 * @throws `SEGMENT_DAMAGED` with the file and the offset; the file that was begun is left to the
 *   caller, who chose its name.
 */
export async function replay(
  store: Pick<ObjectStore, "get">,
  plan: RestorePlan,
  path: string,
  { signal, onProgress }: ReplayOptions = {},
): Promise<void> {
  const file = await attempt(path, () => open(path, "wx", FILE_MODE));
  try {
    const writer = new PageWriter(file, path, plan.transaction);
    let files = 0;
    for await (const segment of readLine(store, plan, signal)) {
      await writer.apply(segment);
      onProgress?.(++files);
    }
    await writer.finish();
  } finally {
    await file.close();
  }
}

/** Applies segments up to a transaction. */
class PageWriter {
  readonly #file: FileHandle;
  readonly #path: string;
  readonly #last: number;
  #transaction = 0;
  #pageSize = 0;
  #pages = 0;

  constructor(file: FileHandle, path: string, last: number) {
    this.#file = file;
    this.#path = path;
    this.#last = last;
  }

  async apply({ facts, frames }: DecodedSegment): Promise<void> {
    if (facts.kind === "base") this.#transaction = facts.lastTransaction;
    this.#pageSize = facts.pageSize;
    const pages = new Map<number, Uint8Array>();
    for (const { page, commitPages, data } of frames) {
      // A frame after the last transaction belongs to one that is not wanted.
      if (facts.kind === "changes" && this.#transaction >= this.#last) break;
      if (page !== lockPage(facts.pageSize)) pages.set(page, data);
      if (commitPages === 0) continue;
      this.#pages = commitPages;
      if (facts.kind === "changes") this.#transaction++;
    }
    for (const run of runsOf(pages)) await this.#write(run);
  }

  async finish(): Promise<void> {
    if (this.#transaction !== this.#last || this.#pages === 0) {
      const message = `The segments end at transaction ${this.#transaction}, not ${this.#last}.`;
      throw new SpringhouseError("SEGMENT_MISSING", message, { fields: { last: this.#last } });
    }
    await attempt(this.#path, async () => {
      await this.#file.truncate(this.#pages * this.#pageSize);
      await this.#file.sync();
    });
  }

  async #write({ page, data }: Run): Promise<void> {
    const offset = (page - 1) * this.#pageSize;
    const { bytesWritten } = await attempt(this.#path, () => this.#file.writev(data, offset));
    if (bytesWritten === data.length * this.#pageSize) return;
    const message = `${this.#path}: not all of it could be written. Free some space, try again.`;
    throw new SpringhouseError("DISK_FULL", message, { fields: { path: this.#path } });
  }
}

/** Pages that stand beside each other in the file. */
interface Run {
  readonly page: number;
  readonly data: Uint8Array[];
}

/** What one call to the system takes. */
const RUN_PAGES_MAX = 1_000;

function runsOf(pages: ReadonlyMap<number, Uint8Array>): readonly Run[] {
  const runs: Run[] = [];
  for (const [page, data] of [...pages].sort(([a], [b]) => a - b)) {
    const run = runs.at(-1);
    const follows = run !== undefined && run.page + run.data.length === page;
    if (follows && run.data.length < RUN_PAGES_MAX) run.data.push(data);
    else runs.push({ page, data: [data] });
  }
  return runs;
}

async function attempt<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toSpringhouseError(error, { path });
  }
}
