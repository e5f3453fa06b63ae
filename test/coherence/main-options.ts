/** The options of the proof on the command line. */

import { parseArgs } from "node:util";
import { PLANTED_BUGS } from "./planted/bugs.ts";

const CHECKS = 1_000_000;

export interface MainOptions {
  /** Results to compare in random cases. */
  readonly checks: number;
  readonly seed: number;
  readonly isRandom: boolean;
  readonly hasProcesses: boolean;
  readonly isPlanted: boolean;
  /** Planted bugs whose names contain it. */
  readonly only: string;
}

/** Something to be said instead of a proof. */
export interface MainText {
  readonly text: string;
  readonly exitCode: 0 | 2;
}

const HELP = `npm run test:coherence -- [options]

Proves that no cached result is stale: random cases, several processes, and planted bugs that
the proof must find. Exits with 1 when a result was wrong or a bug was not found.

  --checks N       results to compare in random cases (default: ${CHECKS})
  --seed S         repeats the cases of an earlier run (default: by the clock)
  --no-processes   without the several processes
  --no-planted     without the planted bugs
  --planted-only   nothing but the planted bugs
  --only TEXT      of the planted bugs those whose names contain the text
  --help           says this`;

/** See above. */
export function mainOptions(args: readonly string[]): MainOptions | MainText {
  try {
    return parse(args);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { text: `${error.message.split("\n")[0]} (--help tells the options)`, exitCode: 2 };
  }
}

function parse(args: readonly string[]): MainOptions | MainText {
  const { values } = parseArgs({
    args: [...args],
    options: {
      checks: { type: "string", default: String(CHECKS) },
      seed: { type: "string", default: String(Date.now() % 1_000_000) },
      processes: { type: "boolean", default: true },
      planted: { type: "boolean", default: true },
      "planted-only": { type: "boolean", default: false },
      only: { type: "string", default: "" },
      help: { type: "boolean", default: false },
    },
    allowNegative: true,
  });
  if (values.help) return { text: HELP, exitCode: 0 };
  const { only, planted: isPlanted, "planted-only": isPlantedOnly } = values;
  if (isPlantedOnly && !isPlanted) throw new Error("--planted-only and --no-planted leave nothing");
  if (!PLANTED_BUGS.some(({ name }) => name.includes(only))) {
    throw new Error(`No planted bug has "${only}" in its name`);
  }
  return {
    checks: wholeNumber("checks", values.checks),
    seed: wholeNumber("seed", values.seed),
    isRandom: !isPlantedOnly,
    hasProcesses: !isPlantedOnly && values.processes,
    isPlanted,
    only,
  };
}

function wholeNumber(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new Error(`--${name} is a whole number, and not "${text}"`);
  return Number(text);
}
