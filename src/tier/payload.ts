/**
 * A value on its way to a tier of bytes: encoded, compressed when that pays, encrypted when there
 * is a key.
 *
 * The steps stand in the name (`json+zstd+aes-256-gcm`), so that every entry says how to read it,
 * whatever the settings are by then. The key of the entry and the name of its steps are
 * authenticated with its bytes: an encrypted value cannot pass for that of another key, nor be read
 * as something else. The nonces are random, which is good for 2³² values a key of encryption.
 */

import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { promisify } from "node:util";
import {
  constants,
  zstdCompress,
  zstdCompressSync,
  zstdDecompress,
  zstdDecompressSync,
} from "node:zlib";
import { warn } from "../core/channels.ts";
import { decodeValue, encodeValue } from "../core/codec.ts";
import { isSpringhouseError, messageOf, SpringhouseError } from "../core/errors.ts";
import { importOptional } from "../core/lazy.ts";

/** How to compress: zstd comes with Node.js, lz4 needs the package `lz4-napi`. */
export type Compression = "zstd" | "lz4" | "none";

/** How payloads are made. */
export interface PayloadSettings {
  readonly compression: Compression;
  /** Smaller values are left as they are. */
  readonly compressFromBytes: number;
  /** 32 bytes, or none. */
  readonly encryptionKey: Uint8Array | undefined;
}

/** Bytes, and the steps that made them. */
export interface Payload {
  readonly codec: string;
  readonly bytes: Uint8Array;
}

/** Values from here on are worth a compression. */
export const COMPRESS_FROM_BYTES = 1_024;
/** A compressed value is kept when it is at least a tenth smaller: reading it costs time, too. */
const WORTH_IT = 0.9;
/** Zstandard's own default, a good middle between time and size. */
const ZSTD_LEVEL = 3;
/** Larger values are compressed in another thread; smaller ones take less than a millisecond. */
const IN_THREAD_FROM_BYTES = 64 * 1_024;
/** What grows beyond this when it is read does so in another thread, however small it was. */
const IN_TURN_BYTES_MAX = 1_024 * 1_024;
/** No value may grow beyond this when it is read; a small entry could hold gigabytes. */
const DECOMPRESSED_BYTES_MAX = 512 * 1_024 * 1_024;
const CIPHER = "aes-256-gcm";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** `lz4-napi` puts the length of the plain bytes in front, in so many bytes. */
const LZ4_LENGTH_BYTES = 4;

const zstdCompressInThread = promisify(zstdCompress);
const zstdDecompressInThread = promisify(zstdDecompress);

/**
 * Makes the payload of a value.
 *
 * Without the package of lz4 it is compressed by zstd.
 *
 * @param wanted another compression than that of the settings.
 * @throws `INVALID_ARGUMENT` when it is not data.
 */
export async function pack(
  key: string,
  value: unknown,
  settings: PayloadSettings,
  wanted?: Compression,
): Promise<Payload> {
  const { codec, bytes } = encodeValue(value);
  let payload: Payload = { codec, bytes };
  const { compressFromBytes, encryptionKey } = settings;
  const compression = await orZstd(wanted ?? settings.compression);
  if (compression !== "none" && bytes.byteLength >= compressFromBytes) {
    const smaller = await compress(bytes, compression);
    if (smaller.byteLength <= bytes.byteLength * WORTH_IT) {
      payload = { codec: `${codec}+${compression}`, bytes: smaller };
    }
  }
  if (encryptionKey === undefined) return payload;
  const sealed = `${payload.codec}+${CIPHER}`;
  return { codec: sealed, bytes: encrypt(bound(key, sealed), payload.bytes, encryptionKey) };
}

/** Reads a payload. @throws `CORRUPT` when it is damaged, or another key was used. */
export async function unpack(
  key: string,
  { codec, bytes }: Payload,
  encryptionKey: Uint8Array | undefined,
): Promise<unknown> {
  const [name = "", ...steps] = codec.split("+");
  // An attacker who can write the cache must not pass plain bytes off as encrypted ones.
  if (encryptionKey !== undefined && steps.at(-1) !== CIPHER) {
    throw corrupt(key, "it is not encrypted");
  }
  let plain = bytes;
  for (const step of steps.reverse()) {
    plain =
      step === CIPHER
        ? decrypt(key, codec, plain, encryptionKey)
        : await decompress(key, plain, step);
  }
  return decodeValue(name, plain);
}

