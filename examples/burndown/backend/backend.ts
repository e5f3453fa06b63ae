/**
 * What the application needs of whatever keeps its data: one repository for each kind of thing, and
 * transactions over all of them. Two backends keep it, the database and the old JSON files, and the
 * application knows neither.
 *
 * All methods of a repository are asynchronous. `get` gives undefined for what is not there, `save`
 * makes or changes, `delete` of what is not there does nothing.
 */

import type {
  CachedResponse,
  Calculation,
  Changelog,
  IssueFact,
  MetricPoint,
  Profile,
  ProjectData,
  Query,
  Selection,
  Task,
} from "../model.ts";

export interface ProfileRepository {
  get(id: string): Promise<Profile | undefined>;
  /** The one used last stands first. */
  list(): Promise<readonly Profile[]>;
  /** When it is saved again, its queries and data stay, and so does `createdAt`. */
  save(profile: Profile): Promise<void>;
  /** With its queries and their data. */
  delete(id: string): Promise<void>;
}

export interface QueryRepository {
  get(profileId: string, id: string): Promise<Query | undefined>;
  /** The one used last stands first. */
  list(profileId: string): Promise<readonly Query[]>;
  save(query: Query): Promise<void>;
  /** With its data. */
  delete(profileId: string, id: string): Promise<void>;
}

export interface CacheRepository {
  /** An answer that has not expired at that moment. */
  get(
    profileId: string,
    queryId: string,
    cacheKey: string,
    now: string,
  ): Promise<CachedResponse | undefined>;
  /** All answers of a query, also expired ones, the newest first. */
  list(profileId: string, queryId: string): Promise<readonly CachedResponse[]>;
  /** The facts about the issues of the newest answer, expired or not, in its order. */
  issues(profileId: string, queryId: string): Promise<readonly IssueFact[]>;
  /** All of them or none. */
  save(profileId: string, queryId: string, responses: readonly CachedResponse[]): Promise<void>;
  /** Removes what has expired; how many. */
  deleteExpired(now: string): Promise<number>;
}

export interface ChangelogRepository {
  /** The changes of an issue that have not expired at that moment. */
  get(
    profileId: string,
    queryId: string,
    issueKey: string,
    now: string,
  ): Promise<Changelog | undefined>;
  /** Of all issues of a query, also expired ones, by key. */
  list(profileId: string, queryId: string): Promise<readonly Changelog[]>;
  /** All of them or none. */
  save(profileId: string, queryId: string, changelogs: readonly Changelog[]): Promise<void>;
  deleteExpired(now: string): Promise<number>;
}

export interface ProjectRepository {
  get(profileId: string, queryId: string): Promise<ProjectData | undefined>;
  save(profileId: string, queryId: string, project: ProjectData): Promise<void>;
}

export interface SnapshotRepository {
  /** By week, kind and name. */
  list(profileId: string, queryId: string): Promise<readonly MetricPoint[]>;
  /** Makes or changes these points; others stay. */
  save(profileId: string, queryId: string, points: readonly MetricPoint[]): Promise<void>;
}

export interface StateRepository {
  get(key: string): Promise<string | undefined>;
  set(key: string, value: string): Promise<void>;
  /** All facts, by key; what is true of one backend only is not among them. */
  list(): Promise<readonly (readonly [key: string, value: string])[]>;
  /**
   * The profile and the query in use. What was deleted is not in use: the profile used last takes
   * its place, and of a profile its query used last.
   */
  selection(): Promise<Selection>;
  /**
   * Uses another profile and query from that moment.
   *
   * @throws `NOT_FOUND` when there is none such; nothing is changed then.
   */
  select(profileId: string, queryId: string | null, now: string): Promise<void>;
}

export interface TaskRepository {
  get(name: string): Promise<Task | undefined>;
  list(): Promise<readonly Task[]>;
  save(task: Task): Promise<void>;
  delete(name: string): Promise<void>;
}

export interface CalculationRepository {
  get(cacheKey: string, configHash: string): Promise<Calculation | undefined>;
  list(): Promise<readonly Calculation[]>;
  save(calculation: Calculation): Promise<void>;
}

/** One repository for each kind of thing. */
export interface Repositories {
  readonly profiles: ProfileRepository;
  readonly queries: QueryRepository;
  readonly caches: CacheRepository;
  readonly changelogs: ChangelogRepository;
  readonly projects: ProjectRepository;
  readonly snapshots: SnapshotRepository;
  readonly state: StateRepository;
  readonly tasks: TaskRepository;
  readonly calculations: CalculationRepository;
}

/** A place that keeps everything. */
export interface PersistenceBackend extends Repositories {
  /** What `run` does through the repositories that it is given happens together or not at all. */
  withTransaction<T>(run: (repositories: Repositories) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}
