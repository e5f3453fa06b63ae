/**
 * Hit ratios over traces of real programs: ours, beside the optimum, LRU, S3-FIFO and the measured
 * ones of Caffeine 3.2.2.
 *
 * A cell is a trace at a size of the cache. Everything but Caffeine is computed in the run; LRU and
 * the optimum are also in the folder's baseline file, and the bench fails when they differ, since
 * then a trace is not what Caffeine was measured with, or a simulator is wrong.
 */

import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { BenchInputError, type BenchOptions, type BenchResult } from "./bench.ts";
import { type Baseline, type BaselineCell, readBaselines } from "./hit-ratio/baseline.ts";
import { simulateLru } from "./hit-ratio/simulate-lru.ts";
import { nextUses, simulateOptimal } from "./hit-ratio/simulate-optimal.ts";
import { simulatePolicy } from "./hit-ratio/simulate-policy.ts";
import { simulateS3Fifo } from "./hit-ratio/simulate-s3-fifo.ts";
import { readTrace, type Trace } from "./hit-ratio/trace.ts";

const FOLDER = join(import.meta.dirname, "../../shared/data/traces");
/** Traces with more requests than this are left out by `--quick`. */
const QUICK_REQUESTS_MAX = 200_000;
/** By how much LRU and the optimum may differ from the baseline, in points: its rounding. */
const POINTS_OFF_MAX = 0.02;
/** Cells in which the optimum is closer to LRU than this say nothing about a policy. */
const POINTS_TO_GAIN_MIN = 1;
/** A cell counts as below LRU from here on. */
const POINTS_BELOW_MIN = 0.5;
/** How far below LRU the worst cell may be. */
const POINTS_BELOW_MAX = 2;

/** The hit ratios of a cell in percent. */
interface Cell extends BaselineCell {
  readonly file: string;
  readonly s3Fifo: number;
  readonly ours: number;
}

/** Runs the bench. */
export async function run({ quick, dir = FOLDER }: BenchOptions): Promise<BenchResult> {
  const baselines = readBaselines(dir).filter(
    ({ requests }) => !quick || requests <= QUICK_REQUESTS_MAX,
  );
  if (baselines.length === 0) {
    throw new BenchInputError(`${dir} has no trace to run${quick ? " with --quick" : ""}.`);
  }
  const cells = baselines.flatMap((baseline) => cellsOf(dir, baseline));
  const telling = cells.filter(({ opt, lru }) => opt - lru >= POINTS_TO_GAIN_MIN);
  const meanOverOpt = (ratio: (cell: Cell) => number): number =>
    telling.reduce((sum, cell) => sum + ratio(cell) / cell.opt, 0) / telling.length;
  const belowLru = (ratio: (cell: Cell) => number): number =>
    cells.filter((cell) => cell.lru - ratio(cell) > POINTS_BELOW_MIN).length;
  const caffeineMean = meanOverOpt(({ caffeine }) => caffeine);
  const caffeineBelow = belowLru(({ caffeine }) => caffeine);
  return {
    bench: "hit-ratio",
    figures: {
      mean_over_opt: meanOverOpt(({ ours }) => ours),
      caffeine_mean_over_opt: caffeineMean,
      s3fifo_mean_over_opt: meanOverOpt(({ s3Fifo }) => s3Fifo),
      cells_below_lru: belowLru(({ ours }) => ours),
      caffeine_cells_below_lru: caffeineBelow,
      worst_points_below_lru: Math.max(0, ...cells.map(({ lru, ours }) => lru - ours)),
      cells: cells.length,
    },
    targets: {
      mean_over_opt: { atLeast: caffeineMean },
      cells_below_lru: { atMost: Math.max(0, caffeineBelow - 1) },
      worst_points_below_lru: { atMost: POINTS_BELOW_MAX },
    },
    notes: [heading(), ...cells.map(row)],
  };
}

function cellsOf(folder: string, baseline: Baseline): Cell[] {
  const { file, requests, uniqueKeys } = baseline;
  const path = join(folder, file);
  if (!existsSync(path) || !statSync(path).isFile()) {
    throw new BenchInputError(
      `The baseline file of ${folder} speaks of ${file}, which is not there.`,
    );
  }
  const trace = readTrace(path);
  check(file, "requests", trace.keys.length, requests, 0);
  check(file, "unique keys", trace.uniqueKeys, uniqueKeys, 0);
  const next = nextUses(trace);
  return baseline.cells.map((cell) => measured(file, trace, next, cell));
}

function measured(file: string, trace: Trace, next: Int32Array, known: BaselineCell): Cell {
  const { size, caffeine } = known;
  const percent = (hits: number): number => (100 * hits) / trace.keys.length;
  const opt = percent(simulateOptimal(trace, next, size));
  const lru = percent(simulateLru(trace, size));
  check(`${file} at ${size}`, "OPT", opt, known.opt, POINTS_OFF_MAX);
  check(`${file} at ${size}`, "LRU", lru, known.lru, POINTS_OFF_MAX);
  const s3Fifo = percent(simulateS3Fifo(trace, size));
  const ours = percent(simulatePolicy("w-tinylfu", trace, size));
  return { file, size, opt, lru, s3Fifo, caffeine, ours };
}

function check(where: string, what: string, found: number, known: number, offMax: number): void {
  if (Math.abs(found - known) <= offMax) return;
  throw new BenchInputError(
    `${where}: ${what} is ${found} here and ${known} in the baseline file.`,
  );
}

function heading(): string {
  const columns = ["OPT", "LRU", "S3-FIFO", "Caffeine", "ours"].map((name) => name.padStart(10));
  return `${"trace".padEnd(32)}${"size".padStart(6)}${columns.join("")}`;
}

function row({ file, size, opt, lru, s3Fifo, caffeine, ours }: Cell): string {
  const figures = [opt, lru, s3Fifo, caffeine, ours].map((ratio) => ratio.toFixed(2).padStart(10));
  return `${file.padEnd(32)}${String(size).padStart(6)}${figures.join("")}`;
}