/** A wish for lz4 is no reason to keep nothing: without the package it is told of once. */
async function orZstd(wanted: Compression): Promise<Compression> {
  if (wanted !== "lz4") return wanted;
  try {
    await lz4();
    return wanted;
  } catch (error) {
    if (!isSpringhouseError(error, "MISSING_DEPENDENCY")) throw error;
    if (!hasToldOfLz4) warn("MISSING_DEPENDENCY", `${error.message}. Until then zstd is used.`);
    hasToldOfLz4 = true;
    return "zstd";
  }
}

let hasToldOfLz4 = false;

async function compress(bytes: Uint8Array, compression: Compression): Promise<Uint8Array> {
  if (compression === "lz4") return (await lz4()).compress(asBuffer(bytes));
  const options = { params: { [constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL } };
  if (bytes.byteLength < IN_THREAD_FROM_BYTES) return zstdCompressSync(bytes, options);
  return await zstdCompressInThread(bytes, options);
}

async function decompress(key: string, bytes: Uint8Array, step: string): Promise<Uint8Array> {
  if (step !== "zstd" && step !== "lz4") throw corrupt(key, `nobody knows the step "${step}"`);
  try {
    if (step === "lz4") return await lz4Decompress(bytes);
    return (
      decompressInTurn(bytes) ??
      (await zstdDecompressInThread(bytes, { maxOutputLength: DECOMPRESSED_BYTES_MAX }))
    );
  } catch (error) {
    if (error instanceof SpringhouseError) throw error;
    throw corrupt(key, messageOf(error), error);
  }
}

/** Values that are small before and after; `undefined` for others. */
function decompressInTurn(bytes: Uint8Array): Uint8Array | undefined {
  if (bytes.byteLength >= IN_THREAD_FROM_BYTES) return undefined;
  try {
    return zstdDecompressSync(bytes, { maxOutputLength: IN_TURN_BYTES_MAX });
  } catch (error) {
    if ((error as { readonly code?: string }).code === "ERR_BUFFER_TOO_LARGE") return undefined;
    throw error;
  }
}

async function lz4Decompress(bytes: Uint8Array): Promise<Uint8Array> {
  const packed = asBuffer(bytes);
  // The library allocates whatever the length in front says.
  if (packed.byteLength < LZ4_LENGTH_BYTES || packed.readUInt32LE() > DECOMPRESSED_BYTES_MAX) {
    throw new RangeError("the length in front of it is impossible");
  }
  return await (await lz4()).uncompress(packed);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** What we use of `lz4-napi`. */
interface Lz4 {
  compress(data: Buffer): Promise<Buffer>;
  uncompress(data: Buffer): Promise<Buffer>;
}

/** @throws `MISSING_DEPENDENCY`. */
async function lz4(): Promise<Lz4> {
  const name = "lz4-napi";
  return await importOptional(
    name,
    'for compression "lz4" ("zstd" needs nothing)',
    () => import(name) as Promise<Lz4>,
  );
}

/** What an encrypted value is bound to; UTF-16, in which every text stands for itself alone. */
function bound(key: string, codec: string): Buffer {
  return Buffer.from(`${codec}\n${key}`, "utf16le");
}

function encrypt(context: Buffer, bytes: Uint8Array, secret: Uint8Array): Uint8Array {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, secret, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(context);
  return Buffer.concat([nonce, cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
}

function decrypt(
  key: string,
  codec: string,
  bytes: Uint8Array,
  secret: Uint8Array | undefined,
): Uint8Array {
  if (secret === undefined) throw corrupt(key, "it is encrypted and no key was given");
  try {
    const end = bytes.byteLength - TAG_BYTES;
    const nonce = bytes.subarray(0, NONCE_BYTES);
    const decipher = createDecipheriv(CIPHER, secret, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(bound(key, codec));
    decipher.setAuthTag(bytes.subarray(end));
    return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, end)), decipher.final()]);
  } catch (error) {
    throw corrupt(key, "it was not encrypted with this key", error);
  }
}

function corrupt(key: string, why: string, cause?: unknown): SpringhouseError {
  const message = `The cached value of ${JSON.stringify(key)} cannot be read: ${why}.`;
  return new SpringhouseError("CORRUPT", message, { cause, fields: { key } });
}
