/**
 * The folder of the old application, read file by file into what the files mean:
 *
 *     profiles/profiles.json                      all profiles, and which one is in use
 *     profiles/<id>/profile.json                  one of them
 *     profiles/<id>/queries/<id>/query.json       a query, and beside it its data
 *     task_progress.json, cache/<hash>.json       what runs, and what was computed
 *
 * Every file may be missing. A folder is a profile when it has a `profile.json` or queries: the
 * database, its companions and backups, which may lie there too, are none.
 */

import { readdirSync, type Stats, statSync } from "node:fs";
import { join } from "node:path";
import { storable, writeJson } from "../exact-json.ts";
import { type Complain, isObject, JsonReader, type Path } from "../json-reader.ts";
import type { Calculation, JsonObject, Query, Selection, Task } from "../model.ts";
import { momentOf } from "../moments.ts";
import { partSecrets } from "../secrets.ts";
import type { FileTransaction } from "./file-transaction.ts";
import { BrokenFile, type JsonFile, readJsonFile } from "./json-file.ts";
import { lineOfPath } from "./locate.ts";
import { type LegacyProfile, readProfile, readQuery } from "./profile.ts";
import { readCalculation, readTask } from "./task.ts";

/** Something that is wrong with a file. */
export interface LegacyProblem {
  /** Below the folder of the application, with forward slashes. */
  readonly file: string;
  readonly line: number;
  readonly reason: string;
}

/** The files that hold the data of a query. */
export const DATA_FILES = {
  caches: "jira_cache.json",
  changelogs: "jira_changelog_cache.json",
  projects: "project_data.json",
  snapshots: "metrics_snapshots.json",
} as const;

/** The registry: what it says of each profile, and which one is in use. */
export interface Registry {
  readonly profiles: ReadonlyMap<string, JsonObject>;
  readonly selection: Selection;
  /** Everything else that stands there, by key. */
  readonly others: JsonObject;
}

/** Names in `profiles/` that are no profiles, whatever they contain. */
const NO_PROFILES = ["backups"];

export class LegacyFolder {
  readonly root: string;
  readonly #onProblem: (problem: LegacyProblem) => void;
  readonly #changes: FileTransaction | undefined;
  /** Files that could not be read as JSON. */
  readonly broken = new Set<string>();

  /**
   * @param onProblem told of everything that cannot be used; it may throw.
   * @param changes what is to become of the files; they are read as if it had happened.
   */
  constructor(
    root: string,
    onProblem: (problem: LegacyProblem) => void,
    changes?: FileTransaction,
  ) {
    this.root = root;
    this.#onProblem = onProblem;
    this.#changes = changes;
  }

