/**
 * The proof of coherence in its long form, `npm run test:coherence`: random cases, then several
 * processes, then planted bugs. Exits with 1 when a result was wrong, or when a planted bug was not
 * found.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { falseInvalidationRatio } from "../../src/testing/coherence/counts.ts";
import { mainOptions } from "./main-options.ts";
import { findPlantedBugs } from "./planted/find-bugs.ts";
import { torture } from "./processes/torture.ts";
import { fuzz } from "./proof/fuzz.ts";

/** Time between two lines that say how far it is. */
const PROGRESS_MS = 15_000;
/** Several processes write for so long at least, and until so many hits were judged. */
const PROCESSES_MS = 60_000;
const PROCESSES_HITS = 100_000;
/** Long cases, for a database costs more to open than to write. */
const STEPS = 200;

const parsed = mainOptions(process.argv.slice(2));
if ("text" in parsed) {
  (parsed.exitCode === 0 ? process.stdout : process.stderr).write(`${parsed.text}\n`);
  process.exit(parsed.exitCode);
}
const { checks, seed, isRandom, hasProcesses, isPlanted, only } = parsed;

let failed = false;
if (isRandom) failed = !(await prove(checks, seed));
if (hasProcesses) failed = !(await proveProcesses(seed)) || failed;
if (isPlanted) {
  const missed = await findPlantedBugs({ only });
  failed ||= missed.length > 0;
  console.log(missed.length === 0 ? "every planted bug was found" : `missed ${missed.length}`);
}
process.exit(failed ? 1 : 0);

async function prove(checks: number, seed: number): Promise<boolean> {
  console.log(`test:coherence --checks ${checks} --seed ${seed}`);
  const startMs = performance.now();
  let toldMs = startMs;
  const { counts, failure } = await fuzz({
    seed,
    checks,
    steps: STEPS,
    onCase: (now) => {
      if (performance.now() < toldMs + PROGRESS_MS) return;
      toldMs = performance.now();
      console.log(`${now.checks} checks, ${now.cases} cases, ${now.commits} commits`);
    },
  });
  const seconds = ((performance.now() - startMs) / 1_000).toFixed(0);
  console.log(JSON.stringify({ ...counts, seconds: Number(seconds) }));
  console.log(`dropped for nothing: ${(100 * falseInvalidationRatio(counts)).toFixed(0)} %`);
  if (failure !== undefined) console.log(JSON.stringify(failure, plainValue, 2));
  console.log(`stale results: ${failure === undefined ? 0 : 1}`);
  return failure === undefined;
}

/** Half of the time with each freshness that sees what others write. */
async function proveProcesses(seed: number): Promise<boolean> {
  let isRight = true;
  for (const freshness of ["strict", "turn"] as const) {
    const folder = mkdtempSync(join(tmpdir(), "springhouse-processes-"));
    const { stale, ...counts } = await torture({
      path: join(folder, "torture.db"),
      seed,
      freshness,
      durationMs: PROCESSES_MS / 2,
      hits: PROCESSES_HITS / 2,
    });
    rmSync(folder, { recursive: true, force: true });
    console.log(`processes, ${freshness}: ${JSON.stringify({ ...counts, stale: stale.length })}`);
    for (const text of stale) console.log(text);
    isRight &&= stale.length === 0;
  }
  return isRight;
}

function plainValue(key: string, value: unknown): unknown {
  // Kysely's tree says no more than the text.
  if (key === "query" && typeof value === "object") return undefined;
  return typeof value === "bigint" ? `${value}n` : value;
}
