/** Plants each bug and lets the proof look for it, on several seeds, within a limit of time. */

import { spawn } from "node:child_process";
import { join } from "node:path";
import type { Emphasis } from "../proof/workload.ts";
import { PLANTED_BUGS, type PlantedBug } from "./bugs.ts";
import { plant } from "./plant.ts";

/** Every bug must be found from each. */
const SEEDS = [1, 2, 3];
const LIMIT_MS = 60_000;
/** What a child may take beyond: to start, and to end the case that it is at. */
const GRACE_MS = 30_000;
/** Time between two lines that say what is looked for. */
const PROGRESS_MS = 15_000;

export interface FindOptions {
  /** Bugs whose names contain it. Default: all. */
  readonly only?: string;
  /** Bugs that are looked for at the same time. Default: 2. */
  readonly parallel?: number;
}

/** Prints a line for each seed and each bug; the names of those that were not found. */
export async function findPlantedBugs(options: FindOptions = {}): Promise<readonly string[]> {
  const { only = "", parallel = 2 } = options;
  const left = PLANTED_BUGS.filter(({ name }) => name.includes(only));
  const missed: string[] = [];
  console.log(`${left.length} planted bugs, each from the seeds ${SEEDS.join(", ")}`);
  const worker = async (place: number): Promise<void> => {
    for (let bug = left.shift(); bug !== undefined; bug = left.shift()) {
      const seconds = await find(bug, `place-${process.pid}-${place}`);
      const isFound = seconds.every((each) => each !== undefined);
      if (!isFound) missed.push(bug.name);
      const times = seconds.map((each) => (each === undefined ? "never" : `${each.toFixed(1)} s`));
      console.log(`${isFound ? "found " : "MISSED"}  ${times.join(", ").padEnd(26)}  ${bug.name}`);
    }
  };
  await Promise.all(Array.from({ length: parallel }, (_, place) => worker(place)));
  return missed;
}

/** The seconds that it took from each seed; undefined where it was not found in time. */
async function find(bug: PlantedBug, place: string): Promise<readonly (number | undefined)[]> {
  using sources = plant(bug, place);
  const seconds: (number | undefined)[] = [];
  for (const seed of SEEDS) {
    const startMs = performance.now();
    const say = (what: string): void => {
      const tookS = (performance.now() - startMs) / 1_000;
      console.log(`${what}  ${tookS.toFixed(1).padStart(4)} s  seed ${seed}  ${bug.name}`);
    };
    const progress = setInterval(say, PROGRESS_MS, "   ...");
    const isFound = await isFoundFrom(seed, bug.emphasis, sources.folder);
    clearInterval(progress);
    const tookMs = performance.now() - startMs;
    say(isFound ? " found" : " never");
    seconds.push(isFound && tookMs <= LIMIT_MS ? tookMs / 1_000 : undefined);
  }
  return seconds;
}

async function isFoundFrom(seed: number, emphasis: Emphasis, folder: string): Promise<boolean> {
  const script = join(folder, "test/coherence/proof/fuzz-child.ts");
  const flags = ["--conditions=springhouse-source", "--no-warnings"];
  const child = spawn(
    process.execPath,
    [...flags, script, String(seed), String(LIMIT_MS), emphasis],
    {
      cwd: folder,
      stdio: ["ignore", "pipe", "inherit"],
      timeout: LIMIT_MS + GRACE_MS,
    },
  );
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  await new Promise((resolve) => child.once("close", resolve));
  // A child that died has found nothing that could be told.
  if (output === "") return false;
  return (JSON.parse(output) as { readonly found: unknown }).found !== null;
}
