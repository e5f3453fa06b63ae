/**
 * Objects as files of a folder: written beside, synced and renamed, so that a name never leads to
 * half a file. Files are readable by their owner only, as the database is.
 */

import { mkdir, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import { throwIfAborted } from "../core/abort.ts";
import { SpringhouseError } from "../core/errors.ts";
import { toSpringhouseError } from "../sqlite/errors.ts";
import { syncFolder, writeNew } from "./folder.ts";
import type { ObjectStore, StoredObject } from "./object-store.ts";

const FOLDER_MODE = 0o700;
/** What a crash leaves of an object that was being written; never listed. */
const PARTIAL = ".partial";
const NAME = /^(?!\.)[\w.-]+(\/(?!\.)[\w.-]+)*$/;

/** The store in a folder, which is made when it is first written to. */
export function folderStore(folder: string): ObjectStore {
  return new FolderStore(resolve(folder));
}

class FolderStore implements ObjectStore {
  readonly place: string;

  constructor(folder: string) {
    this.place = folder;
  }

  async put(name: string, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    throwIfAborted(signal, "Writing an object");
    const path = this.#pathOf(name);
    await this.#attempt(path, async () => {
      const made = await mkdir(dirname(path), { recursive: true, mode: FOLDER_MODE });
      const partial = path + PARTIAL;
      try {
        await writeNew(partial, bytes);
        await rename(partial, path);
      } catch (error) {
        // On a full disk half an object takes room that others need.
        await rm(partial, { force: true });
        throw error;
      }
      await syncFolder(dirname(path));
      if (made !== undefined) await syncFolder(dirname(made));
    });
  }

  async get(name: string, signal?: AbortSignal): Promise<Uint8Array> {
    const path = this.#pathOf(name);
    return await this.#attempt(path, () => readFile(path, { signal }));
  }

  async list(prefix: string, signal?: AbortSignal): Promise<readonly StoredObject[]> {
    const found: StoredObject[] = [];
    for (const path of await this.#files()) {
      throwIfAborted(signal, "Listing objects");
      const name = relative(this.place, path).split(sep).join("/");
      if (!name.startsWith(prefix) || !NAME.test(name) || name.endsWith(PARTIAL)) continue;
      found.push({ name, sizeBytes: (await stat(path)).size });
    }
    return found.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async drop(names: readonly string[]): Promise<void> {
    for (const name of names) {
      const path = this.#pathOf(name);
      await this.#attempt(path, () => rm(path, { force: true }));
    }
  }

  async close(): Promise<void> {}

  async #files(): Promise<readonly string[]> {
    try {
      const entries = await readdir(this.place, { recursive: true, withFileTypes: true });
      return entries
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
      throw toSpringhouseError(error, { path: this.place });
    }
  }

  /** A name can never lead out of the folder. */
  #pathOf(name: string): string {
    if (NAME.test(name)) return join(this.place, name);
    const message = `"${name}" is no name of an object: only letters, digits and .-_ between "/".`;
    throw new SpringhouseError("INVALID_ARGUMENT", message, { fields: { name } });
  }

  async #attempt<T>(path: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") {
        throw toSpringhouseError(error, { path });
      }
      const message = `${path} does not exist.`;
      throw new SpringhouseError("NOT_FOUND", message, { cause: error, fields: { path } });
    }
  }
}
