/** Tasks and computed results in the old files, which hold one task at a time. */

import { createHash } from "node:crypto";
import { writeTask } from "../legacy/task.ts";
import type { Calculation, Task } from "../model.ts";
import type { CalculationRepository, TaskRepository } from "./backend.ts";
import type { JsonFiles } from "./json-files.ts";

const FILE = "task_progress.json";

export class JsonTasks implements TaskRepository {
  readonly #files: JsonFiles;

  constructor(files: JsonFiles) {
    this.#files = files;
  }

  async get(name: string): Promise<Task | undefined> {
    const task = this.#files.folder.task();
    return task?.name === name ? task : undefined;
  }

  async list(): Promise<readonly Task[]> {
    const task = this.#files.folder.task();
    return task === undefined ? [] : [task];
  }

  async save(task: Task): Promise<void> {
    await this.#files.change((changes) => changes.write(FILE, writeTask(task)));
  }

  async delete(name: string): Promise<void> {
    await this.#files.change((changes, folder) => {
      if (folder.task()?.name === name) changes.remove(FILE);
    });
  }
}

export class JsonCalculations implements CalculationRepository {
  readonly #files: JsonFiles;

  constructor(files: JsonFiles) {
    this.#files = files;
  }

  async get(cacheKey: string, configHash: string): Promise<Calculation | undefined> {
    const all = await this.list();
    return all.find((each) => each.cacheKey === cacheKey && each.configHash === configHash);
  }

  async list(): Promise<readonly Calculation[]> {
    const { folder } = this.#files;
    const found = folder.calculationFiles().map((file) => folder.calculation(file));
    return found.filter((each) => each !== undefined).sort(byKey);
  }

  async save({ cacheKey, configHash, data, createdAt }: Calculation): Promise<void> {
    const metadata = { timestamp: createdAt, cache_key: cacheKey, config_hash: configHash };
    await this.#files.change((changes, folder) => {
      const same = folder.calculationFiles().find((file) => {
        const each = folder.calculation(file);
        return each?.cacheKey === cacheKey && each.configHash === configHash;
      });
      // Another configuration is another result, so it is another file.
      const name = createHash("sha256").update(`${cacheKey} ${configHash}`).digest("hex");
      changes.write(same ?? `cache/${name.slice(0, 32)}.json`, { metadata, data });
    });
  }
}

function byKey(a: Calculation, b: Calculation): number {
  return `${a.cacheKey} ${a.configHash}` < `${b.cacheKey} ${b.configHash}` ? -1 : 1;
}
