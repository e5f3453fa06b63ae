/** Options of the memory tier, validated and filled. */

import { assertClock, assertFunction, assertText } from "../../core/arguments.ts";
import { type ByteSize, parseBytes } from "../../core/bytes.ts";
import { type Clock, systemClock } from "../../core/clock.ts";
import { type Duration, parseDurationMs } from "../../core/duration.ts";
import { SpringhouseError } from "../../core/errors.ts";
import { refuseUnknownKeys } from "../../core/options.ts";
import { shown } from "../../core/shown.ts";
import type { PolicyName } from "./policy.ts";
import type { RoomOptions } from "./room.ts";
import type { RoomLimits } from "./rooms.ts";

/** How to keep entries in memory. */
export interface MemoryTierOptions {
  /** Its name among the tiers of a cache. Default: "memory". */
  readonly name?: string;
  /** Of all categories together. Default: 1,000. */
  readonly maxEntries?: number;
  /** Heap bytes of all entries, estimated within a few percent. Default: "100MB". */
  readonly maxBytes?: ByteSize;
  /** Larger entries are refused, in every category. Default: a tenth of `maxBytes`. */
  readonly maxEntryBytes?: ByteSize;
  /** Which entry goes when a limit is reached. Default: "w-tinylfu". */
  readonly policy?: PolicyName;
  /** How often what has expired is removed; 0 leaves it to `sweep()`. Default: "60s". */
  readonly sweepEvery?: Duration;
  /** Where the present moment comes from. Default: the machine's clock. */
  readonly clock?: Clock;
  /** Where chance comes from, from 0 up to 1. Default: `Math.random`. */
  readonly random?: () => number;
}

/** Options with nothing left open. */
export interface ResolvedMemoryTierOptions {
  readonly name: string;
  readonly policy: PolicyName;
  readonly limits: RoomLimits;
  readonly sweepEveryMs: number;
  readonly clock: Clock;
  readonly random: () => number;
}

const POLICIES: readonly PolicyName[] = ["w-tinylfu", "lru", "lfu", "fifo"];
export const MEMORY_KEYS = [
  "name",
  "maxEntries",
  "maxBytes",
  "maxEntryBytes",
  "policy",
  "sweepEvery",
  "clock",
  "random",
] as const;

/** Of one entry that is larger, a few would turn all others out. */
const ENTRY_SHARE_MAX = 0.1;

/** Fills the defaults. @throws `INVALID_ARGUMENT`. */
export function resolveMemoryTierOptions(options: MemoryTierOptions): ResolvedMemoryTierOptions {
  refuseUnknownKeys(options, MEMORY_KEYS, "memoryTier");
  const {
    name = "memory",
    policy = "w-tinylfu",
    clock = systemClock,
    random = Math.random,
    sweepEvery = "60s",
  } = options;
  assertText("memoryTier: name", name);
  if (name === "") {
    const message = 'memoryTier: name: "" is refused. It is a text that is not empty.';
    throw new SpringhouseError("INVALID_ARGUMENT", message, { fields: { name } });
  }
  assertClock("memoryTier: clock", clock);
  assertFunction("memoryTier: random", random);
  return {
    name,
    policy: checkPolicy(policy),
    limits: resolveLimits(options, { maxEntries: 1_000, maxBytes: "100MB" }),
    sweepEveryMs: parseDurationMs(sweepEvery, "sweepEvery"),
    clock,
    random,
  };
}

/** Throws unless it is the name of a policy. @param what stands before its name in the message. */
export function checkPolicy(policy: PolicyName, what = ""): PolicyName {
  if (POLICIES.includes(policy)) return policy;
  const message = `${what}policy: ${shown(policy)} is unknown. Known: ${POLICIES.join(", ")}.`;
  throw new SpringhouseError("INVALID_ARGUMENT", message, { fields: { policy } });
}

/** Throws unless it is a number of entries. @param what stands before its name in the message. */
export function checkMaxEntries(maxEntries: unknown, what = ""): void {
  const isWhole = Number.isInteger(maxEntries) && Number(maxEntries) >= 1;
  if (isWhole || maxEntries === Number.POSITIVE_INFINITY) return;
  const given = `${what}maxEntries: ${shown(maxEntries)}`;
  const message = `${given} is not a whole number from 1, or Infinity.`;
  throw new SpringhouseError("INVALID_ARGUMENT", message, { fields: { maxEntries } });
}

/** Limits of a tier; what is not given is taken from `defaults`. */
function resolveLimits(
  given: Pick<MemoryTierOptions, "maxEntries" | "maxBytes" | "maxEntryBytes">,
  defaults: { readonly maxEntries: number; readonly maxBytes: ByteSize },
): RoomLimits {
  const { maxEntries = defaults.maxEntries } = given;
  checkMaxEntries(maxEntries);
  const { maxBytes: size = defaults.maxBytes } = given;
  const maxBytes = parseBytes(size, "maxBytes");
  const maxEntryBytes =
    given.maxEntryBytes === undefined
      ? maxBytes * ENTRY_SHARE_MAX
      : parseBytes(given.maxEntryBytes, "maxEntryBytes");
  return { maxEntries, maxBytes, maxEntryBytes: Math.min(maxEntryBytes, maxBytes) };
}

/** Limits of a room in a tier: none is above the tier's, and an entry may take all of the room. */
export function resolveRoomLimits(given: RoomOptions, tier: RoomLimits): RoomLimits {
  const { maxEntries = tier.maxEntries } = given;
  checkMaxEntries(maxEntries);
  const ownBytes = parseBytes(given.maxBytes ?? tier.maxBytes, "maxBytes");
  return {
    maxEntries: Math.min(maxEntries, tier.maxEntries),
    maxBytes: Math.min(ownBytes, tier.maxBytes),
    maxEntryBytes: Math.min(ownBytes, tier.maxEntryBytes),
  };
}
