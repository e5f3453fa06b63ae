/** Figures of projects, metrics, tasks and computed results in the database. */

import type {
  Calculation,
  JsonObject,
  MetricPoint,
  ProjectData,
  Statistic,
  Task,
} from "../model.ts";
import { CalculationTable, ProjectScope, TaskProgress } from "../schema.ts";
import type {
  CalculationRepository,
  ProjectRepository,
  SnapshotRepository,
  TaskRepository,
} from "./backend.ts";
import type { Place } from "./sqlite-profiles.ts";

export class SqliteProjects implements ProjectRepository {
  readonly #place: Place;

  constructor(place: Place) {
    this.#place = place;
  }

  async get(profileId: string, queryId: string): Promise<ProjectData | undefined> {
    const row = await this.#place.repository(ProjectScope).get({ profileId, queryId });
    if (row === undefined) return undefined;
    const statistics: Statistic[] = [];
    const rows = this.#place.stream<Statistic>(STATISTICS, [profileId, queryId]);
    for await (const statistic of rows) statistics.push(statistic);
    const { profileId: _, queryId: __, metadata, updatedAt, ...scope } = row;
    return { scope, statistics, metadata, updatedAt };
  }

  async save(profileId: string, queryId: string, project: ProjectData): Promise<void> {
    await this.#place.transaction(async (tx: Place) => {
      await tx.execute("DELETE FROM project_scope WHERE profile_id = ? AND query_id = ?", [
        profileId,
        queryId,
      ]);
      await tx.execute("DELETE FROM project_statistics WHERE profile_id = ? AND query_id = ?", [
        profileId,
        queryId,
      ]);
      const { scope, metadata, updatedAt } = project;
      await tx
        .repository(ProjectScope)
        .create({ profileId, queryId, ...scope, metadata, updatedAt });
      await tx.executeMany(
        INSERT_STATISTIC,
        project.statistics.map((statistic) => statisticRow(profileId, queryId, statistic)),
      );
    });
  }
}

const STATISTICS = `SELECT stat_date AS date, completed_items AS completedItems,
  completed_points AS completedPoints, created_items AS createdItems,
  created_points AS createdPoints, velocity_items AS velocityItems,
  velocity_points AS velocityPoints, extras
FROM project_statistics WHERE profile_id = ? AND query_id = ? ORDER BY stat_date`;

/** Inserts a week; the parameters come from `statisticRow`. */
const INSERT_STATISTIC = `INSERT INTO project_statistics (
  profile_id, query_id, stat_date, completed_items, completed_points, created_items,
  created_points, velocity_items, velocity_points, extras
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

function statisticRow(profileId: string, queryId: string, each: Statistic): unknown[] {
  return [
    profileId,
    queryId,
    each.date,
    each.completedItems,
    each.completedPoints,
    each.createdItems,
    each.createdPoints,
    each.velocityItems,
    each.velocityPoints,
    each.extras,
  ];
}

export class SqliteSnapshots implements SnapshotRepository {
  readonly #place: Place;

  constructor(place: Place) {
    this.#place = place;
  }

  async list(profileId: string, queryId: string): Promise<readonly MetricPoint[]> {
    const points: MetricPoint[] = [];
    const rows = this.#place.stream<MetricPoint>(POINTS, [profileId, queryId]);
    for await (const row of rows) points.push(row);
    return points;
  }

  async save(profileId: string, queryId: string, points: readonly MetricPoint[]): Promise<void> {
    await this.#place.executeMany(
      SAVE_POINT,
      points.map(({ week, type, name, value, createdAt }) => [
        profileId,
        queryId,
        week,
        type,
        name,
        JSON.stringify(value),
        createdAt,
      ]),
    );
  }
}

const POINTS = `SELECT snapshot_date AS week, metric_category AS type, metric_name AS name,
  metric_value AS value, created_at AS createdAt
FROM metrics_data_points WHERE profile_id = ? AND query_id = ?
ORDER BY snapshot_date, metric_category, metric_name`;

const SAVE_POINT = `INSERT INTO metrics_data_points (
  profile_id, query_id, snapshot_date, metric_category, metric_name, metric_value, created_at
) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (profile_id, query_id, snapshot_date, metric_category, metric_name) DO UPDATE SET
  metric_value = excluded.metric_value, created_at = excluded.created_at`;

export class SqliteTasks implements TaskRepository {
  readonly #place: Place;

  constructor(place: Place) {
    this.#place = place;
  }

  async get(name: string): Promise<Task | undefined> {
    const row = await this.#place.repository(TaskProgress).get(name);
    return row && taskOf(row);
  }

  async list(): Promise<readonly Task[]> {
    const rows = await this.#place
      .repository(TaskProgress)
      .list({ orderBy: [{ taskName: "asc" }], limit: TASKS_MAX });
    return rows.map(taskOf);
  }

  async save({ name, percent, status, message, updatedAt, extras }: Task): Promise<void> {
    const row = [name, percent, status, message, updatedAt, extras];
    await this.#place.execute(SAVE_TASK, row);
  }

  async delete(name: string): Promise<void> {
    await this.#place.execute("DELETE FROM task_progress WHERE task_name = ?", [name]);
  }
}

/** An application has a handful. */
const TASKS_MAX = 1_000;

const SAVE_TASK = `INSERT INTO task_progress (
  task_name, progress_percent, status, message, updated_at, extras
) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (task_name) DO UPDATE SET
  progress_percent = excluded.progress_percent, status = excluded.status,
  message = excluded.message, updated_at = excluded.updated_at, extras = excluded.extras`;

interface TaskRow {
  readonly taskName: string;
  readonly progressPercent: number;
  readonly status: Task["status"];
  readonly message: string | null;
  readonly updatedAt: string;
  readonly extras: JsonObject;
}

function taskOf({ taskName, progressPercent, ...row }: TaskRow): Task {
  return { name: taskName, percent: progressPercent, ...row };
}

export class SqliteCalculations implements CalculationRepository {
  readonly #place: Place;

  constructor(place: Place) {
    this.#place = place;
  }

  async get(cacheKey: string, configHash: string): Promise<Calculation | undefined> {
    return await this.#place.repository(CalculationTable).get({ cacheKey, configHash });
  }

  async list(): Promise<readonly Calculation[]> {
    const found: Calculation[] = [];
    const rows = this.#place.stream<Calculation>(
      `SELECT cache_key AS cacheKey, config_hash AS configHash, data, created_at AS createdAt
       FROM calculations ORDER BY cache_key, config_hash`,
    );
    for await (const row of rows) found.push(row);
    return found;
  }

  async save({ cacheKey, configHash, data, createdAt }: Calculation): Promise<void> {
    await this.#place.execute(
      `INSERT INTO calculations (cache_key, config_hash, data, created_at) VALUES (?, ?, ?, ?)
       ON CONFLICT (cache_key, config_hash) DO UPDATE SET
         data = excluded.data, created_at = excluded.created_at`,
      [cacheKey, configHash, JSON.stringify(data), createdAt],
    );
  }
}
