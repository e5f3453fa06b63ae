/** `npm run -s bench -- NAME [--json] [--quick] [--dir DIR] [--check]`. */

import { globSync } from "node:fs";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import {
  type Bench,
  BenchInputError,
  type BenchResult,
  meets,
  misses,
  targetText,
} from "./bench.ts";

const SUPPORT = ["bench", "loop", "main", "support"];

const HELP = `Usage: npm run -s bench -- [NAME…] [options]

Runs benches and prints their figures beside what they must reach. Without a name it lists them.

Options:
  --all      run all of them
  --json     print one line {"bench", "figures"} for each
  --quick    fewer rounds
  --dir DIR  the folder of input data, for a bench that reads some
  --check    exit with 1 when a figure misses its target
  --help     show this
`;

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof BenchInputError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}

async function main(): Promise<number> {
  const names = globSync("*.ts", { cwd: import.meta.dirname })
    .map((path) => basename(path, ".ts"))
    .filter((name) => !SUPPORT.includes(name))
    .sort();
  const options = readOptions();
  if (options === undefined) return 2;
  if (options.values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const wanted = options.values.all ? names : options.positionals;
  if (wanted.length === 0) {
    process.stdout.write(`${names.join("\n")}\n`);
    return 0;
  }
  const unknown = wanted.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    process.stderr.write(`There is no bench "${unknown}". There are: ${names.join(", ")}.\n`);
    return 2;
  }
  const { quick = false, dir } = options.values;
  let missed = 0;
  for (const name of wanted) {
    const bench = (await import(join(import.meta.dirname, `${name}.ts`))) as Bench;
    const result = await bench.run(dir === undefined ? { quick } : { quick, dir });
    process.stdout.write(options.values.json ? jsonLine(result) : table(result));
    for (const miss of misses(result)) {
      missed++;
      process.stderr.write(`missed: ${name} ${miss}\n`);
    }
  }
  return options.values.check && missed > 0 ? 1 : 0;
}

function readOptions(): ReturnType<typeof parse> | undefined {
  try {
    return parse();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n\n${HELP}`);
    return undefined;
  }
}

function parse() {
  return parseArgs({
    allowPositionals: true,
    options: {
      all: { type: "boolean" },
      json: { type: "boolean" },
      quick: { type: "boolean" },
      dir: { type: "string" },
      check: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
}

function jsonLine({ bench, figures }: BenchResult): string {
  return `${JSON.stringify({ bench, figures })}\n`;
}

function table(result: BenchResult): string {
  const rows = Object.entries(result.figures).map(([name, figure]) => {
    const target = result.targets[name];
    const verdict = target === undefined ? "" : meets(figure, target) ? "ok" : "MISSED";
    return [name, shown(figure), target === undefined ? "" : targetText(target), verdict];
  });
  const all = [["figure", "measured", "must be", ""], ...rows];
  const widths = [0, 1, 2].map((column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const lines = all.map(([name = "", figure = "", target = "", verdict]) =>
    [
      name.padEnd(widths[0] ?? 0),
      figure.padStart(widths[1] ?? 0),
      target.padEnd(widths[2] ?? 0),
      verdict,
    ]
      .join("  ")
      .trimEnd(),
  );
  const notes = result.notes.map((note) => `  ${note}`);
  return `${[result.bench, ...lines, ...notes, ""].join("\n")}\n`;
}

function shown(figure: number): string {
  return Math.abs(figure) >= 1_000
    ? Math.round(figure).toLocaleString("en-US")
    : String(Number(figure.toPrecision(3)));
}
