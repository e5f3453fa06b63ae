/** From the place that a user names to the store there. */

import { fileURLToPath } from "node:url";
import { SpringhouseError } from "../core/errors.ts";
import { redactUrl } from "../core/redact.ts";
import type { BackupKey } from "./encryption.ts";
import type { ObjectStore } from "./object-store.ts";
import { folderStore } from "./object-store-folder.ts";
import { parseS3Url, s3Store } from "./object-store-s3.ts";
import { sealedStore } from "./object-store-sealed.ts";

const SCHEME = /^([a-z][a-z0-9+.-]+):/i;

/**
 * Opens the store at a place: a folder, `file:///folder`, or `s3://bucket/prefix`, there with
 * `?endpoint=https://host` and `?region=name` where they are needed.
 *
 * @param key encrypts what is put and reads what was encrypted.
 * @throws `INVALID_URL` for any other scheme; `MISSING_DEPENDENCY` without `@aws-sdk/client-s3`.
 */
export async function openObjectStore(
  place: string,
  key: BackupKey | undefined,
): Promise<ObjectStore> {
  return sealedStore(await openPlainly(place), key);
}

async function openPlainly(place: string): Promise<ObjectStore> {
  // A letter alone is a drive.
  const scheme = SCHEME.exec(place)?.[1]?.toLowerCase();
  if (scheme === undefined && place !== "") return folderStore(place);
  if (scheme === "file") return folderStore(fileURLToPath(place));
  if (scheme === "s3") return await s3Store(parseS3Url(place));
  const message = `"${redactUrl(place)}" is no place for backups: name a folder, or s3://bucket.`;
  throw new SpringhouseError("INVALID_URL", message);
}
