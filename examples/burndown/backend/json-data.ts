/** The data of queries in the files of the old application: one file for each kind. */

import { isObject, JsonReader } from "../json-reader.ts";
import { isIssueKey, LISTED_AT, readChangelog, writeChangelog } from "../legacy/changelog.ts";
import type { FileTransaction } from "../legacy/file-transaction.ts";
import { DATA_FILES, type LegacyFolder } from "../legacy/folder.ts";
import { readCacheHead, withIssues, writeCache } from "../legacy/jira-cache.ts";
import { readProjectData, writeProjectData } from "../legacy/project-data.ts";
import { byPlace, readSnapshots, writeSnapshots } from "../legacy/snapshots.ts";
import type { CachedResponse, Changelog, IssueFact, MetricPoint, ProjectData } from "../model.ts";
import type {
  CacheRepository,
  ChangelogRepository,
  ProjectRepository,
  SnapshotRepository,
} from "./backend.ts";
import { type JsonFiles, queryFolder } from "./json-files.ts";
import { factOf } from "./rows.ts";
import { notFound } from "./sqlite-profiles.ts";

export class JsonCaches implements CacheRepository {
  readonly #files: JsonFiles;

  constructor(files: JsonFiles) {
    this.#files = files;
  }

  async get(
    profileId: string,
    queryId: string,
    cacheKey: string,
    now: string,
  ): Promise<CachedResponse | undefined> {
    const found = cacheIn(this.#files.folder, profileId, queryId);
    return found?.cacheKey === cacheKey && found.expiresAt > now ? found : undefined;
  }

  async list(profileId: string, queryId: string): Promise<readonly CachedResponse[]> {
    const found = cacheIn(this.#files.folder, profileId, queryId);
    return found === undefined ? [] : [found];
  }

  async issues(profileId: string, queryId: string): Promise<readonly IssueFact[]> {
    const { folder } = this.#files;
    const { profile } = folder.profile(profileId, folder.registry());
    const field = profile.jiraConfig["points_field"];
    const issues = cacheIn(folder, profileId, queryId)?.response["issues"];
    const list = Array.isArray(issues) ? issues.filter(isObject) : [];
    return list.map((issue) => factOf(issue, typeof field === "string" ? field : undefined));
  }

  /** A query has one file, so the last answer is the one that stays. */
  async save(
    profileId: string,
    queryId: string,
    responses: readonly CachedResponse[],
  ): Promise<void> {
    const last = responses.at(-1);
    if (last === undefined) return;
    await this.#files.change((changes, folder) => {
      write(changes, folder, profileId, queryId, DATA_FILES.caches, writeCache(last));
    });
  }

  async deleteExpired(now: string): Promise<number> {
    return await this.#files.change((changes, folder) => {
      let removed = 0;
      for (const [profileId, queryId] of queriesOf(folder)) {
        const found = cacheIn(folder, profileId, queryId);
        if (found === undefined || found.expiresAt > now) continue;
        changes.remove(`${queryFolder(profileId, queryId)}/${DATA_FILES.caches}`);
        removed++;
      }
      return removed;
    });
  }
}

export class JsonChangelogs implements ChangelogRepository {
  readonly #files: JsonFiles;

  constructor(files: JsonFiles) {
    this.#files = files;
  }

  async get(
    profileId: string,
    queryId: string,
    issueKey: string,
    now: string,
  ): Promise<Changelog | undefined> {
    const all = changelogsIn(this.#files.folder, profileId, queryId);
    return all.find((each) => each.issueKey === issueKey && each.expiresAt > now);
  }

  async list(profileId: string, queryId: string): Promise<readonly Changelog[]> {
    return changelogsIn(this.#files.folder, profileId, queryId);
  }

  async save(profileId: string, queryId: string, changelogs: readonly Changelog[]): Promise<void> {
    await this.#files.change((changes, folder) => {
      const before = changelogsIn(folder, profileId, queryId);
      const all = new Map([...before, ...changelogs].map((log) => [log.issueKey, log]));
      writeLogs(changes, folder, profileId, queryId, [...all.values()]);
    });
  }

