/**
 * What was dropped by tag, by prefix or altogether: for every process, at once, and for good.
 *
 * To drop a tag is to append one line to a log; that is O(1) however many entries have the tag.
 * Each entry tells how far the log went when it was written, and a line that came later kills it.
 * No clock is asked, so none can be wrong, and a drop and a write within one millisecond keep their
 * order. Dead files are removed by the next sweep.
 *
 * The log is a chain of files called by their numbers, read and appended by any number of processes
 * without a lock. What makes that right is that appends to one file have an order:
 *
 * - A call looks (`fstat`) whether the log has grown since, and reads what is new. A line counts
 *   once its end is there; one begins with a line feed, so that half a line hurts nobody.
 * - When a file has grown large, a sweep makes the next one and then appends `{"next":n}`. What
 *   stands behind that line does not count; whoever wrote it sees that, and writes it again into
 *   the next file.
 * - A file that is left is removed when a walk over all entries, begun later, has removed every
 *   entry that a line of it kills; see sweep.ts. A write that took longer than
 *   `FORGET_AFTER_MS` asks whether that has happened.
 * - The first line names the log. An entry of another log (its own was deleted) is dead.
 *
 * The log is not synced: after a power failure the last drops may be undone, as may be the removal
 * of any file; a killed process loses none.
 */

import { constants } from "node:fs";
import { join } from "node:path";
import {
  closeFile,
  isAbsent,
  listFolder,
  openFile,
  readInto,
  removeFile,
  statOpen,
  withFolder,
  writeAll,
} from "./file-io.ts";

/** A place in a log. */
export interface LogPosition {
  readonly log: string;
  readonly at: number;
}

/** What decides whether an entry was dropped. */
export interface Droppable extends LogPosition {
  readonly key: string;
  readonly tags: readonly string[];
}

/** What can be dropped with one line. */
export type Drop = { readonly tags: readonly string[] } | { readonly prefix: string };

type Line = {
  readonly id?: string;
  readonly log?: string;
  readonly next?: number;
  readonly tags?: readonly string[];
  readonly prefix?: string;
};

/** From here on a file is left for the next: reading it at a start takes some milliseconds. */
export const SEGMENT_BYTES_MAX: number = 256 * 1_024;
/** A position is the number of its file times this, plus the offset within. */
const SEGMENT_SPAN = 2 ** 32;
/** A file that was left is kept for so long, for writes that had begun before. */
export const FORGET_AFTER_MS: number = 60_000;
/** Tries of an append, each lost to a change of files or the deletion of the folder. */
const TRIES_MAX = 10;
const NEW_LINE = 10;

