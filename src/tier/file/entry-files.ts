/**
 * The files of the entries, and what this process knows of them, kept in step.
 *
 * Whatever changes a file does so in the turn of its key, and looks at the file within that turn:
 * so a process never undoes its own newer work. Another process takes no part in the turns; it
 * replaces files with one rename, so a reader sees the old file or the new one. Two processes that
 * write one key within the microseconds between look and rename may leave the older one, and one
 * that removes a file may in that time remove a newer one, which is a miss.
 *
 * Nothing is synced: after a power failure the cache may have lost what was written last, and a
 * file that was written in part fails its checksum. Waiting for the disk would buy nothing else.
 */

import { type Counters, newCounters } from "../counters.ts";
import { pack } from "../payload.ts";
import type { SetOutcome, TierEntry } from "../tier.ts";
import { DropLog, FORGET_AFTER_MS, type LogPosition } from "./drop-log.ts";
import {
  type EntryHead,
  type EntryMeta,
  encodeEntry,
  type Found,
  readEntry,
  readHead,
} from "./entry-file.ts";
import { EntryIndex, type IndexEntry, roomOf } from "./entry-index.ts";
import {
  asTierError,
  closeFile,
  openFile,
  removeFile,
  renameFile,
  withFolder,
  writeAll,
} from "./file-io.ts";
import { hashOfKey, Layout, temporaryName } from "./layout.ts";
import { ageOf, lifeOf } from "./life.ts";
import type { FileTierSettings } from "./options.ts";
import { Quarantine } from "./quarantine.ts";
import { Gate, KeyedTurns } from "./turns.ts";

/** Files that are open at once; more would only wait in the queue of libuv, before everybody's. */
const FILES_AT_ONCE = 32;

/** A file as it is written. */
interface EncodedFile {
  readonly meta: EntryMeta;
  readonly bytes: Buffer;
}

const DAMAGED: Found & { readonly state: "damaged" } = { state: "damaged" };

/** Why an entry is not given out. */
export type Death = "expired" | "dropped" | "future";

/** What a look at a file, in its turn, led to. */
export type Judgement = "living" | "absent" | "damaged" | Death;

/** The files of a tier. */
export class EntryFiles {
  readonly settings: FileTierSettings;
  readonly layout: Layout;
  readonly index: EntryIndex = new EntryIndex();
  readonly drops: DropLog;
  readonly counters: Counters = newCounters();
  readonly #quarantine: Quarantine;
  readonly #turns = new KeyedTurns();
  readonly #gate = new Gate(FILES_AT_ONCE);

  constructor(settings: FileTierSettings) {
    this.settings = settings;
    this.layout = new Layout(settings.folder);
    this.drops = new DropLog(this.layout.drops);
    this.#quarantine = new Quarantine(this.layout.quarantine, settings.clock);
  }

  /** Why an entry is dead, when it is. The log of drops must have been refreshed. */
  deathOf(meta: EntryMeta, accessedMs: number): Death | undefined {
    const age = ageOf(meta, accessedMs, this.settings.clock.nowMs());
    if (age !== "living") return age;
    return this.drops.kills(meta) ? "dropped" : undefined;
  }

  /**
   * Why an entry is dead, by the index alone. A sliding one that seems to have expired may have
   * been renewed by another process: only its file knows.
   */
  deathInIndex({ meta, accessedMs }: IndexEntry): Death | "asks for a look" | undefined {
    const death = this.deathOf(meta, accessedMs);
    return death === "expired" && meta.slidingMs > 0 ? "asks for a look" : death;
  }

  /** Whether an entry is alive, by the index and, when that does not know, its file. */
  async isLiving(entry: IndexEntry): Promise<boolean> {
    const death = this.deathInIndex(entry);
    if (death !== "asks for a look") return death === undefined;
    return (await this.settle(entry.hash)) === "living";
  }

  /** When the entry in a file was used last, by what the file and this process know. */
  accessedMsOf(hash: string, { meta, accessedMs }: EntryHead): number {
    const known = this.index.get(hash);
    // Another process may have written another entry since.
    if (known?.meta.createdMs !== meta.createdMs) return accessedMs;
    return Math.max(known.accessedMs, accessedMs);
  }

  /** Reads a file whole. */
  read(hash: string): Promise<Found> {
    const bytes = this.index.get(hash)?.bytes;
    return this.#gate.run(() => readEntry(this.layout.entryPath(hash), bytes));
  }

