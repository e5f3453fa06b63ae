/** What the breakable tier keeps for a key, and how it is read. */

import { decodeValue, type EncodedValue } from "../../src/core/codec.ts";
import type { TierEntry } from "../../src/tier/tier.ts";
import type { Breach } from "./breaches.ts";

export interface Stored {
  readonly entry: TierEntry;
  readonly encoded: EncodedValue;
  readonly epoch: number;
  freshUntilMs: number;
  keepUntilMs: number;
  damaged: boolean;
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