  async deleteExpired(now: string): Promise<number> {
    return await this.#files.change((changes, folder) => {
      let removed = 0;
      for (const [profileId, queryId] of queriesOf(folder)) {
        const all = changelogsIn(folder, profileId, queryId);
        const left = all.filter(({ expiresAt }) => expiresAt > now);
        if (left.length === all.length) continue;
        removed += all.length - left.length;
        writeLogs(changes, folder, profileId, queryId, left);
      }
      return removed;
    });
  }
}

export class JsonProjects implements ProjectRepository {
  readonly #files: JsonFiles;

  constructor(files: JsonFiles) {
    this.#files = files;
  }

  async get(profileId: string, queryId: string): Promise<ProjectData | undefined> {
    return this.#files.folder.data(profileId, queryId, DATA_FILES.projects, readProjectData);
  }

  async save(profileId: string, queryId: string, project: ProjectData): Promise<void> {
    await this.#files.change((changes, folder) => {
      const value = writeProjectData(project);
      write(changes, folder, profileId, queryId, DATA_FILES.projects, value);
    });
  }
}

export class JsonSnapshots implements SnapshotRepository {
  readonly #files: JsonFiles;

  constructor(files: JsonFiles) {
    this.#files = files;
  }

  async list(profileId: string, queryId: string): Promise<readonly MetricPoint[]> {
    return snapshotsIn(this.#files.folder, profileId, queryId);
  }

  async save(profileId: string, queryId: string, points: readonly MetricPoint[]): Promise<void> {
    await this.#files.change((changes, folder) => {
      const all = new Map<string, MetricPoint>();
      for (const point of [...snapshotsIn(folder, profileId, queryId), ...points]) {
        all.set(`${point.week} ${point.type} ${point.name}`, point);
      }
      const value = writeSnapshots([...all.values()].sort(byPlace));
      write(changes, folder, profileId, queryId, DATA_FILES.snapshots, value);
    });
  }
}

function cacheIn(
  folder: LegacyFolder,
  profileId: string,
  queryId: string,
): CachedResponse | undefined {
  return folder.data(profileId, queryId, DATA_FILES.caches, (value, writtenAt, complain) => {
    const issues = isObject(value) && Array.isArray(value["issues"]) ? value["issues"] : [];
    return withIssues(readCacheHead(value, writtenAt, complain), issues);
  });
}

function changelogsIn(folder: LegacyFolder, profileId: string, queryId: string): Changelog[] {
  const read = folder.data(
    profileId,
    queryId,
    DATA_FILES.changelogs,
    (value, writtenAt, complain): Changelog[] => {
      if (!isObject(value)) return [];
      const listed = value["issues"];
      if (Array.isArray(listed)) {
        const listedAt = new JsonReader(value, [], complain).moment(LISTED_AT, writtenAt);
        return listed.map((each, index) =>
          readChangelog(undefined, each, listedAt, complain, ["issues", index]),
        );
      }
      return Object.entries(value)
        .filter(([key]) => isIssueKey(key))
        .map(([key, each]) => readChangelog(key, each, writtenAt, complain, [key]));
    },
  );
  return (read ?? []).sort((a, b) => (a.issueKey < b.issueKey ? -1 : 1));
}

function writeLogs(
  changes: FileTransaction,
  folder: LegacyFolder,
  profileId: string,
  queryId: string,
  logs: readonly Changelog[],
): void {
  const value = Object.fromEntries(logs.map((log) => [log.issueKey, writeChangelog(log)]));
  write(changes, folder, profileId, queryId, DATA_FILES.changelogs, value);
}

function snapshotsIn(folder: LegacyFolder, profileId: string, queryId: string): MetricPoint[] {
  return folder.data(profileId, queryId, DATA_FILES.snapshots, readSnapshots) ?? [];
}

function write(
  changes: FileTransaction,
  folder: LegacyFolder,
  profileId: string,
  queryId: string,
  name: string,
  value: unknown,
): void {
  // A file in a folder that is no query would be found by nobody.
  if (!folder.queryIds(profileId).includes(queryId)) throw notFound("Query", queryId);
  changes.write(`${queryFolder(profileId, queryId)}/${name}`, value);
}

function queriesOf(folder: LegacyFolder): [profileId: string, queryId: string][] {
  return folder
    .profileIds()
    .flatMap((profileId) =>
      folder.queryIds(profileId).map((queryId): [string, string] => [profileId, queryId]),
    );
}
