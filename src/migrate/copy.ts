/** A private copy of a database, as it is at one moment, for as long as somebody needs it. */

import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { Worker } from "node:worker_threads";
import { SpringhouseError } from "../core/errors.ts";
import { toSpringhouseError, type WireError } from "../sqlite/errors.ts";
import type { Session } from "../store/store.ts";
import type { CopyTask } from "./copy-thread.ts";
import { filePathOf } from "./file-path.ts";

/** Only the owner may read a copy: it holds what the database holds. */
const PRIVATE_FILE = 0o600;

/** A copy in a folder of its own; disposing removes both. */
export class DatabaseCopy implements AsyncDisposable {
  readonly path: string;
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
    this.path = join(folder, "copy.db");
  }

  /**
   * Copies the session's database.
   *
   * @throws `INVALID_ARGUMENT` when it has no file, `DISK_FULL` when the copy does not fit.
   */
  static async of(session: Session): Promise<DatabaseCopy> {
    const from = await filePathOf(session);
    if (from === undefined) {
      const message = "A database that lives in memory only cannot be copied; give it a file.";
      throw new SpringhouseError("INVALID_ARGUMENT", message);
    }
    const copy = new DatabaseCopy(await makeFolder());
    try {
      await copyInThread({ from, to: copy.path });
      await chmod(copy.path, PRIVATE_FILE);
      return copy;
    } catch (error) {
      await copy[Symbol.asyncDispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}

async function makeFolder(): Promise<string> {
  try {
    return await mkdtemp(join(tmpdir(), "springhouse-copy-"));
  } catch (error) {
    throw toSpringhouseError(error, { path: tmpdir() });
  }
}

function copyInThread(task: CopyTask): Promise<void> {
  const entry = new URL(`./copy-thread${extname(import.meta.filename)}`, import.meta.url);
  // Flags of this process (--input-type, --test) are not meant for a file of ours.
  const worker = new Worker(entry, { name: "copy", workerData: task, execArgv: [] });
  return new Promise((resolve, reject) => {
    worker.once("message", ({ code, message, fields }: WireError) => {
      const place =
        code === "DISK_FULL" ? ` Set TMPDIR to a folder that holds a copy of ${task.from}.` : "";
      const said = `The copy ${task.to} cannot be made: ${message}${place}`;
      reject(new SpringhouseError(code, said, { fields }));
    });
    worker.once("error", reject);
    worker.once("exit", resolve);
  });
}
