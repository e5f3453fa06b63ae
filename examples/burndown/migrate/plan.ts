/**
 * What is to be migrated: the small files read whole, because what they mean depends on each other
 * (names must differ, what is in use must exist), and the large ones named, to be read by item.
 *
 * A plan depends on the files alone, not on the time, so that a migration that was killed has the
 * same one when it goes on.
 */

import { closeSync, existsSync, openSync, readSync, statSync } from "node:fs";
import { type Complain, JsonReader } from "../json-reader.ts";
import { isIssueKey, LISTED_AT } from "../legacy/changelog.ts";
import { factsOf } from "../legacy/facts.ts";
import { DATA_FILES, LegacyFolder, type LegacyProblem } from "../legacy/folder.ts";
import { lineOfPath } from "../legacy/locate.ts";
import type { Calculation, Profile, Query, Selection, Task } from "../model.ts";

/** A large file and how it is cut. */
export interface DataFile {
  /** Below the root, with forward slashes. */
  readonly file: string;
  readonly kind:
    | "response"
    | "issues"
    | "changelogs"
    | "listed-changelogs"
    | "project"
    | "snapshots";
  readonly profileId: string;
  readonly queryId: string;
  /** Of the answer that the file holds. */
  readonly responseId: number;
  readonly pointsField: string | undefined;
  /** When a list of changelogs was given, which stands beside it. */
  readonly listedAt: string | undefined;
}

export interface LegacyPlan {
  readonly profiles: readonly Profile[];
  readonly queries: readonly Query[];
  readonly selection: Selection;
  /** Further facts of the registry, by key. */
  readonly facts: ReadonlyMap<string, string>;
  readonly tasks: readonly Task[];
  readonly calculations: readonly Calculation[];
  readonly data: readonly DataFile[];
  /** Files that were read here, to be copied with the others. */
  readonly readFiles: readonly string[];
  /** By profile. */
  readonly tokens: ReadonlyMap<string, string>;
  /** What was changed on the way, for the report. */
  readonly notes: readonly string[];
  readonly problems: readonly LegacyProblem[];
}

/** So much of a large file is looked at to tell its form. */
const HEAD_BYTES = 65_536;

/**
 * Reads the small files of a folder.
 *
 * @param without data files that are left out.
 */
export function planMigration(root: string, without: ReadonlySet<string> = new Set()): LegacyPlan {
  const problems: LegacyProblem[] = [];
  const folder = new LegacyFolder(root, (problem) => problems.push(problem));
  const notes: string[] = [];
  const registry = folder.registry();
  const tokens = new Map<string, string>();
  const profiles: Profile[] = [];
  for (const id of new Set([...folder.profileIds(), ...registry.profiles.keys()])) {
    const { profile, token, leftOut } = folder.profile(id, registry);
    if (token !== undefined) tokens.set(id, token);
    if (leftOut.length > 0) {
      notes.push(`Secrets of profile "${id}" are left out or masked: ${leftOut.join(", ")}`);
    }
    profiles.push(profile);
  }
  const queries = profiles.flatMap(({ id }) =>
    folder.queryIds(id).map((queryId) => {
      const head = headOf(folder.path(dataFile(id, queryId, DATA_FILES.caches)));
      return folder.query(id, queryId, jqlIn(head));
    }),
  );
  const task = folder.task();
  const files = folder.calculationFiles();
  const calculations = files.map((file) => folder.calculation(file));
  return {
    profiles: withDistinctNames(profiles, "profile", notes),
    queries: profiles.flatMap(({ id }) =>
      withDistinctNames(
        queries.filter(({ profileId }) => profileId === id),
        `query of profile "${id}"`,
        notes,
      ),
    ),
    selection: validSelection(registry.selection, profiles, queries, notes),
    facts: factsOf(registry.others),
    tasks: task === undefined ? [] : [task],
    calculations: calculations.filter((each) => each !== undefined),
    data: dataFilesOf(folder, profiles, queries, problems).filter(({ file }) => !without.has(file)),
    readFiles: smallFiles(folder, profiles, queries),
    tokens,
    notes,
    problems,
  };
}

/** Gives a number to all but the first of the same name, as the database wants them distinct. */
function withDistinctNames<T extends { readonly id: string; readonly name: string }>(
  list: readonly T[],
  what: string,
  notes: string[],
): T[] {
  const taken = new Set(list.map(({ name }) => name));
  const seen = new Set<string>();
  return list.map((each) => {
    if (!seen.has(each.name)) {
      seen.add(each.name);
      return each;
    }
    let number = 2;
    while (taken.has(`${each.name} (${number})`)) number++;
    const name = `${each.name} (${number})`;
    taken.add(name);
    notes.push(`The name "${each.name}" was there twice: ${what} "${each.id}" is now "${name}"`);
    return { ...each, name };
  });
}

/** What is in use must be there. */
function validSelection(
  { profileId, queryId }: Selection,
  profiles: readonly Profile[],
  queries: readonly Query[],
  notes: string[],
): Selection {
  if (profileId === null) return { profileId: null, queryId: null };
  if (!profiles.some(({ id }) => id === profileId)) {
    notes.push(`The profile in use, "${profileId}", is not there: the one used last is`);
    return { profileId: null, queryId: null };
  }
  const isThere = queries.some((each) => each.profileId === profileId && each.id === queryId);
  if (queryId === null || isThere) return { profileId, queryId };
  notes.push(`The query in use, "${queryId}", is not there: the one used last is`);
  return { profileId, queryId: null };
}

