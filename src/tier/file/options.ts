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
  /** 32 bytes; values are encrypted with AES-256-GCM, keys and tags are not. Default: none. */
  readonly encryptionKey?: Uint8Array;
  /** Time between two sweeps in the background. Default: "60s". */
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
  const isKey = encryptionKey instanceof Uint8Array && encryptionKey.byteLength === KEY_BYTES;
  // The key itself is not for the message.
  if (encryptionKey !== undefined && !isKey) throw wrong("encryptionKey", "…", "32 bytes");
  if (typeof quotas !== "object" || quotas === null) throw wrong("quotas", quotas, "an object");
  const sweepEveryMs = parseDurationMs(sweepEvery, `${WHAT} sweepEvery`);
  if (sweepEveryMs === 0) throw wrong("sweepEvery", sweepEvery, "more than 0");
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
      encryptionKey,
    },
    sweepEveryMs: Math.min(sweepEveryMs, TIMER_MS_MAX),
    clock,
  };
}

function wrong(option: string, value: unknown, right: string): SpringhouseError {
  const given = typeof value === "number" ? String(value) : JSON.stringify(value);
  const message = `${WHAT} ${option}: ${given} is not what it takes: ${right}.`;
  return new SpringhouseError("INVALID_ARGUMENT", message, { fields: { option } });
}
