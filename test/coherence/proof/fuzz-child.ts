/**
 * Looks for a planted bug in the sources beside it: `fuzz-child.ts SEED LIMIT_MS
 * [EMPHASIS]`. Prints what it
 * has found as a line of JSON, or `null`.
 */

import { fuzz } from "./fuzz.ts";
import { EMPHASES } from "./workload.ts";

const [seed = "1", limitMs = "60000", emphasis] = process.argv.slice(2);
const { counts, failure } = await fuzz({
  seed: Number(seed) * 1_000,
  checks: Number.POSITIVE_INFINITY,
  timeLimitMs: Number(limitMs),
  emphasis: EMPHASES.find((name) => name === emphasis),
  shrinkMs: 0,
  // Many schemas rather than many questions to each.
  queries: 16,
});
const found = failure && { seed: failure.seed, way: failure.way, failure: failure.failure };
process.stdout.write(`${JSON.stringify({ found: found ?? null, counts })}\n`);
