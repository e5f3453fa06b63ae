/** A copy of the database on which indexes are tried, and what statements cost there. */

import { join } from "node:path";
import { assertRoom } from "../backup/room.ts";
import { isSpringhouseError } from "../core/errors.ts";
import { sizeOf } from "../sqlite/files.ts";
import { makeTemporaryFolder, removeTemporaryFolder } from "../sqlite/temporary.ts";
import type { DatabaseFacts, TableFacts } from "./facts.ts";
import type { Changed, Measured } from "./measure.ts";
import type { ResolvedAdviseOptions } from "./options.ts";
import type { AskOptions, ProofProcess } from "./proof-process.ts";
import type { StudiedStatement } from "./study.ts";

/** What a statement costs, or that it was stopped. */
export interface Timing extends Measured {
  readonly isAtLeast: boolean;
}

/** A copy in a folder of its own; disposing removes both. */
export class Trial implements AsyncDisposable {
  readonly #process: ProofProcess;
  readonly #options: ResolvedAdviseOptions;
  readonly #folder: string;

  private constructor(process: ProofProcess, options: ResolvedAdviseOptions, folder: string) {
    this.#process = process;
    this.#options = options;
    this.#folder = folder;
  }

  /** Copies the database, or a sample of `tables`. */
  static async of(
    process: ProofProcess,
    options: ResolvedAdviseOptions,
    facts: DatabaseFacts,
    tables: readonly string[],
  ): Promise<Trial> {
    const trial = new Trial(process, options, makeTemporaryFolder());
    const { path, measureOn, sampleRows } = options;
    const sample = measureOn === "copy" ? undefined : { tables, rows: sampleRows };
    try {
      if (measureOn === "copy") {
        const needed = sizeOf(path) + sizeOf(`${path}-wal`);
        await assertRoom(trial.#folder, needed, `A full copy of ${path}`);
      }
      await process.copy({ kind: "copy", path, to: trial.#copy, sample, facts }, trial.#step);
      return trial;
    } catch (error) {
      await trial[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Explains and times a statement; one that takes too long is stopped and counts as that. */
  async measure({ sql, parameters = [] }: StudiedStatement): Promise<Timing> {
    const { statementTimeoutMs: timeoutMs, signal } = this.#options;
    const request = { kind: "measure", copy: this.#copy, sql } as const;
    try {
      const limits = { timeoutMs, signal };
      const measured = await this.#process.measure({ ...request, parameters }, limits);
      return { ...measured, isAtLeast: false };
    } catch (error) {
      if (!isSpringhouseError(error, "TIMEOUT")) throw error;
      const { plan, indexes } = await this.#process.measure(
        { ...request, parameters: [] },
        this.#step,
      );
      return { plan, indexes, ms: timeoutMs, isAtLeast: true };
    }
  }

  /** Makes or drops an index, and measures writes of its table. */
  change(sql: string, index: string, table: TableFacts): Promise<Changed> {
    return this.#process.change(
      { kind: "change", copy: this.#copy, sql, index, table },
      this.#step,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The process has the files open, and on some systems they could not be removed.
    await this.#process[Symbol.asyncDispose]();
    removeTemporaryFolder(this.#folder);
  }

  get #copy(): string {
    return join(this.#folder, "copy.db");
  }

  get #step(): AskOptions {
    const { stepTimeoutMs: timeoutMs, signal } = this.#options;
    return { timeoutMs, signal };
  }
}
