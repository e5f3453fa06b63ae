/**
 * Encryption of what a backup folder holds: AES-256-GCM in chunks, each sealed for its place.
 *
 * One seal over a whole file would give out gigabytes before its end shows whether they are
 * genuine, and one key and nonce are good for 64 GB only. So the data is cut into chunks of a
 * megabyte; the nonce of a chunk is its number and whether it is the last one, so that chunks can
 * neither be left out, nor swapped, nor cut off at the end (the STREAM construction of Hoang,
 * Reyhanitabar, Rogaway and Vizár, CRYPTO 2015). Each file has a key of its own, made by HKDF from
 * the user's key and a random salt, so no nonce is ever used twice under one key. What the data
 * belongs to is sealed with it as `context`.
 */

import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { Transform } from "node:stream";
import { SpringhouseError } from "../core/errors.ts";
import type { Encryption } from "./manifest.ts";

/** Plain bytes of a chunk: large beside its seal, small beside memory. */
const CHUNK_BYTES = 1_048_576;
const TAG_BYTES = 16;
const KEY_BYTES = 32;
const SALT_BYTES = 32;
const ALGORITHM = "aes-256-gcm";
/** Enough to tell a handful of keys apart. */
const KEY_ID_LENGTH = 16;

/** The key of the backups of one folder. */
export interface BackupKey {
  /** 32 random bytes. */
  readonly bytes: Uint8Array;
  /** Tells keys apart without saying anything about them. */
  readonly id: string;
}

/** For `readBackupKey`. */
export interface KeySource {
  /** The key itself, as from an environment variable. Default: none. */
  readonly text?: string | undefined;
  /** A file that holds it; only its owner may read it. Default: none. */
  readonly file?: string | undefined;
}

const FORMS =
  "A key is 32 random bytes as 64 hexadecimal digits or in base64. Make one: openssl rand -hex 32";

/**
 * The key of the text, else of the file; undefined when neither is given.
 *
 * @throws `BACKUP_KEY` for what is no key, and for a file that others may read.
 */
export async function readBackupKey({ text, file }: KeySource): Promise<BackupKey | undefined> {
  if (text !== undefined) return parseBackupKey(text, "the key");
  if (file === undefined) return undefined;
  try {
    const { mode } = await stat(file);
    if (process.platform !== "win32" && (mode & 0o077) !== 0) {
      throw keyError(`Others may read the key file ${file}. Run: chmod 600 ${file}`);
    }
    return parseBackupKey(await readFile(file, "utf8"), `the key file ${file}`);
  } catch (error) {
    if (error instanceof SpringhouseError) throw error;
    const { code } = error as { code?: string };
    throw keyError(`The key file ${file} cannot be read (${code}).`, error);
  }
}

/**
 * The key of a text. It never appears in a message.
 *
 * @throws `BACKUP_KEY`.
 */
export function parseBackupKey(text: string, name = "The key"): BackupKey {
  const trimmed = text.trim();
  const isHex = /^[0-9a-f]{64}$/i.test(trimmed);
  const isBase64 = /^[A-Za-z0-9+/_-]{43}=?$/.test(trimmed);
  if (!isHex && !isBase64) {
    const length = trimmed.length;
    throw keyError(`${name} has ${length} characters, and is no key of a backup. ${FORMS}`);
  }
  const bytes = Buffer.from(trimmed, isHex ? "hex" : "base64");
  const id = createHmac("sha256", bytes).update("springhouse backup key id").digest("hex");
  return { bytes, id: id.slice(0, KEY_ID_LENGTH) };
}

function keyError(message: string, cause?: unknown): SpringhouseError {
  return new SpringhouseError("BACKUP_KEY", message, { cause });
}

/** What encrypts one more file with the key. */
export function newEncryption(key: BackupKey): Encryption {
  const salt = randomBytes(SALT_BYTES).toString("hex");
  return { algorithm: ALGORITHM, keyId: key.id, salt };
}

/**
 * The key that data was encrypted with.
 *
 * @param what names the data in messages: "The backup backup_20261126_020000".
 * @throws `BACKUP_KEY` when none was given, or another one.
 */
