/**
 * Backups: what one costs those who write meanwhile, and what they cost the backup. Each part has a
 * file in `backup/` that gives its figures.
 */

import { measureShipping } from "./backup/shipping.ts";
import { measureSnapshot } from "./backup/snapshot.ts";
import type { BenchOptions, BenchResult } from "./bench.ts";
import { withFolder } from "./support.ts";

/** What one part measures. */
export type Part = (folder: string, quick: boolean) => Promise<Omit<BenchResult, "bench">>;

const PARTS: readonly Part[] = [measureSnapshot, measureShipping];

/** Runs the bench. */
export function run({ quick }: BenchOptions): Promise<BenchResult> {
  return withFolder(async (folder) => {
    const results = [];
    for (const part of PARTS) results.push(await part(folder, quick));
    return {
      bench: "backup",
      figures: Object.assign({}, ...results.map(({ figures }) => figures)),
      targets: Object.assign({}, ...results.map(({ targets }) => targets)),
      notes: results.flatMap(({ notes }) => notes),
    };
  });
}
