/**
 * The proof of coherence: random schemas, questions and transactions on a cache, against a plain
 * connection that computes every result anew. What it finds it makes small before it tells.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CoherenceCase, CoherenceFailure, CommitStep, Step } from "./case.ts";
import { CaseRun } from "./case-run.ts";
import { Choices } from "./choices.ts";
import { type CoherenceCounts, falseInvalidationRatio, noCounts } from "./counts.ts";
import type { ProofTable } from "./proof-table.ts";
import { shrink } from "./shrink.ts";
import type { CoherenceSubject, OpenSubject } from "./subject.ts";
import { Witness } from "./witness.ts";
import { type CoherenceWorkload, RANDOM_WORKLOAD, randomRace, randomWriter } from "./workload.ts";

/** What to prove, and how hard to try. */
export interface CheckCoherenceOptions {
  /** The cache. No default. */
  readonly subject: CoherenceSubject;
  /** The same seed makes the same cases. Default: 1. */
  readonly seed?: number;
  /** Results in the cache to compare with the database. Default: 10,000. */
  readonly checks?: number;
  /** No case is begun later than this. Default: no limit. */
  readonly timeLimitMs?: number;
  /** What is asked and written. Default: random schemas, questions and transactions. */
  readonly workload?: CoherenceWorkload;
  /** Questions of one case. Default: 40. */
  readonly queries?: number;
  /** Transactions and races of one case. Default: 60. */
  readonly steps?: number;
  /** The share of steps in which reads and transactions meet. Default: 0.1. */
  readonly races?: number;
  /** The share of transactions that change the schema. Default: 0.07. */
  readonly schemaChanges?: number;
  /** How long a failing case may be made smaller. Default: 20 s. */
  readonly shrinkMs?: number;
}

/** What was found. */
export interface CoherenceReport {
  readonly seed: number;
  readonly counts: Readonly<CoherenceCounts>;
  /** The share of drops that were for nothing. */
  readonly falseInvalidationRatio: number;
  /** The first failure, as small as it got; undefined when there was none. */
  readonly failure: FailedCase | undefined;
}

/** A case that fails. */
export interface FailedCase {
  /** Of the case: `checkCoherence({ seed })` of this begins with it. */
  readonly seed: number;
  readonly case: CoherenceCase;
  readonly failure: CoherenceFailure;
}

/**
 * Puts a cache to the proof. Resolves with a report, also when it fails.
 *
 * @example
 * import { checkCoherence, springhouseSubject } from "springhouse/testing";
 *
 * const report = await checkCoherence({ subject: springhouseSubject(), seed: 7, checks: 100_000 });
 * if (report.failure) throw new Error(JSON.stringify(report.failure, undefined, 2));
 * @example
 * // One's own schema: questions and transactions are made for it.
 * const workload = { ...RANDOM_WORKLOAD, schema: () => [readFileSync("schema.sql", "utf8")] };
 * await checkCoherence({ subject, workload });
 */
export async function checkCoherence(options: CheckCoherenceOptions): Promise<CoherenceReport> {
  const { subject, seed = 1, checks = 10_000, timeLimitMs = Infinity } = options;
  const counts = noCounts();
  const startMs = performance.now();
  let failure: FailedCase | undefined;
  for (let at = 0; failure === undefined && counts.checks < checks; at++) {
    if (performance.now() - startMs > timeLimitMs) break;
    // Subjects that keep nothing would go on for ever.
    if (at > checks) break;
    failure = await randomCase(options, seed + at, counts);
  }
  if (failure !== undefined) {
    failure = await shrink(failure, (tried) => runCase(subject, tried), options.shrinkMs);
  }
  const ratio = falseInvalidationRatio(counts);
  return { seed, counts, falseInvalidationRatio: ratio, failure };
}

/** Runs a case that is known, as a report has it; what went wrong, if something did. */
export async function runCase(
  subject: CoherenceSubject,
  { schema, steps }: CoherenceCase,
): Promise<CoherenceFailure | undefined> {
  return await withFile(subject, schema, async (open, witness) => {
    const run = new CaseRun(open, witness, noCounts());
    for (const step of steps) {
      const failure = await run.step(step);
      if (failure !== undefined) return failure;
    }
    return undefined;
  });
}

async function randomCase(
  options: CheckCoherenceOptions,
  seed: number,
  counts: CoherenceCounts,
): Promise<FailedCase | undefined> {
  const { subject, workload = RANDOM_WORKLOAD } = options;
  const choices = new Choices(Math.imul(seed, 0x9e3779b1));
  const schema = workload.schema(choices);
  counts.cases++;
  const steps: Step[] = [];
  const failure = await withFile(subject, schema, async (open, witness) => {
    const run = new CaseRun(open, witness, counts);
    for (const step of randomSteps(
      options,
      choices,
      () => witness.tables,
      () => run.queries,
    )) {
      steps.push(step);
      const found = await run.step(step);
      if (found !== undefined) return found;
    }
    return undefined;
  });
  return failure && { seed, case: { schema, steps }, failure };
}

/** Transactions that fill the tables before anything is read. */
const FILLING = 6;

/** The steps of a case, one at a time: each is made for the tables as the one before left them. */
function* randomSteps(
  options: CheckCoherenceOptions,
  choices: Choices,
  tables: () => readonly ProofTable[],
  numbers: () => readonly number[],
): Generator<Step> {
  const { subject, workload = RANDOM_WORKLOAD, queries = 40, steps = 60 } = options;
  const { races = 0.1, schemaChanges = 0.07 } = options;
  const writers = { others: subject.seesOthers ?? true };
  const commit = (by: CommitStep["by"]): CommitStep => {
    return { kind: "commit", by, statements: workload.commit(choices, tables(), by) };
  };
  const commitAlone = (): CommitStep => {
    const by = randomWriter(choices, writers);
    const statements = workload.commitAlone?.(choices, tables(), by);
    return statements === undefined ? commit(by) : { kind: "commit", by, statements };
  };
  const ask = (count: number): Step => {
    const made = Array.from({ length: count }, () => workload.query(choices, tables()));
    return { kind: "queries", queries: made };
  };
  for (let left = FILLING; left > 0; left--) yield commit(randomWriter(choices, writers));
  if (tables().length === 0) return;
  yield ask(queries);
  for (let left = steps; left > 0 && tables().length > 0; left--) {
    const known = numbers();
    if (known.length > 0 && choices.chance(races)) {
      const mayFlush = workload.ddl !== undefined;
      const parts = { ...writers, numbers: known, mayFlush, commit };
      yield { kind: "race", events: randomRace(choices, parts) };
    } else if (workload.ddl !== undefined && choices.chance(schemaChanges)) {
      const by = randomWriter(choices, writers);
      yield { kind: "commit", by, statements: workload.ddl(choices, tables()) };
      // For those that the change has broken.
      if (tables().length > 0) yield ask(Math.max(queries - numbers().length, 0));
    } else {
      yield commitAlone();
    }
  }
}

async function withFile<T>(
  subject: CoherenceSubject,
  schema: readonly string[],
  run: (open: OpenSubject, witness: Witness) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "springhouse-coherence-"));
  const path = join(folder, "case.db");
  try {
    using witness = new Witness(path);
    witness.setUp(schema);
    const open = await subject.open(path);
    try {
      return await run(open, witness);
    } finally {
      await open.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
