/** When an entry is alive, and how long it still is: arithmetic only. */

import type { TierEntry } from "../tier.ts";
import type { EntryMeta } from "./entry-file.ts";

/** Until when. */
export type Life = Pick<TierEntry, "freshUntilMs" | "keepUntilMs">;

/** The life of an entry that was last used at `accessedMs`; a sliding one is renewed by a use. */
export function lifeOf(meta: EntryMeta, accessedMs: number, nowMs: number): Life {
  const { createdMs, freshUntilMs, keepUntilMs, slidingMs, isExpired } = meta;
  if (isExpired) return { freshUntilMs: Math.min(freshUntilMs, nowMs), keepUntilMs };
  // A clock that was set back must not prolong anything.
  const usedMs = Math.min(accessedMs, nowMs);
  const renewedUntilMs = usedMs + slidingMs;
  if (slidingMs === 0 || usedMs <= createdMs || renewedUntilMs <= freshUntilMs) {
    return { freshUntilMs, keepUntilMs };
  }
  return {
    freshUntilMs: renewedUntilMs,
    keepUntilMs: keepUntilMs + (renewedUntilMs - freshUntilMs),
  };
}

/** What an entry is at a moment. */
export type Age = "living" | "expired" | "future";

/** `future`: made by a clock that was set back since. It may live again, so nobody removes it. */
export function ageOf(meta: EntryMeta, accessedMs: number, nowMs: number): Age {
  if (meta.createdMs > nowMs) return "future";
  return lifeOf(meta, accessedMs, nowMs).keepUntilMs > nowMs ? "living" : "expired";
}
