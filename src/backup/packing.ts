/** A database file as it lies in a backup: compressed with zstd, and encrypted after that. */

import { createHash, createHmac, type Hash, type Hmac } from "node:crypto";
import { createReadStream, statSync } from "node:fs";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { constants, createZstdCompress, createZstdDecompress } from "node:zlib";
import { isSpringhouseError, messageOf, SpringhouseError } from "../core/errors.ts";
import { toSpringhouseError } from "../sqlite/errors.ts";
import { contentOf } from "./content.ts";
import { decrypting, digestKey, encrypting, keyFor } from "./encryption.ts";
import { fileProblem } from "./folder.ts";
import type { DatabaseContent, Manifest } from "./manifest.ts";
import { openForChecks } from "./open-for-checks.ts";
import type { Packed, Progress, Task } from "./protocol.ts";
import { steadyFile } from "./steady-file.ts";

/** Three quarters of what level 9 saves, at more than twice its speed. */
const ZSTD_LEVEL = 3;
const READ_BYTES = 1_048_576;

type PackTask = Extract<Task, { kind: "pack" }>;

/** What an encrypted backup is sealed with: its data fits no manifest of another content. */
function sealContext(content: DatabaseContent): string {
  return JSON.stringify(["springhouse-backup", 1, content]);
}

/** Reads what the database holds and writes it as one file, which is on disk when it resolves. */
export async function pack(
  { from, to, key, encryption }: PackTask,
  onProgress: (progress: Progress) => void,
): Promise<Packed> {
  const secret = key && encryption && digestKey(key, encryption);
  const content = readContent(from, secret, onProgress);
  const raw = digestOf(secret);
  const packed = createHash("sha256");
  const total = statSync(from).size;
  try {
    await pipeline([
      createReadStream(from, { highWaterMark: READ_BYTES }),
      hashing(raw, (done) => onProgress({ step: "pack", done, total, unit: "bytes" })),
      createZstdCompress({
        params: {
          [constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL,
          [constants.ZSTD_c_checksumFlag]: 1,
        },
      }),
      ...(key && encryption ? [encrypting(key, encryption, sealContext(content))] : []),
      hashing(packed),
      steadyFile(to),
    ]);
  } catch (error) {
    throw toSpringhouseError(error, { path: to });
  }
  return {
    content,
    data: {
      sizeBytes: statSync(to).size,
      sha256: packed.digest("hex"),
      rawDigest: raw.digest("hex"),
      compression: "zstd",
      ...(encryption !== undefined && { encryption }),
    },
  };
}

function readContent(
  path: string,
  key: Uint8Array | undefined,
  onProgress: (progress: Progress) => void,
): DatabaseContent {
  try {
    using database = openForChecks(path);
    return contentOf(database, {
      key,
      onRows: (done) => onProgress({ step: "read", done, unit: "rows" }),
    });
  } catch (error) {
    throw toSpringhouseError(error, { path });
  }
}

type UnpackTask = Pick<Extract<Task, { kind: "prove" }>, "from" | "to" | "manifest" | "key">;

/**
 * Writes the database of a backup to a new file, which is on disk when it resolves.
 *
 * @throws `BACKUP_DAMAGED` when a byte is not as the manifest says, `BACKUP_KEY` for a wrong key.
 */
export async function unpack(
  { from, to, manifest, key: given }: UnpackTask,
  onProgress: (progress: Progress) => void,
): Promise<void> {
  const { name, data, content, database } = manifest;
  const { encryption } = data;
  const key = keyFor(encryption, given, `The backup ${name}`);
  const problem = fileProblem(from, data.sizeBytes);
  if (problem !== undefined) throw damaged(manifest, `${data.file} ${problem}`);
  const raw = digestOf(key && encryption && digestKey(key, encryption));
  const packed = createHash("sha256");
  const total = database.sizeBytes;
  try {
    await pipeline([
      createReadStream(from, { highWaterMark: READ_BYTES }),
      hashing(packed),
      ...(key && encryption ? [decrypting(key, encryption, sealContext(content))] : []),
      createZstdDecompress(),
      hashing(raw, (done) => onProgress({ step: "unpack", done, total, unit: "bytes" })),
      steadyFile(to),
    ]);
  } catch (error) {
    const { code = "" } = error as { code?: string };
    const isData = code.startsWith("ZSTD_") || code.startsWith("ERR_") || code.startsWith("Z_");
    if (isData) throw damaged(manifest, `${data.file} cannot be unpacked (${messageOf(error)})`);
    if (isSpringhouseError(error, "BACKUP_DAMAGED")) {
      throw damaged(manifest, `${data.file}: ${String(error.fields["why"])}`);
    }
    throw toSpringhouseError(error, { path: to });
  }
  if (packed.digest("hex") !== data.sha256 || raw.digest("hex") !== data.rawDigest) {
    throw damaged(manifest, `the SHA-256 of ${data.file} is another one: bytes were altered`);
  }
}

/** The error for a backup that is not what its manifest says. */
export function damaged({ name }: Manifest, why: string): SpringhouseError {
  const message = `The backup ${name} is damaged: ${why}. Do not rely on it; take another one.`;
  return new SpringhouseError("BACKUP_DAMAGED", message, { fields: { name, why } });
}

/** SHA-256, keyed when the backup is encrypted: a known file could be recognised by a plain one. */
function digestOf(secret: Uint8Array | undefined): Hash | Hmac {
  return secret === undefined ? createHash("sha256") : createHmac("sha256", secret);
}

/** Hashes what flows through, and says how much it was. */
function hashing(hash: Hash | Hmac, onBytes: (bytes: number) => void = () => undefined): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      bytes += chunk.length;
      onBytes(bytes);
      done(null, chunk);
    },
  });
}
