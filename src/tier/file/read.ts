/** Reading entries: an open, a read and no write. */

import { isSpringhouseError } from "../../core/errors.ts";
import { unpack } from "../payload.ts";
import type { EntryLook, TierEntry } from "../tier.ts";
import type { Accesses } from "./accesses.ts";
import type { EntryHead, EntryMeta, Found } from "./entry-file.ts";
import type { EntryFiles } from "./entry-files.ts";
import { hashOfKey } from "./layout.ts";
import { type Life, lifeOf } from "./life.ts";

/** A value that was read, or why there is none. */
type Opened =
  | { readonly state: "value"; readonly value: unknown }
  | { readonly state: "damaged" }
  | { readonly state: "unreadable" };

/**
 * The entry of a key.
 *
 * @param refreshed the log of drops, being read since the call began.
 */
export async function readOne(
  files: EntryFiles,
  accesses: Accesses,
  key: string,
  refreshed: Promise<void>,
): Promise<TierEntry | undefined> {
  const hash = hashOfKey(key);
  const { removals } = files.index;
  const found = await files.read(hash);
  await refreshed;
  const entry = await entryOf(files, hash, key, found);
  if (entry === undefined) {
    files.counters.misses++;
    return undefined;
  }
  files.counters.hits++;
  return hit(files, accesses, hash, entry, removals);
}

/** What there is for a key, by the head of its file alone. Its value may be damaged. */
export async function lookOne(
  files: EntryFiles,
  key: string,
  refreshed: Promise<void>,
): Promise<EntryLook | undefined> {
  const hash = hashOfKey(key);
  const found = await files.look(hash);
  await refreshed;
  if (found.state !== "entry" || !isLiving(files, hash, key, found.head)) return undefined;
  const { meta } = found.head;
  const nowMs = files.settings.clock.nowMs();
  return lookOf(meta, lifeOf(meta, files.accessedMsOf(hash, found.head), nowMs));
}

/** Removes the entry of a key. @returns whether there was one. */
export function dropOne(files: EntryFiles, key: string): Promise<boolean> {
  const hash = hashOfKey(key);
  return files.inTurn(hash, async () => {
    const found = await files.look(hash);
    const wasLiving = found.state === "entry" && isLiving(files, hash, key, found.head);
    await files.remove(hash);
    if (wasLiving) files.counters.drops++;
    return wasLiving;
  });
}

function isLiving(files: EntryFiles, hash: string, key: string, head: EntryHead): boolean {
  if (head.meta.key !== key) return false;
  return files.deathOf(head.meta, files.accessedMsOf(hash, head)) === undefined;
}

interface Read {
  readonly head: EntryHead;
  readonly value: unknown;
}

async function entryOf(
  files: EntryFiles,
  hash: string,
  key: string,
  found: Found,
): Promise<Read | undefined> {
  if (found.state === "absent") {
    // Another process has removed it.
    if (files.index.get(hash) !== undefined) await files.settle(hash);
    return undefined;
  }
  if (found.state === "foreign") return undefined;
  if (found.state === "entry" && found.head.meta.key === key) {
    const death = files.deathOf(found.head.meta, files.accessedMsOf(hash, found.head));
    if (death !== undefined) {
      if (death !== "future") await files.settle(hash);
      return undefined;
    }
  }
  const opened = await open(files, key, found);
  if (opened.state === "value" && found.state === "entry") {
    return { head: found.head, value: opened.value };
  }
  if (opened.state === "unreadable") files.counters.errors++;
  else {
    await files.setAside(
      hash,
      async (again) => (await open(files, key, again)).state === "damaged",
    );
  }
  return undefined;
}

async function open(files: EntryFiles, key: string, found: Found): Promise<Opened> {
  if (found.state === "damaged") return { state: "damaged" };
  if (found.state !== "entry") return { state: "unreadable" };
  const { head, body } = found;
  if (head.meta.key !== key) return { state: "damaged" };
  const { encryptionKey } = files.settings.payload;
  try {
    const payload = { codec: head.meta.codec, bytes: body };
    return { state: "value", value: await unpack(key, payload, encryptionKey) };
  } catch (error) {
    if (isSpringhouseError(error, "CORRUPT")) return { state: "damaged" };
    // Made by a program that has lz4; this one has not, and can do without the entry.
    if (isSpringhouseError(error, "MISSING_DEPENDENCY")) return { state: "unreadable" };
    throw error;
  }
}

function hit(
  files: EntryFiles,
  accesses: Accesses,
  hash: string,
  { head, value }: Read,
  removalsBefore: number,
): TierEntry {
  const { index, settings } = files;
  const { meta } = head;
  const nowMs = settings.clock.nowMs();
  const accessedMs = files.accessedMsOf(hash, head);
  const before = lifeOf(meta, accessedMs, nowMs);
  // A stale entry is given out, but it is not made fresh by that.
  const isUse = meta.slidingMs === 0 || before.freshUntilMs > nowMs;
  let known = index.get(hash);
  // Found for the first time, unless it may have been removed while it was read.
  if (known?.meta.createdMs !== meta.createdMs && index.removals === removalsBefore) {
    known = index.put(hash, head);
  }
  if (isUse && known?.meta.createdMs === meta.createdMs) accesses.add(known, nowMs);
  return { ...lookOf(meta, isUse ? lifeOf(meta, nowMs, nowMs) : before), value };
}

function lookOf(
  { key, category, createdMs, slidingMs, tags, loadMs, etag }: EntryMeta,
  { freshUntilMs, keepUntilMs }: Life,
): EntryLook {
  return {
    key,
    category,
    createdMs,
    freshUntilMs,
    keepUntilMs,
    slidingMs,
    tags,
    loadMs,
    etag,
  };
}
