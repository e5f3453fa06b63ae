/**
 * Adds up the reports that Vitest wrote as JSON and prints "N passed, N failed, N skipped" as the
 * last line. A report that is missing or empty is a failure: a suite that did not run proves
 * nothing. A failure outside of any test counts as one failed.
 *
 * Run by `.ci/run` with the paths of the reports. Exits with 1 when something failed.
 */

import { readFileSync } from "node:fs";
import { messageOf } from "../src/core/errors.ts";

interface Report {
  readonly success: boolean;
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
}

const total = { passed: 0, failed: 0, skipped: 0 };
for (const path of process.argv.slice(2)) add(path);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;

function add(path: string): void {
  try {
    const report = JSON.parse(readFileSync(path, "utf8")) as Report;
    const failures = report.numFailedTests + (report.success || report.numFailedTests > 0 ? 0 : 1);
    total.passed += report.numPassedTests;
    total.failed += failures + (report.numPassedTests + failures === 0 ? 1 : 0);
    total.skipped += report.numPendingTests + report.numTodoTests;
  } catch (error) {
    console.error(`${path}: ${messageOf(error)}`);
    total.failed += 1;
  }
}
