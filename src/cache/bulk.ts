/**
 * A call that changes many keys, in several turns of the event loop. Whoever changes one of its
 * keys before it has come to it was called later, and his change holds.
 */

import { hasPrefix } from "./key.ts";

/** What is to become of a key when its turn has come. */
export type Due =
  | "change"
  /** Somebody has changed it meanwhile. */
  | "leave"
  /** One of its tags has been dropped meanwhile, and with it what would have been set. */
  | "drop";

/** Changes under way. */
export class Bulk {
  readonly #all: Bulks;
  readonly #tags: readonly string[];
  readonly #keys = new Set<string>();
  readonly #prefixes: string[] = [];
  #isCleared = false;
  #isTagDropped = false;

  /** @param tags what all that it sets has, as the tiers know them. */
  constructor(all: Bulks, tags: readonly string[]) {
    this.#all = all;
    this.#tags = tags;
  }

  dueOf(key: string): Due {
    if (this.#isCleared || this.#keys.has(key)) return "leave";
    if (this.#prefixes.some((prefix) => hasPrefix(key, prefix))) {
      return "leave";
    }
    return this.#isTagDropped ? "drop" : "change";
  }

  /** Waits, while others may change what this one has not come to. */
  async during(wait: Promise<void>): Promise<void> {
    this.#all.open.add(this);
    await wait;
  }

  /** To be called whatever happened. */
  end(): void {
    this.#all.open.delete(this);
  }

  overtakeKey(key: string): void {
    this.#keys.add(key);
  }

  overtakePrefix(prefix: string): void {
    this.#prefixes.push(prefix);
  }

  overtakeAll(): void {
    this.#isCleared = true;
  }

  overtakeTags(tags: readonly string[]): void {
    if (this.#tags.some((tag) => tags.includes(tag))) this.#isTagDropped = true;
  }
}

/** The bulks of a category that wait for their next turn, in the order of their beginning. */
export class Bulks {
  readonly open: Set<Bulk> = new Set();

  /** @param by the bulk that changes the key; those that have begun after it are not overtaken. */
  overtakeKey(key: string, by: Bulk | undefined): void {
    for (const bulk of this.open) {
      if (bulk === by) return;
      bulk.overtakeKey(key);
    }
  }

  overtakePrefix(prefix: string): void {
    for (const bulk of this.open) bulk.overtakePrefix(prefix);
  }

  overtakeAll(): void {
    for (const bulk of this.open) bulk.overtakeAll();
  }

  overtakeTags(tags: readonly string[]): void {
    for (const bulk of this.open) bulk.overtakeTags(tags);
  }
}
