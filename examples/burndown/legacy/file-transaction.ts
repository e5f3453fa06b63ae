/**
 * Changes of several files that happen together or not at all, also when the process is killed.
 *
 * New contents are written beside their files first. Then one journal file, which appears by a
 * rename, says what is to be done: that is the commit. Everything after it can be done twice, so
 * whoever finds a journal does the rest.
 */

import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { writeJson } from "../exact-json.ts";
import { syncFolder, UNFINISHED, writeDurably, writeFileWhole } from "../whole-file.ts";

/** Below the root; a name that the old application does not use. */
const JOURNAL = "profiles/transaction.json";

/** What is to be done, by paths below the root. */
interface Journal {
  readonly written: readonly string[];
  readonly removed: readonly string[];
}

export class FileTransaction {
  readonly #root: string;
  readonly #written = new Map<string, unknown>();
  readonly #removed = new Set<string>();

  constructor(root: string) {
    this.#root = root;
  }

  /** What this transaction has made of a file: `value`, or undefined when it is removed. */
  change(file: string): { readonly value: unknown } | undefined {
    if (this.#written.has(file)) return { value: this.#written.get(file) };
    const isRemoved = [...this.#removed].some((each) => file === each || isBelow(file, each));
    return isRemoved ? { value: undefined } : undefined;
  }

  /** Files that it writes. */
  get written(): readonly string[] {
    return [...this.#written.keys()];
  }

  write(file: string, value: unknown): void {
    this.#written.set(file, value);
  }

  /** Removes a file, or a folder with all that is in it. */
  remove(file: string): void {
    for (const each of this.#written.keys()) {
      if (each === file || isBelow(each, file)) this.#written.delete(each);
    }
    this.#removed.add(file);
  }

  /** Makes it all happen. */
  commit(): void {
    const journal: Journal = { written: this.written, removed: [...this.#removed] };
    if (journal.written.length + journal.removed.length === 0) return;
    mkdirSync(join(this.#root, "profiles"), { recursive: true });
    for (const [file, value] of this.#written) {
      writeDurably(besideOf(this.#root, file), `${writeJson(value, 2)}\n`);
    }
    writeFileWhole(join(this.#root, JOURNAL), JSON.stringify(journal));
    finish(this.#root, journal);
  }
}

/** Does the rest of a transaction that was committed and whose process was killed. */
export function recoverFiles(root: string): void {
  const path = join(root, JOURNAL);
  if (!existsSync(path)) return;
  finish(root, JSON.parse(readFileSync(path, "utf8")) as Journal);
}

function finish(root: string, { written, removed }: Journal): void {
  // What is removed goes first, so that what is written into its place stays.
  for (const file of removed) rmSync(join(root, file), { recursive: true, force: true });
  for (const file of written) {
    const beside = besideOf(root, file);
    if (!existsSync(beside)) continue;
    mkdirSync(dirname(join(root, file)), { recursive: true });
    renameSync(beside, join(root, file));
    syncFolder(dirname(join(root, file)));
  }
  rmSync(join(root, JOURNAL));
}

/** Not beside the file itself: its folder may be one that is removed. */
function besideOf(root: string, file: string): string {
  return join(root, "profiles", `${file.replaceAll("/", "%")}${UNFINISHED}`);
}

function isBelow(file: string, folder: string): boolean {
  return file.startsWith(`${folder}/`);
}
