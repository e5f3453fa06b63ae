/** What the breakable tier keeps for a key, and how it is read. */

import { decodeValue, type EncodedValue } from "../../src/core/codec.ts";
import type { TierSubjectOptions } from "../../src/testing/tier-contract.ts";
import type { EntryLook, TierEntry } from "../../src/tier/tier.ts";
import type { Breach } from "./breaches.ts";

export interface Stored {
  entry: TierEntry;
  readonly encoded: EncodedValue;
  readonly epoch: number;
  freshUntilMs: number;
  keepUntilMs: number;
  isExpired: boolean;
  damaged: boolean;
}

/** Takes an entry in, in the place of one before. */
export function keep(
  entry: TierEntry,
  { codec, bytes }: EncodedValue,
  epoch: number,
  before: Stored | undefined,
  breach: Breach | undefined,
): Stored {
  const old = breach === "keeps old tags" ? (before?.entry.tags ?? []) : [];
  const isShared = breach === "shares what is stored";
  const own = { value: structuredClone(entry.value), tags: [...entry.tags, ...old] };
  return {
    entry: { ...entry, ...(isShared ? {} : own) },
    encoded: { codec, bytes: Uint8Array.from(bytes) },
    epoch,
    freshUntilMs: entry.freshUntilMs,
    keepUntilMs: entry.keepUntilMs,
    isExpired: false,
    damaged: false,
  };
}

/** The value of an entry; what was read in one batch stands in `shared`. */
export function readValue(
  { entry, encoded }: Stored,
  shared: Map<string, unknown>,
  breach: Breach | undefined,
): unknown {
  if (breach === "shares what is stored" || breach === "shares what is read") return entry.value;
  if (breach === "JSON only") return JSON.parse(JSON.stringify(entry.value, plainJson));
  const value = shared.get(entry.key) ?? decodeValue(encoded.codec, encoded.bytes);
  if (breach === "shares within a batch") shared.set(entry.key, value);
  return value;
}

/** Whether the time of an entry has come and is not over. */
export function isInTime(stored: Stored, nowMs: number, breach: Breach | undefined): boolean {
  const { entry, keepUntilMs, freshUntilMs } = stored;
  if (entry.createdMs > nowMs && breach !== "shows the future") return false;
  if (breach === "expires for ever" && keepUntilMs === Number.POSITIVE_INFINITY) return false;
  if (breach === "hides the stale" && freshUntilMs <= nowMs) return false;
  const isOver = breach === "expires late" ? keepUntilMs < nowMs : keepUntilMs <= nowMs;
  return !isOver || breach === "never expires";
}

export function isTooLarge(
  bytes: number,
  options: TierSubjectOptions,
  breach: Breach | undefined,
): boolean {
  const { maxBytes = Number.POSITIVE_INFINITY, maxEntryBytes = Number.POSITIVE_INFINITY } = options;
  if (bytes > maxEntryBytes && breach !== "no bound on one entry") return true;
  return bytes > maxBytes && breach !== "does not compare with all bytes";
}

/** What is known of an entry but its value. */
export function lookAt(stored: Stored, nowMs: number, breach: Breach | undefined): EntryLook {
  const { value, ...entry } = stored.entry;
  const lateMs = breach === "starts a new life" ? nowMs - entry.createdMs : 0;
  const endMs = stored.isExpired ? nowMs : Number.POSITIVE_INFINITY;
  return {
    ...entry,
    ...(breach === "a look has values" ? { value } : {}),
    freshUntilMs: Math.min(stored.freshUntilMs + lateMs, endMs),
    keepUntilMs: stored.keepUntilMs + lateMs,
    slidingMs: breach === "forgets sliding" ? 0 : entry.slidingMs,
    etag: breach === "forgets the etag" ? undefined : entry.etag,
    tags: [...entry.tags],
  };
}

/** Ends the freshness of an entry. @returns whether there was one. */
export function expire(
  stored: Stored,
  { atMs, nowMs }: { readonly atMs: number; readonly nowMs: number },
  isLiving: boolean,
  breach: Breach | undefined,
): boolean {
  const { entry } = stored;
  const isFuture = entry.createdMs > nowMs;
  if (breach === "an end is for the living" && !isLiving) return false;
  if (breach === "an end revives") stored.keepUntilMs = nowMs + 10_000;
  if (entry.createdMs > atMs && !isFuture && breach !== "an end takes the later") return false;
  if (breach === "an end is none") return isLiving;
  const untilMs = breach === "an end is always now" ? nowMs : atMs;
  const wasMs = breach === "an end is set anew" ? untilMs : stored.freshUntilMs;
  stored.freshUntilMs = Math.min(wasMs, untilMs);
  stored.isExpired = !["an end comes again", "an end is set anew"].includes(breach ?? "");
  if (breach === "an end forgets tags") stored.entry = { ...entry, tags: [] };
  if (breach === "an end takes the rank") stored.entry = { ...entry, createdMs: 0 };
  return isLiving;
}

/** Has an entry as fresh as it was before that. */
export function forgetEnd(stored: Stored): void {
  stored.freshUntilMs = stored.entry.freshUntilMs;
  stored.isExpired = false;
}

/** Gives a sliding entry its life anew. */
export function slide(stored: Stored, nowMs: number, breach: Breach | undefined): void {
  const { slidingMs } = stored.entry;
  const fresh = stored.freshUntilMs > nowMs || breach === "slides the stale";
  if (slidingMs === 0 || !fresh || breach === "does not slide") return;
  const longerMs = Math.max(0, nowMs + slidingMs - stored.freshUntilMs);
  stored.freshUntilMs += longerMs;
  stored.keepUntilMs += longerMs;
}

function plainJson(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}

/** Holds the event loop for so much work, whatever else the machine does. */
export function block(ms: number): void {
  const start = process.threadCpuUsage();
  while (process.threadCpuUsage(start).user < ms * 1_000);
}
