/**
 * Runs the tests and measures the line coverage of `src`, worker threads and child processes
 * included: Node.js itself writes down what ran, and c8 adds it up. Types are stripped in place, so
 * the positions are those of the sources.
 *
 * Files that hold only types have nothing to run and are left out; every other file counts, loaded
 * or not. Arguments are passed on to Vitest.
 *
 * Run by `npm run coverage`. Exits with 1 when a test fails or coverage is below the limit.
 */

import { spawnSync } from "node:child_process";
import { globSync, readFileSync, rmSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { join } from "node:path";
import { mask } from "../test/tidy/mask.ts";

/** Less means that something was built that nobody tries. */
const LINES_PERCENT_MIN = 90;

const root = join(import.meta.dirname, "..");
const raw = join(root, "coverage/raw");

rmSync(join(root, "coverage"), { recursive: true, force: true });
run("vitest", ["run", "--config", "vitest.coverage.config.ts", ...process.argv.slice(2)], {
  NODE_V8_COVERAGE: raw,
});
run("c8", [
  "report",
  `--temp-directory=${raw}`,
  `--reports-dir=${join(root, "coverage")}`,
  "--reporter=text",
  "--reporter=json-summary",
  "--all",
  "--src=src",
  "--include=src/**",
  ...typeOnlyFiles().map((path) => `--exclude=${path}`),
  "--check-coverage",
  `--lines=${LINES_PERCENT_MIN}`,
  "--functions=0",
  "--branches=0",
  "--statements=0",
]);

function run(tool: string, parameters: readonly string[], env: NodeJS.ProcessEnv = {}): void {
  const { status } = spawnSync(join(root, "node_modules/.bin", tool), parameters, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: "inherit",
  });
  if (status !== 0) process.exit(status ?? 1);
}

function typeOnlyFiles(): string[] {
  return globSync("src/**/*.ts", { cwd: root }).filter((path) => {
    const code = stripTypeScriptTypes(readFileSync(join(root, path), "utf8"));
    return /^(?:\s|export\s*\{\s*\}|;)*$/.test(mask(code).code);
  });
}
