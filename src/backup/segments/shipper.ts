/**
 * Ships the write-ahead log of a live database, one step after another.
 *
 * **Nothing is lost without a word.** Between steps a pin holds the log (`log.ts`), taken before
 * the last look of a step, and it is exchanged for a newer one only when the store has everything
 * that the log had at that look. So as long as a pin was held without a break, every frame is in
 * the log until it was read: when the log was begun anew meanwhile, all of the old one had been
 * read, and the new one is read from its beginning. Where no pin was held, at the start, the line
 * is gone on with only if the log still has the very frame (salts, number, checksum) that was
 * shipped last. In every other case there may be a gap, and another generation is begun with a base
 * of its own.
 *
 * **The log does not grow without end.** An idle log is moved into the file, and the next pin lets
 * it be begun anew. A busy one never gets there by itself, since a pin always stands somewhere in
 * it; so when it is long, writers are held up for the moment that it takes to read its last frames,
 * to move them, and to take a pin that reads the file alone. When the store cannot be reached for
 * so long that the log exceeds a bound, it is let go, at the price of a gap.
 *
 * The ideas are those of Litestream (Ben Johnson), https://litestream.io/how-it-works.
 */

import { isDeepStrictEqual } from "node:util";
import { assert } from "../../core/assert.ts";
import type { Clock } from "../../core/clock.ts";
import { isSpringhouseError } from "../../core/errors.ts";
import { sizeOf } from "../../sqlite/files.ts";
import type { ObjectStore } from "../object-store.ts";
import { shipBase } from "./base.ts";
import { readCatalog } from "./catalog.ts";
import { type Chain, chainOf, newChain } from "./chain.ts";
import { Head, readHead } from "./head.ts";
import { type LogView, type Pin, WalLog } from "./log.ts";
import { generationOf, parseSegmentName } from "./names.ts";
import { superfluous } from "./prune.ts";
import { SEGMENT_BYTES_MAX } from "./segment.ts";
import { isSameLog, NO_POSITION, startOf, type WalPosition } from "./wal.ts";

/** A log of this size is begun anew even while everybody writes. */
const RESET_BYTES = 32 * 1_024 * 1_024;
/** Read while writers wait; with more than this to read, they are left alone until later. */
const HELD_BYTES_MAX = 8 * 1_024 * 1_024;
/** A restore reads every segment since a base: so many take about a second. */
const SEGMENTS_PER_BASE_MAX = 20_000;
/** Before a base that failed is tried again: it costs a copy of the database. */
const BASE_RETRY_MS = 30_000;

/** What the shipper tells of itself. */
export type ShipEvent =
  /** A generation was begun; why the one before could not be gone on with. */
  | { readonly kind: "generation"; readonly folder: string; readonly reason: string }
  | { readonly kind: "resumed"; readonly folder: string; readonly transaction: number }
  | { readonly kind: "base"; readonly transaction: number; readonly bytes: number }
  | { readonly kind: "shipped"; readonly transaction: number; readonly frames: number }
  /** What only restores moments older than what is kept was removed. */
  | { readonly kind: "pruned"; readonly objects: number }
  /** The log was begun anew while everybody wrote; how long they waited. */
  | { readonly kind: "reset"; readonly heldMs: number }
  | { readonly kind: "failed"; readonly error: unknown };

/** What a shipper needs. */
export interface ShipperOptions {
  readonly database: string;
  readonly store: ObjectStore;
  readonly clock: Clock;
  /** A new base is shipped this long after the last one. */
  readonly baseEveryMs: number;
  /** Moments since then can be restored. */
  readonly keepMs: number;
  /** The log is let go when it is longer. */
  readonly logBytesMax: number;
  readonly onEvent: (event: ShipEvent) => void;
  /** The log that is begun anew under load; a parameter for tests. Default: 32 MB. */
  readonly resetBytes?: number;
}

/** Where the shipping stands. */
export interface ShipperState {
  readonly folder: string | undefined;
  readonly transaction: number;
  /** Everything committed by then is in the store, UTC milliseconds. */
  readonly shippedMs: number | undefined;
  readonly logBytes: number;
  /** Whether a base of the generation is in the store, without which nothing can be restored. */
  readonly hasBase: boolean;
}

