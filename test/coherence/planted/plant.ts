/** The sources with a bug planted, in a folder of the repository that git ignores. */

import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { PlantedBug } from "./bugs.ts";

const ROOT = join(import.meta.dirname, "../../..");
/** What the proof needs; packages are found further up. */
const COPIED = ["src", "package.json", "test/coherence/proof", "test/footprint/support"];

/**
 * The file of each edit as it becomes.
 *
 * @throws when what is to be replaced is not there exactly once: the bug is to be planted anew.
 */
export function editedFiles({ name, edits }: PlantedBug): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const { file, find, replace } of edits) {
    const text = files.get(file) ?? readFileSync(join(ROOT, file), "utf8");
    const parts = text.split(find);
    if (parts.length !== 2) {
      const message = `"${name}": ${file} has ${parts.length - 1} times, and not once: ${find}`;
      throw new Error(message);
    }
    files.set(file, parts.join(replace));
  }
  return files;
}

/** A copy of the sources with the bug; disposing of it removes it. */
export interface PlantedSources extends Disposable {
  readonly folder: string;
}

/** Makes the copy. @param place a name for the folder */
export function plant(bug: PlantedBug, place: string): PlantedSources {
  const folder = join(ROOT, "tmp/planted", place);
  const edited = editedFiles(bug);
  rmSync(folder, { recursive: true, force: true });
  for (const path of COPIED) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    cpSync(join(ROOT, path), join(folder, path), { recursive: true });
  }
  for (const [file, text] of edited) writeFileSync(join(folder, file), text);
  return {
    folder,
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}
