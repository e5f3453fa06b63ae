/**
 * Makes a failing case small: leaves out steps, statements, events and questions as long as it
 * still fails. Cases in which calls and commits meet do not fail each time, so each is tried
 * several times.
 */

import type { CoherenceCase, CoherenceFailure, Step } from "./case.ts";

/** How often a case with races is tried before it counts as one that does not fail. */
const TRIES_OF_RACES = 5;
const SHRINK_MS = 20_000;

interface Failed {
  readonly seed: number;
  readonly case: CoherenceCase;
  readonly failure: CoherenceFailure;
}

type RunCase = (tried: CoherenceCase) => Promise<CoherenceFailure | undefined>;

/** The smallest case that was found in time. */
export async function shrink(
  failed: Failed,
  run: RunCase,
  limitMs: number = SHRINK_MS,
): Promise<Failed> {
  const endMs = performance.now() + limitMs;
  let best = failed;
  const attempt = async (smaller: CoherenceCase): Promise<boolean> => {
    const isRace = smaller.steps.some(({ kind }) => kind === "race");
    for (let left = isRace ? TRIES_OF_RACES : 1; left > 0; left--) {
      if (performance.now() > endMs) return false;
      const failure = await run(smaller);
      if (failure === undefined) continue;
      best = { seed: failed.seed, case: smaller, failure };
      return true;
    }
    return false;
  };
  for (let size = -1; size !== sizeOf(best.case) && performance.now() < endMs; ) {
    size = sizeOf(best.case);
    await pass(() => best, attempt);
  }
  return best;
}

function sizeOf({ schema, steps }: CoherenceCase): number {
  return JSON.stringify([schema, steps], plainValue).length;
}

function plainValue(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}

/** Tries once to do without each part, the large ones first. */
async function pass(
  current: () => Failed,
  attempt: (smaller: CoherenceCase) => Promise<boolean>,
): Promise<void> {
  const { case: whole, failure } = current();
  await attempt(onlyQueries({ ...whole, steps: whole.steps.slice(0, failure.step + 1) }, failure));
  await without(
    () => current().case.steps,
    (steps) => attempt({ ...current().case, steps }),
  );
  await without(
    () => current().case.schema,
    (schema) => attempt({ ...current().case, schema }),
  );
  for (let at = 0; at < current().case.steps.length; at++) {
    const step = (): Step | undefined => current().case.steps[at];
    const replace = (other: Step): Promise<boolean> => {
      const { case: before } = current();
      return attempt({ ...before, steps: before.steps.with(at, other) });
    };
    const first = step();
    if (first?.kind === "commit") {
      await without(
        () => statementsOf(step()),
        (statements) => replace({ ...first, statements }),
      );
    } else if (first?.kind === "race") {
      await without(
        () => eventsOf(step()),
        (events) => replace({ ...first, events }),
      );
    }
  }
}

function statementsOf(step: Step | undefined): readonly string[] {
  return step?.kind === "commit" ? step.statements : [];
}

function eventsOf(step: Step | undefined): Extract<Step, { kind: "race" }>["events"] {
  return step?.kind === "race" ? step.events : [];
}

/** Leaves out runs of items, from half of them down to single ones. */
async function without<T>(
  items: () => readonly T[],
  attempt: (fewer: readonly T[]) => Promise<boolean>,
): Promise<void> {
  for (let length = Math.ceil(items().length / 2); length >= 1; length = Math.floor(length / 2)) {
    for (let from = 0; from < items().length; ) {
      const all = items();
      const isGone = await attempt([...all.slice(0, from), ...all.slice(from + length)]);
      if (!isGone) from += length;
    }
  }
}

/** The other questions ask for what never changes. */
function onlyQueries(whole: CoherenceCase, { queries }: CoherenceFailure): CoherenceCase {
  let number = 0;
  const steps = whole.steps.map((step): Step => {
    if (step.kind !== "queries") return step;
    return {
      ...step,
      queries: step.queries.map((query) =>
        queries.includes(number++) ? query : { sql: "SELECT 1 WHERE 0", parameters: [] },
      ),
    };
  });
  return { ...whole, steps };
}
