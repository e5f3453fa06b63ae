/** Whether an answer is an entry at all: a tier of somebody else may give anything. */

import type { TierEntry } from "../tier/tier.ts";

/** Whether it has the form of an entry of this key. */
export function hasForm(entry: unknown, key: string): entry is TierEntry {
  const given = (typeof entry === "object" ? entry : undefined) as Partial<TierEntry> | null;
  return (
    given?.key === key &&
    given.value !== undefined &&
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
