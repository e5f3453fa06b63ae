/**
 * The measured hit ratios that lie beside the traces, `baseline-hit-ratios.txt`: for each trace a
 * line `NAME requests=N unique=N`, a line of column names that begins with `size`, and a line of
 * figures in percent for each size of the cache.
 */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { BenchInputError } from "../bench.ts";

/** The file's name in a folder of traces. */
export const BASELINE_FILE = "baseline-hit-ratios.txt";

/** What is known of a trace. */
export interface Baseline {
  /** The trace's file. */
  readonly file: string;
  readonly requests: number;
  readonly uniqueKeys: number;
  readonly cells: readonly BaselineCell[];
}

/** Hit ratios in percent at one size. */
export interface BaselineCell {
  /** Entries of the cache. */
  readonly size: number;
  readonly opt: number;
  readonly lru: number;
  readonly caffeine: number;
}

/** Reads the file of a folder. Throws what to do when it is not there or says something else. */
export function readBaselines(folder: string): readonly Baseline[] {
  const path = join(folder, BASELINE_FILE);
  if (!existsSync(path)) {
    throw new BenchInputError(
      `There is no ${path}. The bench needs a folder of traces with that file: ` +
        "name it with --dir DIR.",
    );
  }
  const blocks = readFileSync(path, "utf8").split(/^(?=\S+ requests=)/m);
  return blocks.filter((block) => block.includes("requests=")).map(parsed);
}

function parsed(block: string): Baseline {
  const [heading = "", names = "", ...rows] = block.trim().split("\n");
  const [, file, requests, uniqueKeys] = /^(\S+) requests=(\d+) unique=(\d+)/.exec(heading) ?? [];
  if (file === undefined) throw new BenchInputError(`${BASELINE_FILE}: cannot read "${heading}".`);
  const columns = names.split(/\s+/);
  return {
    file,
    requests: Number(requests),
    uniqueKeys: Number(uniqueKeys),
    cells: rows
      .filter((row) => row.trim() !== "")
      .map((row) => {
        const figures = row.trim().split(/\s+/).map(Number);
        const figure = (name: RegExp): number => {
          const value = figures[columns.findIndex((column) => name.test(column))];
          if (value === undefined || Number.isNaN(value)) {
            throw new BenchInputError(
              `${BASELINE_FILE}: ${file} has no ${name.source} in "${row}".`,
            );
          }
          return value;
        };
        return {
          size: figure(/^size$/),
          opt: figure(/^OPT$/),
          lru: figure(/^LRU$/),
          caffeine: figure(/^Caffeine/),
        };
      }),
  };
}