function dataFilesOf(
  folder: LegacyFolder,
  profiles: readonly Profile[],
  queries: readonly Query[],
  problems: LegacyProblem[],
): DataFile[] {
  const pointsFields = new Map(
    profiles.map(({ id, jiraConfig }) => [id, jiraConfig["points_field"]]),
  );
  return queries.flatMap(({ profileId, id: queryId }, index) => {
    const field = pointsFields.get(profileId);
    const pointsField = typeof field === "string" && field !== "" ? field : undefined;
    const place = { profileId, queryId, responseId: index + 1, pointsField };
    const path = (name: string): string => dataFile(profileId, queryId, name);
    const all = [
      { file: path(DATA_FILES.caches), kind: "response" },
      { file: path(DATA_FILES.caches), kind: "issues" },
      { file: path(DATA_FILES.changelogs), kind: "changelogs" },
      { file: path(DATA_FILES.projects), kind: "project" },
      { file: path(DATA_FILES.snapshots), kind: "snapshots" },
    ] as const;
    return all.flatMap(({ file, kind }): DataFile[] => {
      const head = headOf(folder.path(file));
      if (head === undefined) {
        const isFolder = kind !== "issues" && existsSync(folder.path(file));
        if (isFolder) problems.push({ file, line: 1, reason: "is a folder, not a file" });
        return [];
      }
      if (kind === "issues" && head.isWhole && !head.text.includes('"issues"')) return [];
      const isListed = kind === "changelogs" && !isIssueKey(firstKey(head.text));
      if (!isListed) return [{ file, kind, listedAt: undefined, ...place }];
      const listedAt = listedAtIn(head, file, problems);
      return [{ file, kind: "listed-changelogs", listedAt, ...place }];
    });
  });
}

function smallFiles(
  folder: LegacyFolder,
  profiles: readonly Profile[],
  queries: readonly Query[],
): string[] {
  const files = [
    "profiles/profiles.json",
    ...profiles.map(({ id }) => `profiles/${id}/profile.json`),
    ...queries.map(({ profileId, id }) => dataFile(profileId, id, "query.json")),
    "task_progress.json",
    ...folder.calculationFiles(),
  ];
  return files.filter(
    (file) =>
      !folder.broken.has(file) &&
      statSync(folder.path(file), { throwIfNoEntry: false })?.isFile() === true,
  );
}

function dataFile(profileId: string, queryId: string, name: string): string {
  return `profiles/${profileId}/queries/${queryId}/${name}`;
}

interface Head {
  readonly text: string;
  /** The end of the file, of the same length. */
  readonly tail: string;
  readonly isWhole: boolean;
}

/** The beginning and the end of a file; undefined when there is none, or a folder. */
function headOf(path: string): Head | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat?.isFile() !== true) return undefined;
  const { size } = stat;
  const bytes = Buffer.alloc(Math.min(size, HEAD_BYTES));
  const handle = openSync(path, "r");
  try {
    readSync(handle, bytes, 0, bytes.length, 0);
    const text = bytes.toString("utf8");
    readSync(handle, bytes, 0, bytes.length, size - bytes.length);
    return { text, tail: bytes.toString("utf8"), isWhole: size <= HEAD_BYTES };
  } finally {
    closeSync(handle);
  }
}

/** Texts, and what is no brace: what is behind it belongs to the outermost object. */
const WITHOUT_BRACES = String.raw`(?:[^{}"]|"(?:[^"\\]|\\.)*")*`;

/** The moment of a list, which may be before or behind the issues. */
function listedAtIn(head: Head, file: string, problems: LegacyProblem[]): string | undefined {
  const found = LISTED_AT.flatMap((key): [string, unknown][] => {
    const member = String.raw`"${key}"\s*:\s*("(?:[^"\\]|\\.)*")`;
    const first = new RegExp(String.raw`^\uFEFF?\s*\{${WITHOUT_BRACES}?${member}`);
    const last = new RegExp(String.raw`${member}${WITHOUT_BRACES}\}\s*$`);
    const text = (first.exec(head.text) ?? last.exec(head.tail))?.[1];
    return text === undefined ? [] : [[key, JSON.parse(text)]];
  });
  const complain: Complain = ([key = ""], reason) =>
    problems.push({ file, line: lineOfPath(head.text, [key]), reason: `${key} ${reason}` });
  const reader = new JsonReader(Object.fromEntries(found), [], complain);
  return reader.moment(LISTED_AT, "") || undefined;
}

/** The search that an answer belongs to. */
function jqlIn(head: Head | undefined): string {
  const match = /"jql_query"\s*:\s*("(?:[^"\\]|\\.)*")/.exec(head?.text ?? "");
  return match?.[1] === undefined ? "" : String(JSON.parse(match[1]));
}

/** The first key of an object; that of an issue when there is none. */
function firstKey(text: string): string {
  return /^\uFEFF?\s*\{\s*"((?:[^"\\]|\\.)*)"/.exec(text)?.[1] ?? "";
}