/** Ships one database. Steps must not overlap. */
export class Shipper {
  readonly #options: ShipperOptions;
  #log: WalLog | undefined;
  #chain: Chain | undefined;
  #head: Head | undefined;
  #pin: Pin | undefined;
  /** Why the generation before has ended; nothing at the start. */
  #reason: string | undefined;
  #base: Promise<void> | undefined;
  readonly #closing = new AbortController();
  #baseDueMs = 0;
  #segmentsAtBase = 0;
  #hasBase = false;
  #resetAtBytes: number;
  #logBytes = 0;
  #shippedMs: number | undefined;

  constructor(options: ShipperOptions) {
    this.#options = options;
    this.#resetAtBytes = options.resetBytes ?? RESET_BYTES;
  }

  get state(): ShipperState {
    return {
      folder: this.#chain?.folder,
      transaction: this.#chain?.end.transaction ?? 0,
      shippedMs: this.#shippedMs,
      logBytes: this.#logBytes,
      hasBase: this.#hasBase,
    };
  }

  /** Ships what was committed since the last step. When it throws, the next one tries again. */
  async step(): Promise<void> {
    try {
      await this.#step();
    } catch (error) {
      this.#letGoWhenTooLong();
      throw error;
    }
  }

  /** Resolves when no base is on its way, and the store tells where the line ends. */
  async settled(): Promise<void> {
    await this.#base;
    await this.#recordEnd(true);
  }

  /** Ends without a last step, as a crash would, but with everything closed. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#base;
    this.#release();
  }

  async #step(): Promise<void> {
    if (this.#log?.isReplaced === true) this.#abandon("the file was replaced by another one");
    this.#log ??= new WalLog(this.#options.database);
    this.#chain ??= await this.#begin(this.#log);
    const [log, chain] = [this.#log, this.#chain];
    const startMs = this.#options.clock.nowMs();
    const view = log.look();
    if (!(await this.#ship(log, chain, view, startMs))) return;
    this.#shippedMs = startMs;
    await this.#recordEnd();
    this.#exchangePin(log, view);
    if (!this.#canBeginAnew(view)) await this.#keepShort(log, chain);
    await this.#beginBaseWhenDue(log, chain);
  }

  /** Of a generation that has neither changes nor a base yet there is nothing to miss. */
  async #recordEnd(isDue = false): Promise<void> {
    const chain = this.#chain;
    if (chain?.isDrained !== true || !(this.#hasBase || chain.end.sequence > 0)) return;
    await this.#head?.record(chain, isDue);
  }

  /** Goes on with the last generation of the store, when it is certain to have no gap. */
  async #begin(log: WalLog): Promise<Chain> {
    const { clock, store, baseEveryMs, onEvent } = this.#options;
    // Asked first, so that nothing is held while the store cannot be reached.
    const last = (await readCatalog(store)).at(-1);
    const ends = await readHead(store).catch(nothingWhenUnreadable);
    this.#head ??= new Head(store, clock, ends ?? []);
    this.#pin ??= log.pin();
    if (this.#reason === undefined && last !== undefined) {
      const chain = await chainOf(store, last).catch(nothingWhenUnreadable);
      if (chain !== undefined && stillHas(log, log.look(), chain.readTo)) {
        const base = last.bases.findLast(({ isWhole }) => isWhole);
        this.#hasBase = base !== undefined;
        this.#segmentsAtBase = chain.end.sequence - last.changes.length;
        this.#baseDueMs = base === undefined ? 0 : base.timeMs + baseEveryMs;
        onEvent({ kind: "resumed", folder: last.folder, transaction: chain.end.transaction });
        return chain;
      }
    }
    const view = log.look();
    const chain = newChain(clock.nowMs(), placeAtEnd(log, view));
    this.#hasBase = false;
    this.#baseDueMs = 0;
    const first = last === undefined ? "the store is empty" : "the log does not go on from it";
    onEvent({ kind: "generation", folder: chain.folder, reason: this.#reason ?? first });
    return chain;
  }

  /** Whether the store has all of the view; false when the generation has ended. */
  async #ship(log: WalLog, chain: Chain, view: LogView, timeMs: number): Promise<boolean> {
    const { store, onEvent } = this.#options;
    await chain.drain(store);
    this.#logBytes = view.frames * (view.header?.pageSize ?? 0);
    if (!this.#find(chain, view)) return false;
    let frames = 0;
    while (isBehind(chain, view)) {
      frames += takeNext(log, chain, view, timeMs);
      await chain.drain(store);
    }
    if (frames > 0) onEvent({ kind: "shipped", transaction: chain.end.transaction, frames });
    return true;
  }

  /** Whether the log goes on where the chain ends; otherwise the generation has ended. */
  #find(chain: Chain, { header, frames }: LogView): boolean {
    if (header === undefined) return true;
    // A pin was held without a break, so all of the log before this one was read.
    if (!isSameLog(chain.readTo, header)) chain.beginLog(startOf(header));
    if (chain.readTo.frames <= frames) return true;
    this.#abandon("a commit that was shipped has been taken back");
    return false;
  }

  /** Called when the store has everything that the view has, and so all that the pin held. */
  #exchangePin(log: WalLog, view: LogView): void {
    const old = this.#pin;
    if (old !== undefined && isSameView(old.view, view)) {
      if (old.readsFileOnly) return;
      log.checkpoint();
      if (log.look().backfilled < view.frames) return;
    }
    this.#takePin(log);
  }

