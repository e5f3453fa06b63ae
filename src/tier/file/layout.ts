/**
 * Where the files of a tier are.
 *
 * A file is called by the SHA-256 of its key, whatever the key holds: `../..`, `CON`, NUL, ten
 * thousand characters, or two keys that differ in case only. Two levels of folders (16 × 256) keep
 * each of them small up to millions of entries, and a walk over them short when there are few.
 *
 *     <folder>/3/f0/<the other 61 digits>     an entry
 *     <folder>/3/f0/<random>.tmp              one that is being written
 *     <folder>/drops/<number>                 what was dropped by tag or prefix, see drop-log.ts
 *     <folder>/quarantine/<time>-<hash>       what was damaged
 */

import { createHash } from "node:crypto";
import { join, resolve } from "node:path";

const HASH = /^[0-9a-f]{61}$/;
const TEMPORARY = ".tmp";
const LEVEL_ONE_DIGITS = 1;
const LEVELS_DIGITS = 3;

/** A folder of entries, by the beginning of their hashes. */
export interface Shelf {
  readonly digits: string;
  readonly path: string;
}

/** What a name in a shelf stands for. */
export type ShelfName =
  | { readonly kind: "entry"; readonly hash: string }
  | { readonly kind: "temporary" }
  | { readonly kind: "foreign" };

/** The paths of a tier. */
export class Layout {
  readonly root: string;
  readonly drops: string;
  readonly quarantine: string;

  constructor(folder: string) {
    // Resolved once: a program may change its working folder.
    this.root = resolve(folder);
    this.drops = join(this.root, "drops");
    this.quarantine = join(this.root, "quarantine");
  }

  shelfPath(hash: string): string {
    const one = hash.slice(0, LEVEL_ONE_DIGITS);
    return `${this.root}/${one}/${hash.slice(LEVEL_ONE_DIGITS, LEVELS_DIGITS)}`;
  }

  entryPath(hash: string): string {
    return `${this.shelfPath(hash)}/${hash.slice(LEVELS_DIGITS)}`;
  }
}

/** The hash of a key, over UTF-16: in UTF-8 all lone surrogates are the same. */
export function hashOfKey(key: string): string {
  return createHash("sha256").update(key, "utf16le").digest("hex");
}

/** What a file of a shelf is. */
export function nameInShelf(digits: string, name: string): ShelfName {
  if (HASH.test(name)) return { kind: "entry", hash: digits + name };
  return { kind: name.endsWith(TEMPORARY) ? "temporary" : "foreign" };
}

/** A name that no other write uses. */
export function temporaryName(): string {
  return `${process.pid}-${crypto.randomUUID()}${TEMPORARY}`;
}

/** All digits of the first level, and of the second. */
export const LEVEL_ONE: readonly string[] = hexNumbers(16, LEVEL_ONE_DIGITS);
export const LEVEL_TWO: ReadonlySet<string> = new Set(
  hexNumbers(256, LEVELS_DIGITS - LEVEL_ONE_DIGITS),
);

function hexNumbers(count: number, digits: number): string[] {
  return Array.from({ length: count }, (_, at) => at.toString(16).padStart(digits, "0"));
}
