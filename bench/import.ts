/**
 * Imports into a new file, with copies of the originals, the comparison of counts and contents,
 * the checks of pages and references: a list of JSON documents of at least 300 bytes, and the 1,499
 * issues of a real JIRA project with the rows that follow from them.
 *
 * Each import runs in a process of its own with the built package; its start is not part of the
 * time, and its memory is that of the import alone.
 */

import { execFile } from "node:child_process";
import { createWriteStream, existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { BenchInputError, type BenchOptions, type BenchResult } from "./bench.ts";
import { buildOnce, median, withFolder } from "./support.ts";

const JIRA = join(import.meta.dirname, "../../shared/data/jira");
const ISSUES = "tidev_ALOY.jsonl.gz";
const ISSUE_COUNT = 1_499;
const DOCUMENT_BYTES_MIN = 300;
const CHILD = join(import.meta.dirname, "import/child.ts");

interface Run {
  readonly ms: number;
  readonly cpuMs: number;
  readonly residentMb: number;
  readonly gapMs: number;
  readonly items: number;
}

/** Runs the bench. */
export async function run({ quick, dir = JIRA }: BenchOptions): Promise<BenchResult> {
  const issues = join(dir, ISSUES);
  if (!existsSync(issues))
    throw new BenchInputError(`${issues} is missing; name its folder: --dir.`);
  buildOnce();
  const documents = quick ? 100_000 : 500_000;
  const rounds = quick ? 1 : 3;
  return withFolder(async (folder) => {
    const source = join(folder, "tasks.json");
    await pipeline(documentsText(documents), createWriteStream(source));
    const json: Run[] = [];
    const jira: Run[] = [];
    for (let round = 0; round < rounds; round++) {
      json.push(await importOnce(folder, source, "tasks", documents));
      jira.push(await importOnce(folder, issues, "issues", ISSUE_COUNT));
    }
    return {
      bench: "import",
      figures: {
        json_rows_per_s: Math.round(documents / (median(json.map(({ ms }) => ms)) / 1_000)),
        resident_mb: Math.round(Math.max(...json.map(({ residentMb }) => residentMb))),
        jira_ms: Math.round(median(jira.map(({ ms }) => ms))),
        longest_gap_ms: Math.round(Math.max(...json.map(({ gapMs }) => gapMs))),
        json_cpu_ms: Math.round(median(json.map(({ cpuMs }) => cpuMs))),
        documents,
      },
      targets: {
        json_rows_per_s: { atLeast: 100_000 },
        resident_mb: { atMost: 200 },
        jira_ms: { atMost: 1_000 },
      },
      notes: [
        `json: one list of ${documents} documents of ${DOCUMENT_BYTES_MIN} bytes or more`,
        "all: copied first, durable, compared and checked, renamed into place",
        "jira: 1,499 issues with every field, and two changes each that follow from their dates",
      ],
    };
  });
}

async function importOnce(
  folder: string,
  source: string,
  kind: string,
  expected: number,
): Promise<Run> {
  const target = join(folder, "made.db");
  const args = ["--no-warnings", CHILD, target, source, kind];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const result = JSON.parse(stdout) as Run;
  if (result.items !== expected) throw new Error(`${result.items} of ${expected} were imported.`);
  rmSync(target);
  rmSync(join(folder, "backups"), { recursive: true });
  return result;
}

function* documentsText(documents: number): Generator<string> {
  yield "[\n";
  for (let id = 1; id <= documents; id++) {
    yield `${documentText(id)}${id === documents ? "" : ","}\n`;
  }
  yield "]\n";
}

function documentText(id: number): string {
  const document = {
    id,
    attemptId: `attempt-${id}-${(id * 2_654_435_761) % 4_294_967_296}`,
    projectName: `Project ${id % 97}, "north"`,
    durationSeconds: id % 5_400,
    score: (id % 50) / 10,
    isPaid: id % 3 === 0,
    feedback: "Well done, apart from the last page. See the notes, and compare with last week.",
    tags: ["audit", `week-${id % 52}`, { reviewer: `person-${id % 311}`, locale: "ko_KR" }],
  };
  const text = JSON.stringify(document);
  const lacks = DOCUMENT_BYTES_MIN - Buffer.byteLength(text);
  return lacks <= 0
    ? text
    : JSON.stringify({
        ...document,
        feedback: document.feedback.padEnd(document.feedback.length + lacks, "…"),
      });
}
