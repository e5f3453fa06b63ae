/**
 * `npm run test:sqllogictest -- [DIR] [--seconds N]`: every `.test` file of a folder through the
 * cache. Ends with 1 when anything is wrong.
 */

import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { type Counts, type FileOutcome, runFile } from "./run-file.ts";
import { openSubject, Witness } from "./subject.ts";

const ROOT = join(import.meta.dirname, "../..");
/** Beside the checkout; it is no part of the project. */
const DEFAULT_FOLDER = join(ROOT, "../shared/data/sqllogictest");
/** What a file may take when nobody says otherwise. */
const SECONDS = 600;
const PROGRESS_EVERY_MS = 5_000;
/** Faults of a file that are printed. */
const SHOWN_MAX = 10;

const { values, positionals } = parseArgs({
  options: { seconds: { type: "string", default: String(SECONDS) } },
  allowPositionals: true,
});
const folder = resolve(positionals[0] ?? DEFAULT_FOLDER);
process.exitCode = await runFolder(folder, Number(values.seconds));

async function runFolder(path: string, seconds: number): Promise<number> {
  if (!(seconds > 0)) {
    console.error("--seconds takes a number above 0.");
    return 1;
  }
  if (!existsSync(path)) return skipped(`there is no ${path}`);
  const files = statSync(path).isDirectory()
    ? globSync("**/*.test", { cwd: path })
        .sort()
        .map((file) => join(path, file))
    : [path];
  if (files.length === 0) return skipped(`${path} has no .test files`);
  const total: Counts = emptyCounts();
  let faults = 0;
  let left = 0;
  for (const file of files) {
    const name = relative(path, file) || file;
    const outcome = await runOne(file, name, seconds);
    print(name, outcome);
    for (const key of Object.keys(total) as (keyof Counts)[]) total[key] += outcome.counts[key];
    faults += outcome.faults.length;
    left += outcome.left;
  }
  console.log(`\n${files.length} files: ${countsText(total)}`);
  if (left > 0) console.log(`${left} records were not run: their files took longer than allowed.`);
  console.log(faults === 0 ? "Nothing is wrong." : `${faults} faults.`);
  return faults === 0 ? 0 : 1;
}

/** Nothing was tested. Where that counts, it is a failure. */
function skipped(reason: string): number {
  console.log(`sqllogictest was SKIPPED: ${reason}. Give a folder of .test files.`);
  return process.env["CI"] === "true" ? 1 : 0;
}

async function runOne(file: string, name: string, seconds: number): Promise<FileOutcome> {
  const scratch = mkdtempSync(join(tmpdir(), "springhouse-sqllogictest-"));
  try {
    const path = join(scratch, "test.db");
    await using subject = await openSubject(path);
    using witness = new Witness(path);
    const endMs = performance.now() + seconds * 1_000;
    let toldMs = performance.now();
    return await runFile(readFileSync(file, "utf8"), subject, witness, {
      isOver: () => performance.now() > endMs,
      onRecord: (done, records) => {
        if (performance.now() < toldMs + PROGRESS_EVERY_MS) return;
        toldMs = performance.now();
        console.log(`  ${name}: ${done} of ${records} records`);
      },
    });
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function emptyCounts(): Counts {
  return {
    records: 0,
    statements: 0,
    queries: 0,
    hits: 0,
    notCacheable: 0,
    entryChecks: 0,
    stale: 0,
  };
}

function print(name: string, { counts, faults, otherwise, left }: FileOutcome): void {
  console.log(`${name}: ${countsText(counts)}`);
  if (left > 0) console.log(`  ${left} records left when the time was over`);
  for (const text of faults.slice(0, SHOWN_MAX)) console.log(`  WRONG ${text}`);
  if (faults.length > SHOWN_MAX) console.log(`  … ${faults.length - SHOWN_MAX} more`);
  for (const text of otherwise.slice(0, SHOWN_MAX)) {
    console.log(`  SQLite itself gives another result than the file says: ${text}`);
  }
}

function countsText(counts: Counts): string {
  const { statements, queries, hits, notCacheable, entryChecks, stale } = counts;
  return (
    `${statements} statements, ${queries} queries, ${hits} hits, ${notCacheable} not cacheable, ` +
    `${entryChecks} entry checks, stale = ${stale}`
  );
}
