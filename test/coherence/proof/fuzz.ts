/** The proof of Springhouse: case after case, in turns with each freshness and kind of question. */

import {
  type CheckCoherenceOptions,
  checkCoherence,
  type FailedCase,
} from "../../../src/testing/coherence/check-coherence.ts";
import { type CoherenceCounts, noCounts } from "../../../src/testing/coherence/counts.ts";
import { springhouseSubject } from "../../../src/testing/coherence/springhouse-subject.ts";
import { EMPHASES, type Emphasis, emphasized } from "./workload.ts";

/** One way to try. */
export const WAYS = [
  { freshness: "strict", questions: "mixed" },
  { freshness: "turn", questions: "kysely" },
  { freshness: "strict", questions: "kysely" },
  { freshness: "exclusive", questions: "kysely" },
  { freshness: "turn", questions: "text" },
] as const;

export interface FuzzOptions extends Pick<CheckCoherenceOptions, "queries" | "steps" | "shrinkMs"> {
  readonly seed: number;
  readonly checks: number;
  readonly timeLimitMs?: number;
  /** What every case is rich in. Default: each in something else. */
  readonly emphasis?: Emphasis | undefined;
  /** Called after each case. */
  readonly onCase?: (counts: Readonly<CoherenceCounts>) => void;
}

export interface FuzzReport {
  readonly counts: Readonly<CoherenceCounts>;
  readonly failure: (FailedCase & { readonly way: (typeof WAYS)[number] }) | undefined;
}

/** Tries until so many results were compared, time is over, or one was wrong. */
export async function fuzz(options: FuzzOptions): Promise<FuzzReport> {
  const {
    seed,
    checks,
    timeLimitMs = Number.POSITIVE_INFINITY,
    onCase,
    emphasis: one,
    ...others
  } = options;
  const endMs = performance.now() + timeLimitMs;
  const counts = noCounts();
  for (let at = 0; counts.checks < checks && performance.now() < endMs; at++) {
    // By the seed, so that the seed of a failure begins with it.
    const own = seed + at;
    const way = WAYS[own % WAYS.length] as (typeof WAYS)[number];
    const emphasis = one ?? (EMPHASES[own % EMPHASES.length] as Emphasis);
    const report = await checkCoherence({
      ...others,
      ...emphasized(way.questions, emphasis),
      subject: springhouseSubject({ freshness: way.freshness }),
      seed: own,
      // One case.
      checks: 1,
    });
    for (const name of Object.keys(counts) as (keyof CoherenceCounts)[]) {
      counts[name] += report.counts[name];
    }
    onCase?.(counts);
    if (report.failure !== undefined) return { counts, failure: { ...report.failure, way } };
  }
  return { counts, failure: undefined };
}
