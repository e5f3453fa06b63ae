/** Options of the calls that make and use backups, validated and filled. */

import { isAbsolute, resolve } from "node:path";
import { assertSignal } from "../core/abort.ts";
import { assertClock, assertFunction, assertText, wrongArgument } from "../core/arguments.ts";
import { type Clock, systemClock } from "../core/clock.ts";
import { SpringhouseError } from "../core/errors.ts";
import { refuseUnknownKeys } from "../core/options.ts";
import { parseLocation } from "../sqlite/location.ts";
import { type BackupKey, parseBackupKey } from "./encryption.ts";
import type { Progress } from "./protocol.ts";

/** Which backups are meant. */
export interface FolderOptions {
  /** The folder of the backups. Made by the first one. No default. */
  readonly directory: string;
}

/** What every call takes that makes, checks or restores a backup. */
export interface BackupOptions extends FolderOptions {
  /**
   * The key of encrypted backups: 32 random bytes as 64 hexadecimal digits or in base64. With a key
   * new backups are encrypted. Default: none.
   */
  readonly key?: string | undefined;
  /** Default: the machine's clock. */
  readonly clock?: Clock | undefined;
  /** Gives up; what was made so far is removed. Default: none. */
  readonly signal?: AbortSignal | undefined;
  /** Called now and then with how far it has come. Default: none. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** Options with nothing left open. */
export interface ResolvedBackupOptions {
  readonly directory: string;
  readonly key: BackupKey | undefined;
  readonly clock: Clock;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((progress: Progress) => void) | undefined;
}

/** Keys of `BackupOptions`. */
export const BACKUP_OPTION_KEYS: readonly string[] = [
  "directory",
  "key",
  "clock",
  "signal",
  "onProgress",
];

/**
 * Checks and fills what the calls have in common.
 *
 * @param more keys that the call takes besides.
 * @throws `INVALID_ARGUMENT`, and `BACKUP_KEY` for what is no key.
 */
export function resolveBackupOptions(
  call: string,
  options: BackupOptions,
  more: readonly string[],
): ResolvedBackupOptions {
  refuseUnknownKeys(options, [...more, ...BACKUP_OPTION_KEYS], call);
  const { key, clock = systemClock, signal, onProgress } = options;
  assertSignal(signal);
  assertClock(`${call}: clock`, clock);
  if (onProgress !== undefined) assertFunction(`${call}: onProgress`, onProgress);
  if (key !== undefined) assertText(`${call}: key`, key);
  return {
    directory: resolveDirectory(call, options.directory),
    key: key === undefined ? undefined : parseBackupKey(key),
    clock,
    signal,
    onProgress,
  };
}

/** The absolute path of the folder. */
export function resolveDirectory(call: string, directory: unknown): string {
  const name = `${call}: directory`;
  assertText(name, directory);
  const path = directory as string;
  if (path === "" || path.includes("\0")) throw wrongArgument(name, "a path", directory);
  return isAbsolute(path) ? path : resolve(path);
}

/**
 * The file of a database.
 *
 * @throws `INVALID_URL`; `INVALID_ARGUMENT` for a database that has no file.
 */
export function resolveDatabase(call: string, url: string): string {
  const location = parseLocation(url);
  if (location.kind === "file") return location.path;
  const message = `${call}: url: a temporary database has no file to back up or to restore.`;
  throw new SpringhouseError("INVALID_ARGUMENT", message, { fields: { name: "url" } });
}