  /** Looks at a file. */
  look(hash: string): Promise<Found> {
    return this.#gate.run(() => readHead(this.layout.entryPath(hash)));
  }

  /** Runs alone for a key. */
  inTurn<T>(hash: string, work: () => Promise<T>): Promise<T> {
    return this.#turns.run(hash, work);
  }

  /** Runs with one of the places for open files. */
  atGate<T>(work: () => Promise<T>): Promise<T> {
    return this.#gate.run(work);
  }

  /**
   * Looks at a file again in its turn, takes in what is there, and removes what is dead or damaged.
   * What is of the future stays: the clock may be put right.
   */
  settle(hash: string): Promise<Judgement> {
    return this.inTurn(hash, async () => {
      const found = await this.look(hash);
      if (found.state !== "entry") return await this.#settleOther(hash, found);
      const { head } = found;
      if (hashOfKey(head.meta.key) !== hash) return await this.#settleOther(hash, DAMAGED);
      // Another process may have begun a log since we looked, and written this entry.
      if (!this.drops.isOf(head.meta)) await this.drops.refresh();
      const death = this.deathOf(head.meta, this.accessedMsOf(hash, head));
      if (death === "expired" || death === "dropped") {
        if (death === "expired") this.counters.expirations++;
        await this.remove(hash);
        return death;
      }
      const known = this.index.get(hash);
      if (known === undefined || !isSame(known, head)) {
        this.index.put(hash, head);
      } else {
        known.walk = this.index.walk;
        known.accessedMs = Math.max(known.accessedMs, head.accessedMs);
      }
      return death ?? "living";
    });
  }

  /** Reads a damaged file again in its turn; it is set aside unless it was replaced meanwhile. */
  setAside(hash: string, isDamaged: (found: Found) => Promise<boolean>): Promise<void> {
    return this.inTurn(hash, async () => {
      if (await isDamaged(await this.read(hash))) await this.#settleOther(hash, DAMAGED);
    });
  }

