/**
 * Issues to build an old folder of: real ones of an archive when it is there, made ones otherwise.
 *
 * The archive (tidev/jira-archive) has one issue a line, packed by gzip.
 */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { readText } from "springhouse/import";
import { randomNumbers } from "../../common/random.ts";
import { isObject } from "../json-reader.ts";
import type { JsonObject } from "../model.ts";
import { momentOf } from "../moments.ts";

/** Files of the archive by project. */
const ARCHIVE: Readonly<Record<string, readonly string[]>> = {
  ALOY: ["tidev_ALOY.jsonl.gz"],
  DAEMON: ["tidev_DAEMON.jsonl.gz"],
  MOD: ["tidev_MOD.jsonl.gz"],
  TIMOB: ["tidev_TIMOB_part0.jsonl.gz", "tidev_TIMOB_part1.jsonl.gz"],
};

/** The projects of the archive. */
export const PROJECTS: readonly string[] = Object.keys(ARCHIVE);

/** Issues made when there is no archive. */
const MADE_ISSUES = 300;

/** Whether the archive is in a folder. */
export function hasArchive(folder: string): boolean {
  return Object.values(ARCHIVE)
    .flat()
    .every((name) => existsSync(join(folder, name)));
}

/** The issues of a project of the archive. */
export async function* archivedIssues(folder: string, project: string): AsyncGenerator<JsonObject> {
  for (const name of ARCHIVE[project] ?? []) {
    let rest = "";
    for await (const chunk of readText(join(folder, name))) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) if (line !== "") yield issueOf(line);
    }
    if (rest !== "") yield issueOf(rest);
  }
}

function issueOf(line: string): JsonObject {
  const issue: unknown = JSON.parse(line);
  return isObject(issue) ? issue : {};
}

/** Issues that look like a small project of two years; the same for the same seed. */
export function* madeIssues(project: string, seed = 1, count = MADE_ISSUES): Generator<JsonObject> {
  const random = randomNumbers(seed);
  const firstMs = Date.UTC(2024, 0, 8);
  const dayMs = 86_400_000;
  const spanMs = 700 * dayMs;
  for (let number = 1; number <= count; number++) {
    const createdMs = firstMs + Math.floor((number / count) * spanMs * 0.9);
    const resolvedMs = createdMs + Math.floor((1 + random() ** 3 * 120) * dayMs);
    const isDone = resolvedMs < firstMs + spanMs;
    const moment = (ms: number): string => momentOf(ms).replace("Z", "+0000");
    yield {
      id: String(10_000 + number),
      key: `${project}-${number}`,
      fields: {
        summary: `Made issue ${number}`,
        issuetype: { name: random() < 0.6 ? "Bug" : "Story" },
        project: { key: project, name: project },
        status: isDone
          ? { name: "Closed", statusCategory: { key: "done" } }
          : { name: "Open", statusCategory: { key: "new" } },
        resolution: isDone ? { name: "Fixed" } : null,
        created: moment(createdMs),
        updated: moment(isDone ? resolvedMs : createdMs),
        resolutiondate: isDone ? moment(resolvedMs) : null,
        priority: { name: "Medium" },
        fixVersions: [],
        customfield_10002: 1 + Math.floor(random() * 8),
      },
    };
  }
}