  /** Whether the next commit begins the log anew by itself. */
  #canBeginAnew(view: LogView): boolean {
    return this.#pin?.readsFileOnly === true && isSameView(this.#pin.view, view);
  }

  /** Holds writers up for a moment, so that a long log can be begun anew. */
  async #keepShort(log: WalLog, chain: Chain): Promise<void> {
    const { clock, store, onEvent, resetBytes = RESET_BYTES } = this.#options;
    if (this.#logBytes < this.#resetAtBytes || this.#base !== undefined) return;
    // Most is moved before, while nobody waits.
    log.checkpoint();
    const startMs = clock.monotonicMs();
    const isDone = log.whileNobodyWrites(() => this.#readAllAndPin(log, chain)) === true;
    if (isDone) onEvent({ kind: "reset", heldMs: clock.monotonicMs() - startMs });
    // Readers of others may still need the log: it is tried again when it has grown by half.
    this.#resetAtBytes = isDone ? resetBytes : this.#logBytes + resetBytes / 2;
    await chain.drain(store);
  }

  /** Whether the log can be begun anew now. Nobody can write while it runs. */
  #readAllAndPin(log: WalLog, chain: Chain): boolean {
    if (!this.#readAll(log, chain)) return false;
    // A pin at the very end lets everything be moved; one taken then lets the log be begun anew.
    this.#takePin(log);
    log.checkpoint();
    return this.#takePin(log).readsFileOnly;
  }

  /** The new one first: the log is never without a pin. */
  #takePin(log: WalLog): Pin {
    const old = this.#pin;
    const pin = log.pin();
    this.#pin = pin;
    old?.[Symbol.dispose]();
    return pin;
  }

  /** Whether everything that is committed was taken over; false when that would take long. */
  #readAll(log: WalLog, chain: Chain): boolean {
    const view = log.look();
    if (!this.#find(chain, view)) return false;
    const pageSize = view.header?.pageSize ?? 0;
    if ((view.frames - chain.readTo.frames) * pageSize > HELD_BYTES_MAX) return false;
    while (isBehind(chain, view)) takeNext(log, chain, view, this.#options.clock.nowMs());
    return true;
  }

  /** A base begins at a transaction that is known exactly, and is shipped beside the changes. */
  async #beginBaseWhenDue(log: WalLog, chain: Chain): Promise<void> {
    const { clock, store, onEvent } = this.#options;
    const isLong = chain.end.sequence - this.#segmentsAtBase >= SEGMENTS_PER_BASE_MAX;
    const nowMs = clock.nowMs();
    if (this.#base !== undefined || (nowMs < this.#baseDueMs && !isLong)) return;
    const snapshot = log.whileNobodyWrites(() => {
      return this.#readAll(log, chain) ? log.pin() : undefined;
    });
    if (snapshot === undefined) return;
    try {
      await chain.drain(store);
    } catch (error) {
      snapshot[Symbol.dispose]();
      throw error;
    }
    this.#baseDueMs = nowMs + BASE_RETRY_MS;
    this.#base = this.#shipBase(chain, snapshot, nowMs)
      .catch((error: unknown) => onEvent({ kind: "failed", error }))
      .finally(() => {
        snapshot[Symbol.dispose]();
        this.#base = undefined;
      });
  }

  async #shipBase(chain: Chain, { connection }: Pin, nowMs: number): Promise<void> {
    const { database, store, baseEveryMs, keepMs, onEvent } = this.#options;
    const { sequence, transaction, hash, timeMs, position } = chain.end;
    const pageSize = Number(connection.prepare("PRAGMA page_size").get()?.["page_size"]);
    const facts = {
      folder: chain.folder,
      generation: generationOf(chain.folder),
      timeMs: Math.max(nowMs, timeMs),
      transaction,
      position,
      previous: hash,
      pageSize,
    };
    const { signal } = this.#closing;
    const pages = await shipBase(connection, database, store, facts, signal);
    // An empty database has nothing to copy; the first commit changes that.
    this.#baseDueMs = pages === 0 ? 0 : nowMs + baseEveryMs;
    if (pages === 0 || this.#chain !== chain) return;
    this.#hasBase = true;
    this.#segmentsAtBase = sequence;
    onEvent({ kind: "base", transaction, bytes: pages * pageSize });
    const keptSinceMs = nowMs - keepMs;
    const gone = superfluous(await readCatalog(store, signal), keptSinceMs);
    if (gone.length === 0) return;
    await this.#head?.forgetBefore(keptSinceMs, chain.folder);
    await store.drop(gone, signal);
    // Changes before the first base, and what is left of a base, have never restored anything.
    const old = gone.filter((name) => (parseSegmentName(name)?.timeMs ?? 0) < keptSinceMs);
    if (old.length > 0) onEvent({ kind: "pruned", objects: old.length });
  }

  /** A gap is better than a full disk under the application. */
  #letGoWhenTooLong(): void {
    const { database, logBytesMax } = this.#options;
    if (sizeOf(`${database}-wal`) <= logBytesMax) return;
    this.#abandon("the log grew too long while the store could not be reached");
  }

  /** Ends the generation: the next step begins another one. */
  #abandon(reason: string): void {
    this.#reason = reason;
    this.#chain = undefined;
    this.#release();
  }

  #release(): void {
    this.#pin?.[Symbol.dispose]();
    this.#pin = undefined;
    this.#log?.close();
    this.#log = undefined;
  }
}

