/**
 * Changes of the keys of a category by its callers: the source first, as the strategy says, then
 * the tiers. One key is a case of many, and many are changed in slices.
 */

import { nextSlice } from "../core/slices.ts";
import type { Journal } from "./journal.ts";
import type { Reader } from "./reader.ts";
import type { Shelf } from "./shelf.ts";
import { KeyTurns, type Save, type Source, type SourceChange, saveInTime } from "./strategy.ts";

/** What the changes of a category need. */
export interface ChangesParts {
  readonly shelf: Shelf;
  readonly reader: Reader;
  readonly source: Source;
  readonly journal: Journal | undefined;
  /** Throws when the cache has been closed meanwhile. */
  assertOpen(): void;
}

/** How a call changes keys. */
export interface Changing<Item> {
  /** What all that is set has, as the tiers know them. */
  readonly tags: readonly string[];
  /** What is to be changed, checked; `pause` waits for the next slice. */
  prepare(pause: () => Promise<void>): Item[] | Promise<Item[]>;
  keyOf(item: Item): string;
  toSource(item: Item): SourceChange;
  /** Changes the tiers. @param isDropped whether one of the tags was dropped meanwhile. */
  apply(item: Item, isDropped: boolean): void;
}

/** The changes of one category. */
export class Changes {
  readonly #parts: ChangesParts;
  readonly #turns = new KeyTurns();
  /** The last call that is being prepared, where there is a source. */
  #preparing: Promise<void> | undefined;

  constructor(parts: ChangesParts) {
    this.#parts = parts;
  }

  /**
   * Changes keys: those that a slice has room for in this turn, if there is no source. What others
   * change before the call has come to it is left as they have left it.
   */
  async make<Item>({ tags, prepare, keyOf, toSource, apply }: Changing<Item>): Promise<void> {
    const { shelf, reader, source, assertOpen } = this.#parts;
    const bulk = reader.beginBulk(tags);
    const during = async (wait: Promise<void>): Promise<void> => {
      await bulk.during(wait);
      assertOpen();
    };
    const change = (item: Item): void => {
      const key = keyOf(item);
      const due = bulk.dueOf(key);
      if (due === "leave") return;
      reader.fence(key, bulk);
      apply(item, due === "drop");
    };
    try {
      const { save } = source;
      const hasSource = save !== undefined;
      // Calls change a source in their order, so that nothing overtakes one that is prepared.
      const prepared = prepare(hasSource ? nextSlice : () => during(nextSlice()));
      const ordered = hasSource ? this.#inOrder(prepared) : prepared;
      const items = ordered instanceof Promise ? await ordered : ordered;
      const changeAll = (): void | Promise<void> => shelf.forMany(items, change, during);
      if (hasSource) await this.#save(save, newestOf(items.map(toSource)), changeAll);
      else await changeAll();
    } finally {
      bulk.end();
    }
    await shelf.flushed();
  }

  /** What is prepared, after what was being prepared before it. */
  #inOrder<T>(prepared: T | Promise<T>): T | Promise<T> {
    const before = this.#preparing;
    if (before === undefined && !(prepared instanceof Promise)) return prepared;
    const ordered = (async () => {
      await before;
      return await prepared;
    })();
    const forget = (): void => {
      if (this.#preparing === over) this.#preparing = undefined;
    };
    const over: Promise<void> = ordered.then(forget, forget);
    this.#preparing = over;
    return ordered;
  }

  /** Changes the source as the strategy says, then the cache. */
  async #save(
    save: Save,
    changes: readonly SourceChange[],
    apply: () => void | Promise<void>,
  ): Promise<void> {
    const { shelf, journal } = this.#parts;
    if (journal !== undefined) {
      await journal.append(changes);
      return await apply();
    }
    const keys = changes.map(({ key }) => key);
    await this.#turns.inTurn(keys, async () => {
      try {
        const { life, parts } = shelf;
        await saveInTime(save, changes, life.hardTimeoutMs, parts.clock);
      } catch (error) {
        // It may have been written all the same: nobody is to believe what was cached before.
        await this.#dropNow(keys);
        throw error;
      }
      await apply();
    });
  }

  #dropNow(keys: readonly string[]): void | Promise<void> {
    const { shelf, reader } = this.#parts;
    return shelf.forMany(keys, (key) => {
      reader.fence(key);
      shelf.drop(key);
    });
  }
}

/** One change for each key: the last one stands for those before it. */
function newestOf(changes: readonly SourceChange[]): readonly SourceChange[] {
  return [...new Map(changes.map((change) => [change.key, change])).values()];
}