  /** The same folder as it will be. */
  with(changes: FileTransaction): LegacyFolder {
    return new LegacyFolder(this.root, this.#onProblem, changes);
  }

  /** Whether there is anything of the old application. */
  get isThere(): boolean {
    return this.profileIds().length > 0 || this.#has("profiles/profiles.json");
  }

  /** The path of a file below the folder. */
  path(file: string): string {
    return join(this.root, file);
  }

  /** Ids of profiles by their folders, in the order of their names. */
  profileIds(): string[] {
    return this.#folders("profiles").filter(
      (id) =>
        !NO_PROFILES.includes(id) &&
        (this.#has(`profiles/${id}/profile.json`) || this.#has(`profiles/${id}/queries`)),
    );
  }

  queryIds(profileId: string): string[] {
    return this.#folders(`profiles/${profileId}/queries`);
  }

  /** Files of computed results. */
  calculationFiles(): string[] {
    const names = this.#entries("cache").filter((name) => name.endsWith(".json"));
    return names.map((name) => `cache/${name}`);
  }

  /** The registry, of either form: an object by id or a list. */
  registry(): Registry {
    const file = "profiles/profiles.json";
    const found = this.read(file);
    const complain = this.#complain(file, found);
    const reader = new JsonReader(storable(found?.value ?? {}, [], complain), [], complain);
    // With their secrets: those of a profile are parted from it where it is read.
    const given = reader.any("profiles");
    const list = Array.isArray(given)
      ? given.map((each): [string, unknown] => [String(isObject(each) ? each["id"] : ""), each])
      : Object.entries(isObject(given) ? given : {});
    const profiles = new Map<string, JsonObject>();
    for (const [id, each] of list) {
      if (!isSafeId(id) || !isObject(each)) complain(["profiles", id], "is no profile");
      else profiles.set(id, each);
    }
    const profileId = reader.text("active_profile_id", "");
    const queryId = reader.text("active_query_id", "");
    const selection = { profileId: profileId || null, queryId: queryId || null };
    return { profiles, selection, others: partSecrets(reader.extras()).rest };
  }

  /** A profile: what its own file says, and where that is silent, the registry. */
  profile(id: string, registry: Registry): LegacyProfile {
    const file = `profiles/${id}/profile.json`;
    const found = this.read(file);
    const known = registry.profiles.get(id) ?? {};
    const own = found === undefined ? {} : found.value;
    const value = isObject(own) ? { ...known, ...own } : own;
    const source = found === undefined ? "profiles/profiles.json" : file;
    const path = found === undefined ? ["profiles", id] : [];
    const complain = this.#complain(source, found ?? this.read(source));
    return readProfile(value, { id, createdAt: this.#writtenAt(found, id) }, complain, path);
  }

  /** A query; its folder is enough of one. */
  query(profileId: string, id: string, fallbackJql = ""): Query {
    const file = `profiles/${profileId}/queries/${id}/query.json`;
    const found = this.read(file);
    const defaults = { id, createdAt: this.#writtenAt(found, profileId) };
    const query = readQuery(found?.value ?? {}, profileId, defaults, this.#complain(file, found));
    return query.jql === "" ? { ...query, jql: fallbackJql } : query;
  }

  /** A file of a query's data by a converter; undefined when there is none. */
  data<T>(
    profileId: string,
    queryId: string,
    name: string,
    convert: (value: unknown, writtenAt: string, complain: Complain) => T,
  ): T | undefined {
    const file = `profiles/${profileId}/queries/${queryId}/${name}`;
    const found = this.read(file);
    if (found === undefined) return undefined;
    return convert(found.value, found.writtenAt, this.#complain(file, found));
  }

  /** The task of `task_progress.json`. */
  task(): Task | undefined {
    const found = this.read("task_progress.json");
    if (found === undefined) return undefined;
    const complain = this.#complain("task_progress.json", found);
    return readTask(found.value, found.writtenAt, complain);
  }

  calculation(file: string): Calculation | undefined {
    const found = this.read(file);
    if (found === undefined) return undefined;
    const key = file.replace(/^.*\/|\.json$/g, "");
    return readCalculation(found.value, key, found.writtenAt, this.#complain(file, found));
  }

  /** A file, or undefined when it is missing or cannot be read, which is a problem then. */
  read(file: string): JsonFile | undefined {
    const change = this.#changes?.change(file);
    try {
      return change === undefined ? readJsonFile(this.path(file)) : changedFile(change.value);
    } catch (error) {
      if (!(error instanceof BrokenFile)) throw error;
      if (this.broken.has(file)) return undefined;
      this.broken.add(file);
      this.#onProblem({ file, line: error.line, reason: error.message });
      return undefined;
    }
  }

  #complain(file: string, found: JsonFile | undefined): Complain {
    return (path: Path, reason: string) => {
      const line = found === undefined ? 1 : lineOfPath(found.text, path);
      const what = path.length === 0 ? "" : `${path.join(".")} `;
      this.#onProblem({ file, line, reason: `${what}${reason}` });
    };
  }

  /** When a file was written; without one, when the folder of the profile was made. */
  #writtenAt(found: JsonFile | undefined, profileId: string): string {
    if (found !== undefined) return found.writtenAt;
    return momentOf(Math.floor(this.#stat(`profiles/${profileId}`)?.mtimeMs ?? 0));
  }

  #folders(folder: string): string[] {
    return this.#entries(folder).filter((name) => this.#isFolder(`${folder}/${name}`));
  }

  /** What is in a folder, in the order of the names. */
  #entries(folder: string): string[] {
    const written = (this.#changes?.written ?? [])
      .filter((file) => file.startsWith(`${folder}/`))
      .map((file) => file.slice(folder.length + 1).split("/")[0] ?? "");
    const there = this.#stat(folder)?.isDirectory() ? readdirSync(this.path(folder)) : [];
    const left = there.filter((name) => this.#has(`${folder}/${name}`));
    return [...new Set([...left, ...written])].sort();
  }

  #has(file: string): boolean {
    if (this.#isWritten(file)) return true;
    const change = this.#changes?.change(file);
    return change === undefined ? this.#stat(file) !== undefined : change.value !== undefined;
  }

  #isFolder(file: string): boolean {
    return this.#isWritten(file) || (this.#has(file) && this.#stat(file)?.isDirectory() === true);
  }

  /** Whether a file is to be written below this path. */
  #isWritten(path: string): boolean {
    return this.#changes?.written.some((file) => file.startsWith(`${path}/`)) === true;
  }

  #stat(file: string): Stats | undefined {
    return statSync(this.path(file), { throwIfNoEntry: false });
  }
}

function changedFile(value: unknown): JsonFile | undefined {
  if (value === undefined) return undefined;
  return { text: writeJson(value), value, writtenAt: momentOf(0) };
}

/** Whether an id can be the name of a folder and nothing else. */
export function isSafeId(id: string): boolean {
  return /^[^/\\\0]{1,200}$/.test(id) && id !== "." && id !== ".." && !NO_PROFILES.includes(id);
}
