/** The options of a file tier: checked and filled in once, in bytes and milliseconds inside. */

import { type ByteSize, parseBytes } from "../../core/bytes.ts";
import { type Clock, systemClock } from "../../core/clock.ts";
import { type Duration, parseDurationMs } from "../../core/duration.ts";
import { SpringhouseError } from "../../core/errors.ts";
import { refuseUnknownKeys } from "../../core/options.ts";
import { COMPRESS_FROM_BYTES, type Compression, type PayloadSettings } from "../payload.ts";

/** Options of `fileTier`. */
export interface FileTierOptions {
  /** How the tier is called in statistics and events. Default: "file". */
  readonly name?: string;
  /** Where the files are; made when it is missing, for this user alone. Default: "cache/files". */
  readonly folder?: string;
  /** The largest file, with its header, as it is on the disk. Default: "10MB". */
  readonly maxEntryBytes?: ByteSize;
  /** All files together. Default: "1000MB". */
  readonly maxBytes?: ByteSize;
  /** How many entries. Default: as many as `maxBytes` holds. */
  readonly maxEntries?: number;
  /** Bytes that the entries of a category may take, by its name. Default: only `maxBytes`. */
  readonly quotas?: Readonly<Record<string, ByteSize>>;
  /** "zstd" comes with Node.js, "lz4" needs the package `lz4-napi`. Default: "zstd". */
  readonly compression?: Compression;
  /** Smaller values are not compressed. Default: "1KB". */
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

/** The same, whole. */
export interface FileTierSettings {
  readonly name: string;
  readonly folder: string;
  readonly entryBytesMax: number;
  readonly bytesMax: number;
  readonly entriesMax: number;
  readonly quotas: ReadonlyMap<string, number>;
  readonly payload: PayloadSettings;
  /** 0 for never. */
  readonly sweepEveryMs: number;
  readonly clock: Clock;
}

const WHAT = "fileTier()";
const KNOWN: readonly (keyof FileTierOptions)[] = [
  "name",
  "folder",
  "maxEntryBytes",
  "maxBytes",
  "maxEntries",
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

/** @throws `INVALID_ARGUMENT`. */
export function resolveFileTierOptions(options: FileTierOptions = {}): FileTierSettings {
  refuseUnknownKeys(options, KNOWN, WHAT);
  const {
    name = "file",
    folder = "cache/files",
    maxEntryBytes = "10MB",
    maxBytes = "1000MB",
    maxEntries = Number.POSITIVE_INFINITY,
    quotas = {},
    compression = "zstd",
    compressFrom = COMPRESS_FROM_BYTES,
    encryptionKey,
    sweepEvery = "60s",
    clock = systemClock,
  } = options;
  for (const [option, text] of Object.entries({ name, folder })) {
    if (typeof text !== "string" || text === "") throw wrong(option, text, "a text");
  }
  if (!(maxEntries >= 1)) throw wrong("maxEntries", maxEntries, "a number from 1 on");
  if (!COMPRESSIONS.includes(compression)) {
    throw wrong("compression", compression, '"zstd", "lz4" or "none"');
  }
  if (typeof quotas !== "object" || quotas === null) throw wrong("quotas", quotas, "an object");
  const sweepEveryMs = parseDurationMs(sweepEvery, `${WHAT} sweepEvery`);
  return {
    name,
    folder,
    entryBytesMax: parseBytes(maxEntryBytes, `${WHAT} maxEntryBytes`),
    bytesMax: parseBytes(maxBytes, `${WHAT} maxBytes`),
    entriesMax: maxEntries,
    quotas: new Map(
      Object.entries(quotas).map(([category, bytes]) => [
        category,
        parseBytes(bytes, `${WHAT} quotas.${category}`),
      ]),
    ),
    payload: {
      compression,
      compressFromBytes: parseBytes(compressFrom, `${WHAT} compressFrom`),
      encryptionKey: keyOf(encryptionKey),
    },
    sweepEveryMs: Math.min(sweepEveryMs, TIMER_MS_MAX),
    clock,
  };
}

function keyOf(key: Uint8Array | string | undefined): Uint8Array | undefined {
  if (key === undefined) return undefined;
  if (typeof key === "string" && HEX_KEY.test(key)) return Buffer.from(key, "hex");
  if (key instanceof Uint8Array && key.byteLength === KEY_BYTES) return new Uint8Array(key);
  // The key itself is not for the message.
  throw wrong("encryptionKey", "…", "32 bytes, or 64 hexadecimal digits");
}

function wrong(option: string, value: unknown, right: string): SpringhouseError {
  const given = typeof value === "number" ? String(value) : JSON.stringify(value);
  const message = `${WHAT} ${option}: ${given} is not what it takes: ${right}.`;
  return new SpringhouseError("INVALID_ARGUMENT", message, { fields: { option } });
}
