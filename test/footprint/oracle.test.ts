/**
 * The proof, and the proof of the proof: no write that changes a result is missed, and of each bug
 * that is planted a miss is found.
 */

import { describe, expect, it } from "vitest";
import { footprintOfNode } from "../../src/footprint/kysely.ts";
import { MUTANTS, whereItDiffers } from "./support/mutants.ts";
import { check, type Figures, noFigures } from "./support/oracle.ts";

const SIZE = { queries: 30, writes: 12 };

/** Of a mutant only the queries are run that it misreads, so there can be more writes. */
const SIZE_OF_MUTANT = { queries: 30, writes: 60 };

/** Databases that are tried. `FOOTPRINT_SEEDS` asks for more. */
const SEEDS = Number(process.env["FOOTPRINT_SEEDS"] ?? 100);

/** Databases within which a planted bug must show. */
const SEEDS_OF_MUTANT = 1_000;

describe("the footprint of a random query", () => {
  it("is touched by every write that changes the result", { timeout: 600_000 }, () => {
    const figures = noFigures();

    for (let seed = 1; seed <= SEEDS; seed++) check(seed, SIZE, footprintOfNode, figures);

    console.log(summaryOf(figures));
    expect(figures.stale.slice(0, 3)).toEqual([]);
    expect(figures.opaque + figures.refused).toBe(0);
    expect(figures.invalid).toBeLessThan(SEEDS * SIZE.queries * 0.02);
    expect(figures.changed).toBeGreaterThan(figures.pairs / 20);
  });

  it.each(Object.entries(MUTANTS))("is found wrong when %s", (_bug, read) => {
    const figures = noFigures();
    let seed = 0;

    while (figures.stale.length === 0 && seed < SEEDS_OF_MUTANT) {
      seed += 1;
      check(seed, SIZE_OF_MUTANT, whereItDiffers(read), figures);
    }

    expect(figures.stale).not.toEqual([]);
  });
});

function summaryOf({
  pairs,
  changed,
  touched,
  tableTouched,
  stale,
  opaque,
  invalid,
}: Figures): string {
  const perChange = (count: number): string => (count / changed).toFixed(2);
  return [
    `${pairs} pairs, ${changed} changed, ${stale.length} stale`,
    `touched per change ${perChange(touched)} (by table ${perChange(tableTouched)})`,
    `opaque ${opaque}, refused by SQLite ${invalid}`,
  ].join("; ");
}
