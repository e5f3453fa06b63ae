/** Options of the SQLite tier, validated and filled. */

import { resolve } from "node:path";
import { type ByteSize, parseBytes } from "../../core/bytes.ts";
import { type Clock, systemClock } from "../../core/clock.ts";
import { type Duration, parseDurationMs } from "../../core/duration.ts";
import { SpringhouseError } from "../../core/errors.ts";
import { refuseUnknownKeys } from "../../core/options.ts";
import { COMPRESS_FROM_BYTES, type Compression, type PayloadSettings } from "../payload.ts";

/** How to keep a cache in a SQLite file. */
export interface SqliteTierOptions {
  /** The name of the tier within a cache. Default: "sqlite". */
  readonly name?: string;
  /** The file; its folder is made. Processes may share it. Default: "cache/cache.db". */
  readonly path?: string;
  /** All entries together. Default: "1GB". */
  readonly maxBytes?: ByteSize;
  /** Default: no bound. */
  readonly maxEntries?: number;
  /** One entry; a larger one is not stored. At most "1GB". Default: "64MB". */
  readonly maxEntryBytes?: ByteSize;
  /** Bytes of single categories within `maxBytes`. Default: none. */
  readonly quotas?: Readonly<Record<string, ByteSize>>;
  /** "zstd", "lz4" (needs the package `lz4-napi`) or "none". Default: "zstd". */
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
  readonly quotas: ReadonlyMap<string, number>;
}

/** Options with nothing left open. */
export interface ResolvedSqliteTierOptions {
  readonly name: string;
  readonly path: string;
  readonly bounds: Bounds;
  readonly payload: PayloadSettings;
  readonly sweepEveryMs: number;
  readonly clock: Clock;
}

const KEYS: readonly (keyof SqliteTierOptions)[] = [
  "name",
  "path",
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
const COMPRESSIONS: readonly string[] = ["zstd", "lz4", "none"];
/** What the rows of one value can hold (`PARTS_MAX` of `PART_BYTES`). */
const ENTRY_BYTES_LIMIT = 1_024 ** 3;
const KEY_BYTES = 32;

/** Fills the defaults. @throws `INVALID_ARGUMENT` for an unknown key or a wrong value. */
export function resolveSqliteTierOptions(options: SqliteTierOptions): ResolvedSqliteTierOptions {
  refuseUnknownKeys(options, KEYS, "sqliteTier");
  const { name = "sqlite", path = "cache/cache.db", compression = "zstd" } = options;
  if (typeof name !== "string" || name === "") throw invalid("name", "It is a text.");
  if (typeof path !== "string" || path === "" || path.includes("\0")) {
    throw invalid("path", "It is the path of a file.");
  }
  if (!COMPRESSIONS.includes(compression)) {
    throw invalid("compression", `It is one of ${COMPRESSIONS.join(", ")}.`);
  }
  return {
    name,
    path: resolve(path),
    bounds: boundsOf(options),
    payload: {
      compression,
      compressFromBytes: parseBytes(options.compressFrom ?? COMPRESS_FROM_BYTES, "compressFrom"),
      encryptionKey: keyOf(options.encryptionKey),
    },
    sweepEveryMs: parseDurationMs(options.sweepEvery ?? "60s", "sweepEvery"),
    clock: options.clock ?? systemClock,
  };
}

function boundsOf(options: SqliteTierOptions): Bounds {
  const { maxEntries = Number.POSITIVE_INFINITY, quotas = {} } = options;
  const isCount = Number.isInteger(maxEntries) || maxEntries === Number.POSITIVE_INFINITY;
  if (!isCount || maxEntries < 1) throw invalid("maxEntries", "It is a whole number from 1.");
  const entryBytesMax = parseBytes(options.maxEntryBytes ?? "64MB", "maxEntryBytes");
  if (entryBytesMax > ENTRY_BYTES_LIMIT) throw invalid("maxEntryBytes", 'It is at most "1GB".');
  return {
    bytesMax: parseBytes(options.maxBytes ?? "1GB", "maxBytes"),
    entriesMax: maxEntries,
    entryBytesMax,
    quotas: new Map(
      Object.entries(quotas).map(([category, size]) => [
        category,
        parseBytes(size, `quotas.${category}`),
      ]),
    ),
  };
}

function keyOf(key: Uint8Array | string | undefined): Uint8Array | undefined {
  if (key === undefined) return undefined;
  const bytes = typeof key === "string" ? Buffer.from(key, "hex") : Uint8Array.from(key);
  const whole = typeof key !== "string" || key.length === 2 * KEY_BYTES;
  if (bytes.byteLength === KEY_BYTES && whole) return bytes;
  throw invalid("encryptionKey", "It is 32 bytes, or 64 hexadecimal digits.");
}

/** The value is left out: it may be a secret. */
function invalid(name: string, advice: string): SpringhouseError {
  return new SpringhouseError("INVALID_ARGUMENT", `sqliteTier: ${name} is refused. ${advice}`, {
    fields: { name },
  });
}
