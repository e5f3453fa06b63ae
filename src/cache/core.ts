/**
 * What the categories of one cache share: the tiers, the ways to make whole keys and tags, and the
 * listing of keys.
 */

import { assertText, assertTexts } from "../core/arguments.ts";
import { warn } from "../core/channels.ts";
import { isSpringhouseError, messageOf, SpringhouseError } from "../core/errors.ts";
import { refuseUnknownKeys } from "../core/options.ts";
import { MemoryTier, memoryTier } from "../tier/memory/memory-tier.ts";
import { ownCopy } from "../tier/memory/own-copy.ts";
import type { ValueMode } from "../tier/memory/partition.ts";
import type { Tier } from "../tier/tier.ts";
import { refuseIdleLimit, refuseUnfitTiers } from "./fit-tiers.ts";
import { GuardedTier } from "./guarded-tier.ts";
import { Journal, JournalFile } from "./journal.ts";
import { hasPrefix, type Key, keyText } from "./key.ts";
import type { CacheOptions, ResolvedCacheOptions, ResolvedCategory } from "./options.ts";
import { resolveCacheOptions } from "./options.ts";
import type { Reader } from "./reader.ts";
import { type CacheParts, Shelf } from "./shelf.ts";
import type { Save } from "./strategy.ts";
import { WarmStart } from "./warm-start.ts";
import { namespacePrefix, tagIn, wholePrefix, wholeTag } from "./whole-key.ts";

/** The shared part of a cache. */
export class CacheCore {
  readonly options: ResolvedCacheOptions;
  readonly memory: MemoryTier | undefined;
  /** All but memory, in their order. */
  readonly tiers: readonly GuardedTier[];
  /** The categories made so far, with who reads them. */
  readonly categories: (readonly [Shelf, Reader])[] = [];
  readonly #journalFile: JournalFile;
  readonly #journals: Journal[] = [];
  #closing: Promise<number> | undefined;
  #warmStart: WarmStart | undefined;

  constructor(given: CacheOptions) {
    this.options = resolveCacheOptions(given);
    this.#journalFile = new JournalFile(this.options.journal);
    const { clock, random, warmStart } = this.options;
    const tiers = given.tiers ?? [memoryTier({ clock, random })];
    refuseUnfitTiers(tiers, warmStart);
    const [first] = tiers;
    this.memory = first instanceof MemoryTier ? first : undefined;
    const lower: readonly Tier[] = this.memory === undefined ? tiers : tiers.slice(1);
    this.tiers = lower.map((tier) => this.#guard(tier));
    const budgets = this.options.categories.flatMap(({ name, maxBytes }) =>
      Number.isFinite(maxBytes) ? [[name, maxBytes] as const] : [],
    );
    if (budgets.length > 0) for (const tier of lower) tier.setQuotas?.(Object.fromEntries(budgets));
  }

  get closed(): boolean {
    return this.#closing !== undefined;
  }

  /** The part of the tiers that a category uses. */
  makeShelf(category: ResolvedCategory): Shelf {
    const { namespace, version, clock, random, strict } = this.options;
    const parts: CacheParts = { namespace, clock, random, strict };
    const prefix = wholePrefix({ namespace, version, category: category.name });
    const tiers = this.#tiersOf(category);
    const usesMemory =
      this.memory !== undefined && (category.tiers?.includes(this.memory.name) ?? true);
    if (category.values === "shared" && (!usesMemory || tiers.length > 0))
      throw sharedBelow(category);
    if (this.memory !== undefined && usesMemory) refuseIdleLimit(category, this.memory);
    const memory =
      this.memory !== undefined && usesMemory
        ? {
            partition: this.memory.partition(prefix, category.room, category.values),
            name: this.memory.name,
          }
        : undefined;
    return new Shelf(category, prefix, memory, tiers, parts);
  }

  register(shelf: Shelf, reader: Reader): void {
    this.categories.push([shelf, reader]);
  }

  /** The journal of a category that writes behind. */
  makeJournal(shelf: Shelf, save: Save): Journal {
    const onError = (error: unknown): void => shelf.tell("error", "*", "save", error);
    const { clock, version } = this.options;
    const timeoutMs = shelf.life.hardTimeoutMs;
    const scope = namespacePrefix(this.options.namespace) + shelf.category;
    const journal = new Journal({
      file: this.#journalFile,
      scope,
      version,
      save,
      timeoutMs,
      clock,
      onError,
    });
    this.#journals.push(journal);
    journal.start().catch(onError);
    return journal;
  }

  /** Tags are kept apart by namespace, as keys are. */
  fullTag(tag: string): string {
    return wholeTag(this.options.namespace, tag);
  }

  /** The tag as the caller knows it. */
  shortTag(full: string): string {
    return tagIn(this.options.namespace, full);
  }

  /** A copy that nobody can change. @throws `INVALID_ARGUMENT` when it is not data. */
  ownValue(value: unknown, mode: ValueMode): unknown {
    return mode === "shared" ? value : ownCopy(value).value;
  }

  assertOpen(): void {
    if (this.closed) throw closedError();
  }

  async dropTags(tags: readonly string[]): Promise<void> {
    this.assertOpen();
    assertTexts("dropTags: tags", tags);
    const full = tags.map((tag) => this.fullTag(tag));
    for (const [, reader] of this.categories) reader.fenceTags(full);
    this.memory?.dropTagsNow(full);
    for (const tier of this.tiers) tier.wide({ kind: "tags", tags: full });
    for (const tag of tags) this.#anyShelf?.tell("drop", `tag:${tag}`, "all");
    for (const tier of this.tiers) await tier.flushed();
  }

  async clear(): Promise<void> {
    this.assertOpen();
    for (const [shelf, reader] of this.categories) {
      reader.fenceAll();
      shelf.clear();
    }
    for (const tier of this.tiers) await tier.flushed();
  }

  /** The keys of a category in all its tiers, each once. */
  async *keysOf(
    shelf: Shelf,
    options: { prefix?: Key; tag?: string; signal?: AbortSignal | undefined },
  ): AsyncGenerator<string[], void, undefined> {
    this.assertOpen();
    refuseUnknownKeys(options, ["prefix", "tag", "signal"], "keys");
    const { prefix, tag, signal } = options;
    if (tag !== undefined) assertText("keys: tag", tag);
    const begin = prefix === undefined ? "" : keyText(prefix);
    const query = {
      prefix: shelf.prefix + begin,
      ...(tag === undefined ? {} : { tag: this.fullTag(tag) }),
    };
    const seen = new Set<string>();
    const lists = shelf.tiers.map((tier) => tier.keys(query, signal));
    const inMemory = shelf.memory === undefined ? undefined : this.memory?.keys(query, { signal });
    for (const list of inMemory === undefined ? lists : [inMemory, ...lists]) {
      for await (const chunk of list) {
        const fresh = chunk
          .map((key) => key.slice(shelf.prefix.length))
          .filter((key) => (begin === "" || hasPrefix(key, begin)) && !seen.has(key));
        for (const key of fresh) seen.add(key);
        if (fresh.length > 0) yield fresh;
      }
    }
  }

  /** Ends what is under way and closes the tiers. @returns how many changes did not reach one. */
  async close(): Promise<number> {
    this.#closing ??= this.#close();
    return await this.#closing;
  }

  async #close(): Promise<number> {
    this.#warmStart?.stop();
    for (const [, reader] of this.categories) reader.close(closedError());
    for (const journal of this.#journals) await journal.close();
    await this.#journalFile.close();
    let lost = 0;
    for (const tier of this.tiers) {
      const own = await tier.close();
      lost += own;
      if (own > 0) warnOfLost(tier, own);
    }
    await this.memory?.close();
    return lost;
  }

  /** Throws for the name of a tier that the cache does not have. */
  assertTiers(names: readonly string[], category: string): void {
    const known = [
      ...(this.memory === undefined ? [] : [this.memory.name]),
      ...this.tiers.map(({ name }) => name),
    ];
    const unknown = names.find((name) => !known.includes(name));
    if (unknown === undefined) return;
    throw new SpringhouseError(
      "INVALID_ARGUMENT",
      `Category "${category}" names the tier "${unknown}", which the cache does not have. ` +
        `It has: ${known.join(", ")}.`,
      { fields: { category, tier: unknown, known } },
    );
  }

  /** For what concerns no category more than another. */
  get #anyShelf(): Shelf | undefined {
    return this.categories[0]?.[0];
  }