/** Takes over the next frames, as many as make a segment; how many these were. */
function takeNext(log: WalLog, chain: Chain, view: LogView, timeMs: number): number {
  const { header, frames } = view;
  assert(header !== undefined, "frames without a header");
  const { pageSize } = header;
  const count = Math.min(frames - chain.readTo.frames, SEGMENT_BYTES_MAX / pageSize);
  chain.take({ ...log.read(header, chain.readTo, count), pageSize, timeMs });
  return count;
}

function isBehind(chain: Chain, { header, frames }: LogView): boolean {
  return header !== undefined && chain.readTo.frames < frames;
}

function isSameView(a: LogView, b: LogView): boolean {
  if (a.header === undefined || b.header === undefined) return a.header === b.header;
  return isSameLog(a.header, b.header) && a.frames === b.frames;
}

/** A line whose end is damaged, or sealed with another key, cannot be gone on with. */
function nothingWhenUnreadable(error: unknown): undefined {
  const isKnown = isSpringhouseError(error, "SEGMENT_DAMAGED");
  if (!isKnown && !isSpringhouseError(error, "BACKUP_KEY")) throw error;
}

function placeAtEnd(log: WalLog, { header, frames }: LogView): WalPosition {
  return (header === undefined ? undefined : log.placeOf(header, frames)) ?? NO_POSITION;
}

/** Whether the log still has the frame that was shipped last, and so everything after it. */
function stillHas(log: WalLog, { header, frames }: LogView, position: WalPosition): boolean {
  if (header === undefined || position.frames > frames) return false;
  const place = log.placeOf(header, position.frames);
  return place !== undefined && isDeepStrictEqual(place, position);
}
