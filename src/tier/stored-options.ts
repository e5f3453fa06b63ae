/** Options that the tiers on disk have in common, checked and filled once. */

import { assertClock } from "../core/arguments.ts";
import { type ByteSize, parseBytes } from "../core/bytes.ts";
import { type Clock, systemClock } from "../core/clock.ts";
import { type Duration, parseDurationMs } from "../core/duration.ts";
import { SpringhouseError } from "../core/errors.ts";
import { shown } from "../core/shown.ts";
import { COMPRESS_FROM_BYTES, type Compression, type PayloadSettings } from "./payload.ts";

/** Options of every tier on disk; the defaults of limits are those of the tier. */
export interface StoredTierOptions {
  /** How the tier is called in statistics and events. Default: its kind. */
  readonly name?: string;
  /** All entries together. */
  readonly maxBytes?: ByteSize;
  /** Default: no bound. */
  readonly maxEntries?: number;
  /** One entry, as it is stored; a larger one is refused. */
  readonly maxEntryBytes?: ByteSize;
  /** Bytes of single categories within `maxBytes`. Default: none. */
  readonly quotas?: Readonly<Record<string, ByteSize>>;
  /**
   * "zstd" comes with Node.js; "lz4" needs the package `lz4-napi` and becomes zstd, with one
   * warning, where that is missing. Default: "zstd".
   */
  readonly compression?: Compression;
  /** Smaller values are left as they are. Default: "1KB". */
  readonly compressFrom?: ByteSize;
  /**
   * Encrypts values with AES-256-GCM: 32 bytes, or 64 hexadecimal digits. Keys, tags and times stay
   * readable. Default: none.
   */
  readonly encryptionKey?: Uint8Array | string;
  /** How often what is dead is removed; 0 leaves it to `sweep()`. Default: "60s". */
  readonly sweepEvery?: Duration;
  /** Default: the clock of the machine. */
  readonly clock?: Clock;
}

/** The bounds of a tier, in bytes and entries. */
export interface Bounds {
  readonly bytesMax: number;
  readonly entriesMax: number;
  readonly entryBytesMax: number;
  readonly quotas: Quotas;
}

/** The same options with nothing left open. */
export interface StoredTierSettings {
  readonly name: string;
  readonly bounds: Bounds;
  readonly payload: PayloadSettings;
  /** 0 for never. */
  readonly sweepEveryMs: number;
  readonly clock: Clock;
}

/** What a tier says where the caller says nothing. */
export interface StoredDefaults {
  readonly name: string;
  readonly maxBytes: ByteSize;
  readonly maxEntryBytes: ByteSize;
}

/** The names of these options, for tiers that add their own. */
export const STORED_KEYS: readonly (keyof StoredTierOptions)[] = [
  "name",
  "maxBytes",
  "maxEntries",
  "maxEntryBytes",
  "quotas",
  "compression",
  "compressFrom",
  "encryptionKey",
  "sweepEvery",
  "clock",
];

const COMPRESSIONS: readonly Compression[] = ["zstd", "lz4", "none"];
const KEY_BYTES = 32;
const HEX_KEY = /^[0-9a-f]{64}$/i;
/** A timer of Node.js that is set to more fires at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** Byte budgets of categories: those of the tier's own options, and those of the cache on top. */
export class Quotas implements Iterable<readonly [string, number]> {
  readonly #bytes: Map<string, number>;

  constructor(bytes: Iterable<readonly [string, number]>) {
    this.#bytes = new Map(bytes);
  }

  /** The budget of a category; `Infinity` without one. */
  of(category: string): number {
    return this.#bytes.get(category) ?? Number.POSITIVE_INFINITY;
  }

  /** Adds budgets; what the tier's own options say stays. */
  add(quotas: Readonly<Record<string, number>>): void {
    for (const [category, bytes] of Object.entries(quotas)) {
      if (!this.#bytes.has(category)) this.#bytes.set(category, bytes);
    }
  }

  [Symbol.iterator](): IterableIterator<[string, number]> {
    return this.#bytes.entries();
  }
}

/**
 * Fills the defaults.
 *
 * @param what names the tier in messages.
 * @throws `INVALID_ARGUMENT` naming the option.
 */
export function resolveStoredOptions(
  what: string,
  options: StoredTierOptions,
  defaults: StoredDefaults,
): StoredTierSettings {
  const { name = defaults.name, compression = "zstd", clock = systemClock } = options;
  const { sweepEvery = "60s", compressFrom = COMPRESS_FROM_BYTES } = options;
  assertText(what, "name", name);
  assertClock(`${what}: clock`, clock);
  if (!COMPRESSIONS.includes(compression)) {
    throw refused(what, "compression", `It is one of ${COMPRESSIONS.join(", ")}.`, compression);
  }
  const sweepEveryMs = parseDurationMs(sweepEvery, `${what}: sweepEvery`);
  return {
    name,
    bounds: boundsOf(what, options, defaults),
    payload: {
      compression,
      compressFromBytes: parseBytes(compressFrom, `${what}: compressFrom`),
      encryptionKey: keyOf(what, options.encryptionKey),
    },
    sweepEveryMs: Math.min(sweepEveryMs, TIMER_MS_MAX),
    clock,
  };
}

/** Throws unless it is a text that can be a name or a path. */
export function assertText(what: string, option: string, text: unknown): void {
  if (typeof text === "string" && text !== "" && !text.includes("\0")) return;
  throw refused(what, option, "It is a text that is not empty.", text);
}

/** The error for an option. The value is shown where it is given here: it may be a secret. */
export function refused(
  what: string,
  option: string,
  advice: string,
  value?: unknown,
): SpringhouseError {
  const given = value === undefined || value === "" ? "" : `: ${shown(value)}`;
  const message = `${what}: ${option}${given} is refused. ${advice}`;
  return new SpringhouseError("INVALID_ARGUMENT", message, { fields: { option } });
}

function boundsOf(what: string, options: StoredTierOptions, defaults: StoredDefaults): Bounds {
  const { maxEntries = Number.POSITIVE_INFINITY, quotas = {} } = options;
  const isCount = Number.isInteger(maxEntries) || maxEntries === Number.POSITIVE_INFINITY;
  if (!isCount || maxEntries < 1) {
    throw refused(what, "maxEntries", "It is a whole number from 1.", maxEntries);
  }
  if (typeof quotas !== "object" || quotas === null || Array.isArray(quotas)) {
    throw refused(what, "quotas", "It is an object of sizes by category.", quotas);
  }
  const { maxBytes = defaults.maxBytes, maxEntryBytes = defaults.maxEntryBytes } = options;
  return {
    bytesMax: parseBytes(maxBytes, `${what}: maxBytes`),
    entriesMax: maxEntries,
    entryBytesMax: parseBytes(maxEntryBytes, `${what}: maxEntryBytes`),
    quotas: new Quotas(
      Object.entries(quotas).map(([category, size]) => [
        category,
        parseBytes(size, `${what}: quotas.${category}`),
      ]),
    ),
  };
}

function keyOf(what: string, key: Uint8Array | string | undefined): Uint8Array | undefined {
  if (key === undefined) return undefined;
  if (typeof key === "string" && HEX_KEY.test(key)) return Buffer.from(key, "hex");
  if (key instanceof Uint8Array && key.byteLength === KEY_BYTES) return new Uint8Array(key);
  throw refused(what, "encryptionKey", "It is 32 bytes, or 64 hexadecimal digits.");
}