  /** Begins to fill memory with what it had before. @returns how many keys were read. */
  async warmStart(): Promise<number> {
    const [tier] = this.tiers;
    const { warmStart, namespace, version, clock } = this.options;
    if (!warmStart || tier === undefined || this.memory === undefined) return 0;
    const wholeKey = `${wholePrefix({ namespace, version, category: "" })}warm-start`;
    this.#warmStart = new WarmStart(tier, wholeKey, this.categories, clock);
    return await this.#warmStart.run();
  }

  #guard(tier: Tier): GuardedTier {
    const { clock, namespace, strict, tierTimeoutMs, tierFailures, tierPauseMs } = this.options;
    let told = false;
    return new GuardedTier(tier, {
      clock,
      prefix: namespacePrefix(namespace),
      strict,
      timeoutMs: tierTimeoutMs,
      failuresMax: tierFailures,
      pauseMs: tierPauseMs,
      onError: (name, error) => {
        this.#anyShelf?.tell("error", "*", name, error);
        if (told || !isSpringhouseError(error, "MISSING_DEPENDENCY")) return;
        told = true;
        warn("MISSING_DEPENDENCY", `The tier "${name}" does less than it could. ${error.message}`);
      },
    });
  }

  #tiersOf(category: ResolvedCategory): readonly GuardedTier[] {
    const { tiers: names } = category;
    this.assertTiers([...(names ?? []), ...Object.keys(category.life.tierTtlMs)], category.name);
    if (names === undefined) return this.tiers;
    return this.tiers.filter(({ name }) => names.includes(name));
  }
}

function closedError(): SpringhouseError {
  return new SpringhouseError("CLOSED", "The cache is closed. Make another.");
}

function sharedBelow({ name }: ResolvedCategory): SpringhouseError {
  return new SpringhouseError(
    "INVALID_ARGUMENT",
    `Category "${name}" has values: "shared", which only memory can keep. Give it ` +
      'tiers: ["memory"].',
    { fields: { category: name } },
  );
}

/** Nobody can be sure of what the tier holds now: a drop may be among what is lost. */
function warnOfLost({ name: tier, lastError }: GuardedTier, lost: number): void {
  const message =
    `${lost} changes did not reach the tier "${tier}" before the cache was closed. What it had ` +
    `before may be served again. Its last error: ${messageOf(lastError)}`;
  warn("CACHE_CHANGES_LOST", message, { tier, lost });
}
