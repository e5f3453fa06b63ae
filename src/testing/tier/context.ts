/** What a case of the tier contract is given, and the words in which cases speak. */

import { strict as assert } from "node:assert";
import { isSpringhouseError } from "../../core/errors.ts";
import type { KeysQuery, Tier, TierEntry } from "../../tier/tier.ts";
import { FakeClock } from "../fake-clock.ts";

/** How a case wants its tier. */
export interface TierSubjectOptions {
  readonly clock: FakeClock;
  readonly maxEntries?: number;
  readonly maxBytes?: number;
  readonly maxEntryBytes?: number;
}

/** A kind of tier under test. */
export interface TierSubject {
  readonly name: string;
  /**
   * Opens an empty tier in a place of its own; sweeps by timer are best left off. Where no bound is
   * given it has room for 5,000 entries and 20 MB, for one of 1.1 MB too.
   */
  open(options: TierSubjectOptions): Promise<Tier>;
  /** For tiers that last: opens again what `tier` keeps, as another process would. */
  readonly reopen?: (tier: Tier, options: TierSubjectOptions) => Promise<Tier>;
  /** For tiers of bytes: damages what is stored for a key of an open tier. */
  readonly damage?: (tier: Tier, key: string) => Promise<void>;
  /** For tiers with leases; must be `true`, and then the leases are checked. */
  readonly leases?: true;
}

/** What a case works with. */
export interface CaseContext {
  readonly clock: FakeClock;
  /** An empty tier without narrow bounds. */
  readonly tier: Tier;
  readonly subject: TierSubject;
  /** An empty tier with bounds; closed after the case. */
  open(bounds: Omit<TierSubjectOptions, "clock">): Promise<Tier>;
  /** What a tier has kept, opened again; closed after the case. */
  reopen(tier: Tier): Promise<Tier>;
  /** An entry made now that lives for an hour. */
  entry(key: string, change?: Partial<TierEntry>): TierEntry;
  /** As many entries: "PREFIX0", "PREFIX1", … */
  entries(count: number, prefix?: string, change?: Partial<TierEntry>): readonly TierEntry[];
}

/** Cases by their sentence, and the ability that they need. */
export interface TierCases {
  readonly needs?: "reopen" | "damage" | "leases";
  readonly cases: Readonly<Record<string, (context: CaseContext) => Promise<void>>>;
}

export const HOUR_MS = 3_600_000;
/** In the largest cases, and so the room that every subject needs. */
export const ENTRIES_MAX = 5_000;

/** Opens the tier of one case; what the case opens is added to `opened`. */
export async function caseContext(subject: TierSubject, opened: Tier[]): Promise<CaseContext> {
  const clock = new FakeClock(Date.UTC(2030, 0, 1));
  const keep = (tier: Tier): Tier => {
    opened.push(tier);
    return tier;
  };
  const entry: CaseContext["entry"] = (key, change = {}) => ({
    key,
    value: `value of ${key}`,
    category: "general",
    createdMs: clock.nowMs(),
    freshUntilMs: clock.nowMs() + HOUR_MS,
    keepUntilMs: clock.nowMs() + HOUR_MS,
    slidingMs: 0,
    tags: [],
    loadMs: 0,
    etag: undefined,
    ...change,
  });
  return {
    clock,
    tier: keep(await subject.open({ clock })),
    subject,
    open: async (bounds) => keep(await subject.open({ clock, ...bounds })),
    reopen: async (tier) => {
      assert.ok(subject.reopen, "the subject has no reopen");
      return keep(await subject.reopen(tier, { clock }));
    },
    entry,
    entries: (count, prefix = "key ", change = {}) =>
      Array.from({ length: count }, (_, index) => entry(`${prefix}${index}`, change)),
  };
}

/** The keys of entries. */
export function keysOf(entries: readonly TierEntry[]): string[] {
  return entries.map(({ key }) => key);
}

/** What a tier has for the keys: their values, `undefined` for a miss. */
export async function valuesOf(tier: Tier, keys: readonly string[]): Promise<unknown[]> {
  return (await tier.getMany(keys)).map((found) => found?.value);
}

/** Whether a tier has the keys, by looks. */
export async function hasOf(tier: Tier, keys: readonly string[]): Promise<boolean[]> {
  return (await tier.lookMany(keys)).map((look) => look !== undefined);
}

/** Which of the keys a tier has, by reading them; looks must agree. */
export async function livingOf(tier: Tier, keys: readonly string[]): Promise<string[]> {
  const has = await hasOf(tier, keys);
  const found = await tier.getMany(keys);
  const read = keys.filter((_, index) => found[index] !== undefined);
  const had = keys.filter((_, index) => has[index]);
  assert.deepEqual(had, read, "lookMany and getMany differ");
  return read;
}

/** All keys that a tier lists, sorted. */
export async function listed(tier: Tier, query?: KeysQuery): Promise<string[]> {
  const keys: string[] = [];
  for await (const chunk of tier.keys(query)) keys.push(...chunk);
  return keys.sort();
}

/** Fails unless the promise rejects with that code. */
export async function rejectsWith(
  code: "ABORTED" | "CLOSED",
  run: () => Promise<unknown>,
): Promise<void> {
  await assert.rejects(
    async () => await run(),
    (error) => {
      assert.ok(isSpringhouseError(error, code), `${String(error)} instead of ${code}`);
      return true;
    },
    `nothing was refused with ${code}`,
  );
}

/** Text that no compression makes smaller, the same for the same seed. */
export function noise(chars: number, seed: number): string {
  let state = (seed + 1) * 0x9e3779b1;
  let text = "";
  while (text.length < chars) {
    // Xorshift (Marsaglia 2003): six bits of each step as one character.
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    text += String.fromCharCode(0x30 + ((state >>> 8) & 0x3f));
  }
  return text;
}
