/** The proof in its short form; the long one is `npm run test:coherence`. */

import { describe, expect, it } from "vitest";
import { checkCoherence } from "../../src/testing/coherence/check-coherence.ts";
import { springhouseSubject } from "../../src/testing/coherence/springhouse-subject.ts";
import type {
  CoherenceQuery,
  CoherenceRows,
  CoherenceSubject,
} from "../../src/testing/coherence/subject.ts";
import { RANDOM_WORKLOAD } from "../../src/testing/coherence/workload.ts";
import { fuzz } from "./proof/fuzz.ts";

const SEED = Number(process.env["SPRINGHOUSE_SEED"] ?? Date.now() % 1_000_000);

it(`no result is stale, whatever is asked and written (seed ${SEED})`, async () => {
  const report = await fuzz({ seed: SEED, checks: 4_000, steps: 30, timeLimitMs: 3_000 });

  expect(report.failure).toBeUndefined();
  // Results were kept, and did change.
  expect(report.counts.hits).toBeGreaterThan(report.counts.commits);
  expect(report.counts.changed).toBeGreaterThan(10);
});

describe("the proof of a cache", () => {
  it("finds one that keeps everything for ever, and makes the case small", async () => {
    const report = await checkCoherence({ subject: forgetful(), seed: 3, shrinkMs: 1_500 });

    const { failure } = report;
    expect(failure?.failure.where).toBe("hit");
    expect(failure?.case.steps.length).toBeLessThan(12);
  });

  it("takes a schema of one's own, and makes questions and transactions for it", async () => {
    const schema = (): readonly string[] => [
      "CREATE TABLE tasks (id INTEGER PRIMARY KEY, week INTEGER, title TEXT)",
    ];
    const { ddl: _, ...others } = RANDOM_WORKLOAD;

    const report = await checkCoherence({
      subject: springhouseSubject(),
      workload: { ...others, schema },
      checks: 300,
      steps: 20,
    });

    expect(report.failure).toBeUndefined();
    expect(report.counts.checks).toBeGreaterThanOrEqual(300);
  });
});

/** A cache that never drops anything. */
function forgetful(): CoherenceSubject {
  const honest = springhouseSubject();
  return {
    open: async (path) => {
      const open = await honest.open(path);
      const kept = new Map<CoherenceQuery, CoherenceRows>();
      return {
        read: async (query) => {
          const rows = kept.get(query) ?? (await open.read(query));
          kept.set(query, rows);
          return rows;
        },
        peek: (query) => kept.get(query),
        write: (statements) => open.write(statements),
        close: () => open.close(),
      };
    },
  };
}
