/**
 * The end of every line that a store has, in one small object: without it nobody could tell that
 * the last segments, or all of a generation, were taken away.
 *
 * It is written after the segments that it tells of, so the store never has less than it says. It
 * is behind them by a second at most while the shipping runs, and by what the last second brought
 * after a crash. Whoever can replace it by an earlier one of itself can still hide an end.
 */

import type { Clock } from "../../core/clock.ts";
import { isSpringhouseError, SpringhouseError } from "../../core/errors.ts";
import type { ObjectStore } from "../object-store.ts";
import type { Generation } from "./catalog.ts";
import type { Chain } from "./chain.ts";

/** Its name in the store. */
export const HEAD_NAME = "head.json";
/** Between two times that it is written: on S3 each of them is paid for. */
const WRITE_EVERY_MS = 1_000;

/** Where a generation ends. */
export interface LineEnd {
  readonly folder: string;
  /** The last segment of changes, and the last transaction that is whole with it. */
  readonly sequence: number;
  readonly transaction: number;
  readonly timeMs: number;
}

/**
 * Reads the ends that a store tells; nothing when it tells none, as before there was a head.
 *
 * @throws `SEGMENT_DAMAGED` when it is no head; `BACKUP_KEY`.
 */
export async function readHead(
  store: Pick<ObjectStore, "get">,
  signal?: AbortSignal,
): Promise<readonly LineEnd[] | undefined> {
  try {
    return parseHead(await store.get(HEAD_NAME, signal));
  } catch (error) {
    if (isSpringhouseError(error, "NOT_FOUND")) return undefined;
    throw error;
  }
}

/** Whether a generation has everything up to an end that was told. */
export function reaches({ bases, changes }: Generation, end: LineEnd): boolean {
  if ((changes.at(-1)?.sequence ?? 0) >= end.sequence && end.sequence > 0) return true;
  return bases.some(({ isWhole, transaction }) => isWhole && transaction >= end.transaction);
}

function parseHead(bytes: Uint8Array): readonly LineEnd[] {
  try {
    const { ends } = JSON.parse(Buffer.from(bytes).toString()) as { readonly ends: LineEnd[] };
    if (Array.isArray(ends) && ends.every(isLineEnd)) return ends;
  } catch (error) {
    if (!(error instanceof SyntaxError) && !(error instanceof TypeError)) throw error;
  }
  const message =
    `${HEAD_NAME}, which tells where the segments end, was cut off or altered. Remove it to ` +
    "restore without knowing whether later segments were taken away.";
  throw new SpringhouseError("SEGMENT_DAMAGED", message, {
    fields: { file: HEAD_NAME, offset: 0 },
  });
}

function isLineEnd(end: Partial<LineEnd>): boolean {
  const numbers = [end.sequence, end.transaction, end.timeMs];
  return typeof end.folder === "string" && numbers.every(Number.isSafeInteger);
}

/** The head of a store that is being shipped to. */
export class Head {
  readonly #store: ObjectStore;
  readonly #clock: Clock;
  readonly #ends: Map<string, LineEnd>;
  #isWritten = true;
  #dueMs = 0;
  /** One write after another: an earlier one must not replace a later one. */
  #writing: Promise<void> = Promise.resolve();

  constructor(store: ObjectStore, clock: Clock, ends: readonly LineEnd[]) {
    this.#store = store;
    this.#clock = clock;
    this.#ends = new Map(ends.map((end) => [end.folder, end]));
  }

  /** Takes over the end of a chain, all of which the store has, and writes it when that is due. */
  async record({ folder, end }: Chain, isDue = false): Promise<void> {
    const { sequence, transaction, timeMs } = end;
    const known = this.#ends.get(folder);
    if (known?.sequence !== sequence || known.transaction !== transaction) {
      this.#ends.set(folder, { folder, sequence, transaction, timeMs });
      this.#isWritten = false;
    }
    if (this.#isWritten || (!isDue && this.#clock.monotonicMs() < this.#dueMs)) return;
    await this.#write();
  }

  /** Leaves out what ended before a time, but for one: before its segments are removed. */
  async forgetBefore(timeMs: number, folder: string): Promise<void> {
    const gone = [...this.#ends.values()].filter(
      (end) => end.timeMs < timeMs && end.folder !== folder,
    );
    if (gone.length === 0) return;
    for (const end of gone) this.#ends.delete(end.folder);
    await this.#write();
  }

  #write(): Promise<void> {
    const written = this.#writing.then(async () => {
      const text = JSON.stringify({ ends: [...this.#ends.values()] });
      this.#dueMs = this.#clock.monotonicMs() + WRITE_EVERY_MS;
      this.#isWritten = true;
      await this.#store.put(HEAD_NAME, Buffer.from(text)).catch((error: unknown) => {
        this.#isWritten = false;
        throw error;
      });
    });
    this.#writing = written.catch(() => undefined);
    return written;
  }
}
