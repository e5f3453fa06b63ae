/** Of the tier contract: nothing holds the event loop for more than 10 ms. */

import { strict as assert } from "node:assert";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Tier, TierEntry } from "../../tier/tier.ts";
import { ENTRIES_MAX, keysOf, type TierCases } from "./context.ts";

/** Work of this thread between two turns of the event loop. */
const WORK_MS_MAX = 10;
/** Time between two turns; other programs take their share of the processor in it. */
const WALL_MS_MAX = 50;
/** The contract of a tier. */
const CHUNK_KEYS = 1_000;
/** The compiler and the collector take turns, too: the best of so many counts. */
const ATTEMPTS = 6;

interface Batch {
  readonly entries: readonly TierEntry[];
  readonly keys: readonly string[];
}

type Step = (tier: Tier, batch: Batch) => Promise<unknown>;

const STEPS: Readonly<Record<string, Step>> = {
  setMany: (tier, { entries }) => tier.setMany(entries),
  getMany: (tier, { keys }) => tier.getMany(keys),
  lookMany: (tier, { keys }) => tier.lookMany(keys),
  keys: async (tier) => {
    for await (const chunk of tier.keys()) assert.ok(chunk.length <= CHUNK_KEYS);
  },
  expireMany: (tier, { keys }) => tier.expireMany(keys),
  dropTags: (tier) => tier.dropTags(["t"]),
  sweep: (tier) => tier.sweep(),
  "setMany again": (tier, { entries }) => tier.setMany(entries),
  dropPrefix: (tier) => tier.dropPrefix("key 1"),
  clear: (tier) => tier.clear(),
};

export const responsiveness: TierCases = {
  cases: {
    "is held by no call for more than 10 ms": async ({ tier, entries }) => {
      const best = new Map<string, Gap>();
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        for (const [name, step] of Object.entries(STEPS)) {
          const batch = entries(ENTRIES_MAX, "key ", { tags: ["t"] });
          const keys = keysOf(batch);
          const gap = await longestGap(() => step(tier, { entries: batch, keys }));
          best.set(name, shorter(gap, best.get(name)));
        }
        if ([...best.values()].every(isShort)) return;
      }
      for (const [name, gap] of best) {
        assert.ok(isShort(gap), `${name} held the event loop ${tooLong(gap)}`);
      }
    },
  },
};

/** The longest time between two turns of the event loop. */
export interface Gap {
  /** That this thread was computing. */
  readonly workMs: number;
  /** That passed. */
  readonly wallMs: number;
}

function shorter(one: Gap, other: Gap = one): Gap {
  return {
    workMs: Math.min(one.workMs, other.workMs),
    wallMs: Math.min(one.wallMs, other.wallMs),
  };
}

function isShort({ workMs, wallMs }: Gap): boolean {
  return workMs <= WORK_MS_MAX && wallMs <= WALL_MS_MAX;
}

/** For people: the limit that broke. */
export function tooLong({ workMs, wallMs }: Gap): string {
  return workMs > WORK_MS_MAX
    ? `by ${workMs.toFixed(1)} ms of work, of ${WORK_MS_MAX} ms at most`
    : `for ${wallMs.toFixed(1)} ms of wall time, of ${WALL_MS_MAX} ms at most, by only ` +
        `${workMs.toFixed(1)} ms of work: it waits for something, or the machine is busy`;
}

/** Measures the event loop while `work` runs. */
export async function longestGap(work: () => Promise<unknown>): Promise<Gap> {
  let longest: Gap = { workMs: 0, wallMs: 0 };
  let running = true;
  const watch = async (): Promise<void> => {
    let [lastWorkMs, lastWallMs] = [threadMs(), performance.now()];
    while (running) {
      await nextTurn();
      const [workMs, wallMs] = [threadMs(), performance.now()];
      longest = {
        workMs: Math.max(longest.workMs, workMs - lastWorkMs),
        wallMs: Math.max(longest.wallMs, wallMs - lastWallMs),
      };
      [lastWorkMs, lastWallMs] = [workMs, wallMs];
    }
  };
  const watching = watch();
  try {
    await work();
  } finally {
    running = false;
    await watching;
  }
  return longest;
}

/** What this thread has computed so far. */
function threadMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}