/** The log of one folder, as this process knows it. */
export class DropLog {
  readonly #folder: string;
  #log = "";
  #segment = 0;
  #since = performance.now();
  #fd: number | undefined;
  /** Up to where the present file was read. */
  #offset = 0;
  readonly #tags = new Map<string, number>();
  /** Prefixes by their length, so that a key is looked up once for each length that occurs. */
  readonly #prefixes = new Map<number, Map<string, number>>();
  /** Lines of our own that are waiting to be read back. */
  readonly #pending = new Set<string>();
  readonly #readBack: string[] = [];
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Whether a line that came after the entry kills it. Refresh first. */
  kills({ log, at, key, tags }: Droppable): boolean {
    if (log !== this.#log) return true;
    for (const tag of tags) {
      if ((this.#tags.get(tag) ?? -1) >= at) return true;
    }
    for (const [length, prefixes] of this.#prefixes) {
      if (length <= key.length && (prefixes.get(key.slice(0, length)) ?? -1) >= at) return true;
    }
    return false;
  }

  /** Whether a position is of the log as it was read last; else it is to be read again. */
  isOf({ log }: LogPosition): boolean {
    return log === this.#log;
  }

  /** Reads what is new. Calls that come while one is under way share the one after it. */
  refresh(): Promise<void> {
    if (this.#next !== undefined) return this.#next;
    if (this.#running === undefined) return this.#begin();
    const begin = (): Promise<void> => this.#begin();
    this.#next = this.#running.then(begin, begin);
    return this.#next;
  }

  /** Where the log stands, for an entry that is about to be written; makes a log if none is. */
  async position(): Promise<LogPosition> {
    await this.refresh();
    for (let tries = 0; this.#log === "" && tries < TRIES_MAX; tries++) {
      await this.#create(Math.max(1, this.#segment), crypto.randomUUID());
      await this.refresh();
    }
    return { log: this.#log, at: this.#segment * SEGMENT_SPAN + this.#offset };
  }

  /** Drops. It holds for every read, in any process, that begins after it is done. */
  async append(drop: Drop): Promise<void> {
    const id = crypto.randomUUID();
    this.#pending.add(id);
    try {
      for (let tries = 0; tries < TRIES_MAX; tries++) {
        await this.position();
        await this.#write(this.#segment, { id, ...drop });
        await this.refresh();
        if (!this.#pending.has(id)) return;
      }
      throw new Error(`The log ${this.#folder} was deleted ${TRIES_MAX} times while it was used.`);
    } finally {
      this.#pending.delete(id);
    }
  }

  /** Whether lines that came after an old position may be forgotten. */
  async isForgotten({ at }: LogPosition): Promise<boolean> {
    const [oldest = 0] = await this.#segments();
    return Math.floor(at / SEGMENT_SPAN) < oldest;
  }

  /** The number of the present file; remember it before a walk, and `forgetBefore` it after. */
  get segment(): number {
    return this.#segment;
  }

  /** Whether older files may be forgotten once a walk over all entries has been made. */
  async hasForgettable(): Promise<boolean> {
    if (performance.now() - this.#since < FORGET_AFTER_MS) return false;
    return (await this.#segments())[0] !== this.#segment && this.#segment > 0;
  }

  /** Leaves the present file for a new one when it has grown large. */
  async rotate(bytesMax: number = SEGMENT_BYTES_MAX): Promise<void> {
    if (this.#fd === undefined || this.#offset < bytesMax) return;
    const segment = this.#segment;
    await this.#create(segment + 1, this.#log);
    await this.#write(segment, { next: segment + 1 });
    await this.refresh();
  }

  /** Removes the files before this one, and what they said. */
  async forgetBefore(segment: number): Promise<void> {
    for (const number of await this.#segments()) {
      if (number < segment) await removeFile(join(this.#folder, String(number)));
    }
    const from = segment * SEGMENT_SPAN;
    for (const positions of [this.#tags, ...this.#prefixes.values()]) {
      for (const [name, at] of positions) if (at < from) positions.delete(name);
    }
    for (const [length, prefixes] of this.#prefixes) {
      if (prefixes.size === 0) this.#prefixes.delete(length);
    }
  }

  /** Gives the file back. */
  close(): void {
    if (this.#fd !== undefined) closeFile(this.#fd);
    this.#fd = undefined;
  }

  #begin(): Promise<void> {
    this.#next = undefined;
    this.#running = this.#read().finally(() => {
      if (this.#next === undefined) this.#running = undefined;
    });
    return this.#running;
  }

  async #read(): Promise<void> {
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      if (this.#fd === undefined && !(await this.#openOldest())) return;
      const fd = this.#fd as number;
      const { size, nlink } = await statOpen(fd);
      const next = size > this.#offset ? await this.#take(fd, size) : undefined;
      if (next !== undefined) {
        this.#confirm();
        if (!(await this.#open(next))) this.#forgetLog();
      } else if (nlink > 0) {
        this.#confirm();
        return;
      } else {
        // The folder was deleted, or we have slept through several files: begin anew.
        this.#forgetLog();
      }
    }
  }

  /** Reads the lines up to `size`. @returns the file to go on with, if this one was left. */
  async #take(fd: number, size: number): Promise<number | undefined> {
    const bytes = Buffer.allocUnsafe(size - this.#offset);
    const count = await readInto(fd, bytes, this.#offset);
    const end = bytes.subarray(0, count).lastIndexOf(NEW_LINE) + 1;
    let from = 0;
    while (from < end) {
      const to = bytes.indexOf(NEW_LINE, from);
      const next = this.#apply(bytes.toString("utf8", from, to), this.#offset + from);
      if (next !== undefined) return next;
      from = to + 1;
    }
    this.#offset += end;
    return undefined;
  }

  #apply(text: string, offset: number): number | undefined {
    const line = parseLine(text);
    if (line === undefined) return undefined;
    const at = this.#segment * SEGMENT_SPAN + offset;
    if (line.log !== undefined && this.#log === "") this.#log = line.log;
    for (const tag of line.tags ?? []) this.#tags.set(tag, at);
    if (line.prefix !== undefined) {
      const { length } = line.prefix;
      const prefixes = this.#prefixes.get(length) ?? new Map<string, number>();
      this.#prefixes.set(length, prefixes.set(line.prefix, at));
    }
    if (line.id !== undefined && this.#pending.has(line.id)) this.#readBack.push(line.id);
    return line.next;
  }

  /** The file that was read is part of the log, so what it says holds. */
  #confirm(): void {
    for (const id of this.#readBack) this.#pending.delete(id);
    this.#readBack.length = 0;
  }

  async #openOldest(): Promise<boolean> {
    const [oldest] = await this.#segments();
    return oldest !== undefined && (await this.#open(oldest));
  }

  async #open(segment: number): Promise<boolean> {
    this.close();
    try {
      this.#fd = await openFile(join(this.#folder, String(segment)), "r");
    } catch (error) {
      if (isAbsent(error)) return false;
      throw error;
    }
    this.#segment = segment;
    this.#offset = 0;
    this.#since = performance.now();
    return true;
  }

  /** Makes a file, or appends to it: the first line that names the log counts. */
  async #create(segment: number, log: string): Promise<void> {
    const path = join(this.#folder, String(segment));
    await appendLine(await withFolder(this.#folder, () => openFile(path, "a")), { log });
  }

  /**
   * Appends to a file, unless it is gone. It is opened each time: the one that is open for reading
   * may be closed, and its number given to another, while a write waits for its thread.
   */
  async #write(segment: number, line: Line): Promise<void> {
    const flags = constants.O_WRONLY | constants.O_APPEND;
    try {
      await appendLine(await openFile(join(this.#folder, String(segment)), flags), line);
    } catch (error) {
      if (!isAbsent(error)) throw error;
    }
  }

  /** The numbers of the files, the oldest first. */
  async #segments(): Promise<number[]> {
    const names = await listFolder(this.#folder);
    return names
      .filter((name) => /^[1-9]\d*$/.test(name))
      .map(Number)
      .sort((a, b) => a - b);
  }

  #forgetLog(): void {
    this.close();
    this.#log = "";
    this.#segment = 0;
    this.#offset = 0;
    this.#readBack.length = 0;
    this.#tags.clear();
    this.#prefixes.clear();
  }
}

async function appendLine(fd: number, line: Line): Promise<void> {
  try {
    await writeAll(fd, Buffer.from(`\n${JSON.stringify(line)}\n`));
  } finally {
    closeFile(fd);
  }
}

/** A line that holds what it should; half a line, or garbage, is none. */
function parseLine(text: string): Line | undefined {
  if (text === "") return undefined;
  try {
    const line = JSON.parse(text) as Line | null;
    return line !== null && typeof line === "object" && isLine(line) ? line : undefined;
  } catch {
    return undefined;
  }
}

function isLine({ id = "", log = "", next = 1, tags = [], prefix = "" }: Line): boolean {
  const texts: unknown[] = [id, log, prefix];
  if (!Array.isArray(tags) || !Number.isInteger(next)) return false;
  return texts.concat(tags).every((text) => typeof text === "string");
}
