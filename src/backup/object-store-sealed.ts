/**
 * A store whose objects only the owner of a key can read: each is encrypted by itself, with
 * AES-256-GCM and a random nonce, and sealed together with its name, so that none passes for
 * another. Without a key objects are kept as they are; those are read with a key, too.
 *
 *     magic (8 bytes) | id of the key (8) | nonce (12) | ciphertext | tag (16)
 */

import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import { SpringhouseError } from "../core/errors.ts";
import { type BackupKey, keyFor } from "./encryption.ts";
import type { ObjectStore, StoredObject } from "./object-store.ts";

const ALGORITHM = "aes-256-gcm";
const MAGIC = "SPRSEAL\n";
const KEY_ID_BYTES = 8;
/** Random ones are safe for four thousand million objects of one key. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const NONCE_OFFSET = MAGIC.length + KEY_ID_BYTES;
const HEAD_BYTES = NONCE_OFFSET + NONCE_BYTES;
const KEY_BYTES = 32;

/** Puts a key before a store; `undefined` writes plainly and refuses what is sealed. */
export function sealedStore(store: ObjectStore, key: BackupKey | undefined): ObjectStore {
  return new SealedStore(store, key);
}

class SealedStore implements ObjectStore {
  readonly place: string;
  readonly #store: ObjectStore;
  readonly #key: BackupKey | undefined;
  readonly #secret: Uint8Array;

  constructor(store: ObjectStore, key: BackupKey | undefined) {
    this.place = store.place;
    this.#store = store;
    this.#key = key;
    const bytes = key?.bytes ?? new Uint8Array();
    this.#secret = new Uint8Array(hkdfSync("sha256", bytes, "", "springhouse segments", KEY_BYTES));
  }

  async put(name: string, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    await this.#store.put(name, this.#key === undefined ? bytes : this.#seal(name, bytes), signal);
  }

  async get(name: string, signal?: AbortSignal): Promise<Uint8Array> {
    const stored = await this.#store.get(name, signal);
    const bytes = Buffer.from(stored.buffer, stored.byteOffset, stored.length);
    const isSealed = bytes.toString("latin1", 0, MAGIC.length) === MAGIC;
    return isSealed ? this.#unseal(name, bytes) : bytes;
  }

  list(prefix: string, signal?: AbortSignal): Promise<readonly StoredObject[]> {
    return this.#store.list(prefix, signal);
  }

  drop(names: readonly string[], signal?: AbortSignal): Promise<void> {
    return this.#store.drop(names, signal);
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  #seal(name: string, bytes: Uint8Array): Uint8Array {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(ALGORITHM, this.#secret, nonce).setAAD(Buffer.from(name));
    const id = Buffer.from(this.#key?.id ?? "", "hex");
    const sealed = [cipher.update(bytes), cipher.final(), cipher.getAuthTag()];
    return Buffer.concat([Buffer.from(MAGIC, "latin1"), id, nonce, ...sealed]);
  }

  #unseal(name: string, bytes: Buffer): Uint8Array {
    const keyId = bytes.toString("hex", MAGIC.length, NONCE_OFFSET);
    keyFor({ algorithm: ALGORITHM, keyId, salt: "" }, this.#key, `Segment ${name}`);
    try {
      const nonce = bytes.subarray(NONCE_OFFSET, HEAD_BYTES);
      const decipher = createDecipheriv(ALGORITHM, this.#secret, nonce);
      decipher.setAAD(Buffer.from(name)).setAuthTag(bytes.subarray(-TAG_BYTES));
      const content = bytes.subarray(HEAD_BYTES, -TAG_BYTES);
      return Buffer.concat([decipher.update(content), decipher.final()]);
    } catch (error) {
      const message =
        `Segment ${name}: its seal does not hold, so it was cut off, altered, or is another one ` +
        "under this name. What stands before it can be restored: choose an earlier time.";
      const fields = { file: name, offset: HEAD_BYTES };
      throw new SpringhouseError("SEGMENT_DAMAGED", message, { cause: error, fields });
    }
  }
}