export function keyFor(
  encryption: Encryption | undefined,
  key: BackupKey | undefined,
  what: string,
): BackupKey | undefined {
  if (encryption === undefined) return undefined;
  const { keyId } = encryption;
  if (key === undefined) {
    const how = "Give its key by SPRINGHOUSE_BACKUP_ENCRYPTION_KEY or backup.encryptionKeyFile.";
    throw new SpringhouseError("BACKUP_KEY", `${what} is encrypted (key ${keyId}). ${how}`, {
      fields: { keyId },
    });
  }
  if (key.id === keyId) return key;
  const message = `${what} was encrypted with another key: with ${keyId}, and ${key.id} was given.`;
  throw new SpringhouseError("BACKUP_KEY", message, { fields: { keyId, given: key.id } });
}

/** A key for the digests of an encrypted backup: plain ones would let small tables be guessed. */
export function digestKey({ bytes }: BackupKey, { salt }: Encryption): Uint8Array {
  return derive(bytes, salt, "springhouse backup digests");
}

/** Encrypts what flows through it. */
export function encrypting(key: BackupKey, encryption: Encryption, context: string): Transform {
  const seal = new Sealing(key, encryption, context);
  return inChunks(CHUNK_BYTES, (chunk, isLast) => {
    const cipher = createCipheriv(ALGORITHM, seal.key, seal.nonce(isLast));
    cipher.setAAD(seal.context);
    return Buffer.concat([cipher.update(chunk), cipher.final(), cipher.getAuthTag()]);
  });
}

/** Decrypts what flows through it; fails with `BACKUP_DAMAGED` at the first altered chunk. */
export function decrypting(key: BackupKey, encryption: Encryption, context: string): Transform {
  const seal = new Sealing(key, encryption, context);
  return inChunks(CHUNK_BYTES + TAG_BYTES, (chunk, isLast, number) => {
    try {
      const decipher = createDecipheriv(ALGORITHM, seal.key, seal.nonce(isLast));
      decipher.setAAD(seal.context);
      decipher.setAuthTag(chunk.subarray(-TAG_BYTES));
      return Buffer.concat([decipher.update(chunk.subarray(0, -TAG_BYTES)), decipher.final()]);
    } catch (cause) {
      const why = `part ${number + 1}, of a megabyte each, was altered or is not complete`;
      const message = `Encrypted data is damaged: ${why}. Take another backup.`;
      throw new SpringhouseError("BACKUP_DAMAGED", message, { cause, fields: { why } });
    }
  });
}

/** The key of one file, and the nonces of its chunks in order. */
class Sealing {
  readonly key: Uint8Array;
  readonly context: Uint8Array;
  #number = 0;

  constructor(key: BackupKey, { salt }: Encryption, context: string) {
    this.key = derive(key.bytes, salt, "springhouse backup data");
    this.context = Buffer.from(context);
  }

  /** Twelve bytes: zeros, the number of the chunk, and 1 for the last one. */
  nonce(isLast: boolean): Uint8Array {
    const nonce = Buffer.alloc(12);
    nonce.writeUInt32BE(this.#number++, 7);
    nonce[11] = isLast ? 1 : 0;
    return nonce;
  }
}

function derive(bytes: Uint8Array, salt: string, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", bytes, Buffer.from(salt, "hex"), purpose, KEY_BYTES));
}

/** Cuts a stream into chunks of one size; the last one is shorter, and may be empty. */
function inChunks(
  size: number,
  change: (chunk: Buffer, isLast: boolean, number: number) => Buffer,
): Transform {
  let waiting: Buffer[] = [];
  let waitingBytes = 0;
  let number = 0;
  const attempt = (run: () => void, done: (error?: Error | null) => void): void => {
    try {
      run();
      done();
    } catch (error) {
      done(error as Error);
    }
  };
  return new Transform({
    transform(data: Buffer, _encoding, done) {
      attempt(() => {
        waiting.push(data);
        waitingBytes += data.length;
        if (waitingBytes <= size) return;
        let whole = Buffer.concat(waiting);
        // One chunk always stays: the last one is known only at the end.
        for (; whole.length > size; whole = whole.subarray(size)) {
          this.push(change(whole.subarray(0, size), false, number++));
        }
        waiting = [whole];
        waitingBytes = whole.length;
      }, done);
    },
    flush(done) {
      attempt(() => void this.push(change(Buffer.concat(waiting), true, number)), done);
    },
  });
}
