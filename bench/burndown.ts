/**
 * What the burndown application's plan promises, on real data: the migration of 1,499 issues with
 * copies and validation, and what a user waits for afterwards.
 */

import { statSync } from "node:fs";
import { join } from "node:path";
import { getProfile, setBackend, switchTo } from "../examples/burndown/application.ts";
import type { PersistenceBackend } from "../examples/burndown/backend/backend.ts";
import { openSqliteBackend } from "../examples/burndown/backend/sqlite-backend.ts";
import { generateFolder } from "../examples/burndown/generate/folder.ts";
import { archivedIssues, hasArchive } from "../examples/burndown/generate/issues.ts";
import { migrateFolder } from "../examples/burndown/migrate/migrate.ts";
import { momentOf } from "../examples/burndown/moments.ts";
import { databasePath } from "../examples/burndown/places.ts";
import { BenchInputError, type BenchOptions, type BenchResult } from "./bench.ts";
import { median, timeMs, withFolder } from "./support.ts";

const DATA = join(import.meta.dirname, "../../shared/data/jira");
const QUERIES = 100;

export async function run({ quick, dir = DATA }: BenchOptions): Promise<BenchResult> {
  if (!hasArchive(dir)) {
    throw new BenchInputError(`The archive of issues is not in ${dir}. Name its folder by --dir.`);
  }
  const runs = quick ? 1 : 5;
  const migrations: number[] = [];
  let figures: Readonly<Record<string, number>> = {};
  for (let number = 0; number < runs; number++) {
    await withFolder(async (folder) => {
      await generateFolder(folder, [
        { id: "aloy", name: "Alloy", jql: "project = ALOY", issues: archivedIssues(dir, "ALOY") },
      ]);
      migrations.push(await timeMs(() => migrateFolder(folder)));
      if (number === runs - 1) figures = await measure(databasePath(folder), quick ? 5 : 50);
    });
  }
  return {
    bench: "burndown",
    figures: { jira_ms: round(median(migrations)), ...figures },
    targets: {
      jira_ms: { atMost: 1_000 },
      profile_ms: { atMost: 10 },
      list_ms: { atMost: 50 },
      switch_ms: { atMost: 50 },
      save_ms: { atMost: 100 },
    },
    notes: [
      "jira: 1,499 issues with copies of the files and validation; the plan has 1,000 in 5 s",
      `list: ${QUERIES} queries of one profile; save: all settings of a profile, durably`,
      "the plan reckons with 1 KB for an issue, 100 bytes for a metric, and a log below 10 %",
    ],
  };
}

async function measure(path: string, rounds: number): Promise<Record<string, number>> {
  const bytes = statSync(path).size;
  const backend = await openSqliteBackend(path);
  setBackend(backend);
  try {
    await addQueries(backend);
    const profile = await getProfile("aloy");
    let step = 0;
    const now = (): string => momentOf(Date.UTC(2025, 0, 1) + step++);
    const times = async (work: () => Promise<unknown>): Promise<number> => {
      const all: number[] = [];
      for (let round = 0; round < rounds; round++) all.push(await timeMs(work));
      return round(median(all));
    };
    const figures = {
      profile_ms: await times(() => getProfile("aloy")),
      list_ms: await times(() => backend.queries.list("aloy")),
      switch_ms: await times(() => switchTo("aloy", `q_${step % QUERIES}`, now())),
      save_ms: await times(() => backend.profiles.save({ ...profile, lastUsed: now() })),
    };
    const wal = statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
    const { rows } = await backend.database.execute<Sizes>(SIZES);
    const sizes = rows[0];
    return {
      ...figures,
      database_mb: round(bytes / 1_048_576),
      issue_bytes: Math.round(Number(sizes?.issues) / Number(sizes?.issueCount)),
      metric_bytes: Math.round(Number(sizes?.metrics) / Number(sizes?.metricCount)),
      wal_percent: round((100 * wal) / bytes),
    };
  } finally {
    setBackend(undefined);
    await backend.close();
  }
}

interface Sizes {
  readonly issues: number;
  readonly issueCount: number;
  readonly metrics: number;
  readonly metricCount: number;
}

/** What rows take without their indexes. */
const SIZES = `SELECT
  (SELECT sum(length(CAST(document AS BLOB))) FROM jira_issues) AS issues,
  (SELECT count(*) FROM jira_issues) AS issueCount,
  (SELECT sum(length(CAST(metric_value AS BLOB)) + length(snapshot_date) + length(metric_name)
    + length(metric_category) + length(created_at) + length(profile_id) + length(query_id))
    FROM metrics_data_points) AS metrics,
  (SELECT count(*) FROM metrics_data_points) AS metricCount`;

function addQueries(backend: PersistenceBackend): Promise<void> {
  const moment = momentOf(Date.UTC(2024, 0, 1));
  return backend.withTransaction(async ({ queries }) => {
    for (let number = 0; number < QUERIES; number++) {
      await queries.save({
        profileId: "aloy",
        id: `q_${number}`,
        name: `Query ${number}`,
        jql: `project = ALOY AND created >= -${number}w`,
        description: "",
        createdAt: moment,
        lastUsed: moment,
        extras: {},
      });
    }
  });
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
