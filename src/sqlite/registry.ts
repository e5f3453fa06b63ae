/**
 * The files that are open in this process. Whoever opens a file that is open already shares it:
 * two writers of one process would only wait for each other. A file is known by its inode, so that
 * two paths to one file meet.
 */

import { systemClock } from "../core/clock.ts";
import { SpringhouseError } from "../core/errors.ts";
import { DatabaseFile, type Environment } from "./database-file.ts";
import { identityOf } from "./files.ts";
import type { DatabaseOptions, ResolvedDatabaseOptions } from "./options.ts";

interface Entry {
  readonly file: DatabaseFile;
  readonly opened: Promise<void>;
  users: number;
  closing: Promise<void> | undefined;
}

const entries = new Map<string, Entry>();

/** A file for one user; `release` it when done. */
export interface SharedFile {
  readonly file: DatabaseFile;
  release(): Promise<void>;
}

/** Opens a file, or shares it when it is open. */
export async function acquireFile(
  path: string,
  given: DatabaseOptions,
  resolved: ResolvedDatabaseOptions,
  environment: Environment = { clock: systemClock },
): Promise<SharedFile> {
  let identity = identityOf(path);
  let entry = entries.get(identity);
  while (entry?.closing !== undefined) {
    await entry.closing.catch(() => undefined);
    identity = identityOf(path);
    entry = entries.get(identity);
  }
  if (entry === undefined) {
    refuseReplaced(path);
    const file = new DatabaseFile(path, resolved, environment);
    entry = { file, opened: file.open(), users: 0, closing: undefined };
    entries.set(identity, entry);
  } else {
    refuseContradiction(path, given, resolved, entry.file.options);
  }
  const held = entry;
  held.users++;
  try {
    await held.opened;
    follow(held, identity, path);
  } catch (error) {
    // Why it could not be opened says more than how its closing went.
    await release(held).catch(() => undefined);
    throw error;
  }
  return { file: held.file, release: () => release(held) };
}

/**
 * Another file under the name of one that is open would share its log, which SQLite finds by name,
 * and the threads that the open one has yet to start would open the other.
 */
function refuseReplaced(path: string): void {
  for (const { file } of entries.values()) {
    if (file.path !== path) continue;
    throw new SpringhouseError(
      "UNOPENABLE",
      `${path} was replaced by another file while it was open in this process. Close it first, ` +
        "and replace a database only while nobody has it open.",
      { fields: { path } },
    );
  }
}

/** A damaged cache was made anew and is another file now. */
function follow(entry: Entry, identity: string, path: string): void {
  if (entries.get(identity) !== entry) return;
  entries.delete(identity);
  entries.set(identityOf(path), entry);
}

async function release(entry: Entry): Promise<void> {
  entry.users--;
  if (entry.users > 0) return;
  entry.closing ??= entry.file.close();
  try {
    await entry.closing;
  } finally {
    for (const [identity, other] of entries) if (other === entry) entries.delete(identity);
  }
}

/** What is asked for explicitly must be what is in force; what is left open is adopted. */
function refuseContradiction(
  path: string,
  given: DatabaseOptions,
  resolved: ResolvedDatabaseOptions,
  inForce: ResolvedDatabaseOptions,
): void {
  if (inForce.readOnly && !resolved.readOnly) throw contradiction(path, "readOnly");
  if (inForce.profile !== resolved.profile) throw contradiction(path, "profile");
  for (const key of [
    "busyTimeoutMs",
    "snapshotMaxAgeMs",
    "slowQueryThresholdMs",
    "cacheSizeBytes",
    "echo",
  ] as const) {
    if (given[key] !== undefined && resolved[key] !== inForce[key]) throw contradiction(path, key);
  }
  for (const key of Object.keys(given.pool ?? {}) as (keyof typeof inForce.pool)[]) {
    if (resolved.pool[key] !== inForce.pool[key]) throw contradiction(path, `pool.${key}`);
  }
}

function contradiction(path: string, key: string): SpringhouseError {
  // Users give durations and sizes, and know them by the name without the unit.
  const option = key.replace(/(?:Ms|Bytes)$/, "");
  return new SpringhouseError(
    "INVALID_ARGUMENT",
    `${path} is open in this process with another ${option}. Opens of one file share its ` +
      "connections: give the same value, or close the other first.",
    { fields: { path, option } },
  );
}
