/** Whether an answer is an entry at all: a tier of somebody else may give anything. */

import type { EntryLook, TierEntry } from "../tier/tier.ts";

/** Whether it has the form of an entry of this key. */
export function hasForm(entry: unknown, key: string): entry is TierEntry {
  return isLook(entry, key) && (entry as Partial<TierEntry>).value !== undefined;
}

/** The same but for its value. */
export function isLook(entry: unknown, key: string): entry is EntryLook {
  const given = (typeof entry === "object" ? entry : undefined) as Partial<EntryLook> | null;
  return (
    given?.key === key &&
    Number.isFinite(given.createdMs) &&
    isNumber(given.freshUntilMs) &&
    isNumber(given.keepUntilMs) &&
    isNumber(given.slidingMs) &&
    isNumber(given.loadMs) &&
    Array.isArray(given.tags) &&
    given.tags.every((tag) => typeof tag === "string")
  );
}

function isNumber(value: unknown): value is number {
  return typeof value === "number" && !Number.isNaN(value);
}