  async #settleOther(hash: string, found: Exclude<Found, { state: "entry" }>): Promise<Judgement> {
    this.index.remove(hash);
    if (found.state === "foreign" && found.isOlder) await this.remove(hash);
    if (found.state !== "damaged") return "absent";
    this.counters.errors++;
    await this.#quarantine.take(this.layout.entryPath(hash), hash);
    return "damaged";
  }

  /** Removes the file of a key; in its turn. */
  async remove(hash: string): Promise<boolean> {
    this.index.remove(hash);
    return await this.#gate.run(() => removeFile(this.layout.entryPath(hash)));
  }

  /**
   * Stores an entry, in the turn of its key.
   *
   * @param position where the log of drops stood when the call began, at `begunMs`.
   */
  store(entry: TierEntry, position: LogPosition, begunMs: number): Promise<SetOutcome> {
    const hash = hashOfKey(entry.key);
    return this.inTurn(hash, async () => {
      const file = await this.#encode(entry, position);
      const before = await this.look(hash);
      if (before.state === "damaged") await this.#settleOther(hash, before);
      if (before.state === "entry" && this.#isLater(hash, before.head, entry)) {
        this.counters.refusals++;
        return "outdated";
      }
      if (file === undefined || this.#isTooLarge(file.bytes.byteLength, entry.category)) {
        this.counters.refusals++;
        await this.remove(hash);
        return "too-large";
      }
      await this.#replace(hash, file, entry.createdMs, begunMs);
      this.counters.sets++;
      return "stored";
    });
  }

  /**
   * Ends the freshness of an entry, in the turn of its key. Its file is made anew with another head
   * and put in its place by a rename, so that no reader and no crash meets half a head; its value
   * is copied as it is. It slides no more: a use that its file is told of later renews nothing.
   *
   * @param begunMs when the call began, which has refreshed the log of drops.
   * @returns whether there was one.
   */
  expire(key: string, atMs: number, begunMs: number): Promise<boolean> {
    const hash = hashOfKey(key);
    return this.inTurn(hash, async () => {
      const found = await this.read(hash);
      if (found.state === "absent" || found.state === "foreign") {
        // A program of another version would find it fresh.
        await this.remove(hash);
        return false;
      }
      if (found.state === "damaged" || found.head.meta.key !== key) {
        await this.#settleOther(hash, DAMAGED);
        return false;
      }
      const { head, body } = found;
      if (!this.drops.isOf(head.meta)) await this.drops.refresh();
      const nowMs = this.settings.clock.nowMs();
      const accessedMs = this.accessedMsOf(hash, head);
      const death = this.deathOf(head.meta, accessedMs);
      if (death === "expired" || death === "dropped") {
        // Another process may have renewed it without having written that.
        await this.remove(hash);
        return false;
      }
      if (death === undefined && head.meta.createdMs > atMs) return false;
      const { freshUntilMs, keepUntilMs } = lifeOf(head.meta, accessedMs, nowMs);
      const untilMs = Math.min(freshUntilMs, atMs, nowMs);
      if (untilMs < head.meta.freshUntilMs || !head.meta.isExpired) {
        const ended = { freshUntilMs: untilMs, keepUntilMs, slidingMs: 0, isExpired: true };
        const meta = { ...head.meta, ...ended };
        const unwritten = this.index.get(hash)?.unwrittenAccesses ?? 0;
        const access = { accessedMs, accesses: head.accesses + unwritten };
        const file = encodeEntry(meta, body, access);
        // Longer by some digits than it may be.
        if (file === undefined) await this.remove(hash);
        else await this.#replace(hash, { meta, bytes: file }, accessedMs, begunMs);
      }
      return death === undefined;
    });
  }

  async #encode(entry: TierEntry, { log, at }: LogPosition): Promise<EncodedFile | undefined> {
    const { key, value, category, createdMs, freshUntilMs, keepUntilMs, slidingMs } = entry;
    // Copied before the first wait: the caller may change its list.
    const tags = [...entry.tags];
    const { codec, bytes } = await pack(key, value, this.settings.payload, entry.compression);
    const meta: EntryMeta = {
      key,
      category,
      createdMs,
      freshUntilMs,
      keepUntilMs,
      slidingMs,
      tags,
      loadMs: entry.loadMs,
      etag: entry.etag,
      codec,
      log,
      at,
    };
    const file = encodeEntry(meta, bytes);
    return file === undefined ? undefined : { meta, bytes: file };
  }

  #isLater(hash: string, head: EntryHead, entry: TierEntry): boolean {
    if (head.meta.key !== entry.key || head.meta.createdMs <= entry.createdMs) return false;
    return this.deathOf(head.meta, this.accessedMsOf(hash, head)) === undefined;
  }

  #isTooLarge(fileBytes: number, category: string): boolean {
    const { entryBytesMax, bytesMax, quotas } = this.settings.bounds;
    const room = roomOf(fileBytes);
    const quota = quotas.of(category);
    return fileBytes > entryBytesMax || room > bytesMax || room > quota;
  }

  /** Puts a file in the place of the one before; when that fails, the key has none any more. */
  async #replace(
    hash: string,
    { meta, bytes }: EncodedFile,
    accessedMs: number,
    begunMs: number,
  ): Promise<void> {
    const shelf = this.layout.shelfPath(hash);
    const temporary = `${shelf}/${temporaryName()}`;
    try {
      await this.#gate.run(() =>
        // Once more if the folder is deleted just now.
        withFolder(shelf, async () => {
          await writeFile(temporary, bytes);
          await renameFile(temporary, this.layout.entryPath(hash));
        }),
      );
    } catch (error) {
      await Promise.allSettled([removeFile(temporary), this.remove(hash)]);
      throw asTierError(error, `Writing the cached value to ${this.layout.entryPath(hash)}`);
    }
    this.index.put(hash, { meta, accessedMs, bytes: bytes.byteLength });
    const isSlow = performance.now() - begunMs > FORGET_AFTER_MS / 2;
    if (isSlow && (await this.drops.isForgotten(meta))) await this.remove(hash);
  }
}

async function writeFile(path: string, bytes: Buffer): Promise<void> {
  const fd = await openFile(path, "wx");
  try {
    await writeAll(fd, bytes);
  } finally {
    closeFile(fd);
  }
}

function isSame(known: IndexEntry, head: EntryHead): boolean {
  const { createdMs, at, freshUntilMs, slidingMs } = known.meta;
  const { meta, bytes } = head;
  const isSameLife = freshUntilMs === meta.freshUntilMs && slidingMs === meta.slidingMs;
  return (
    createdMs === meta.createdMs && at === meta.at && isSameLife && known.bytes === roomOf(bytes)
  );
}
