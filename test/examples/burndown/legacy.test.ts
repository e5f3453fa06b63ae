import { describe, expect, it } from "vitest";
import { LegacyFolder, type LegacyProblem } from "../../../examples/burndown/legacy/folder.ts";
import { readProjectData } from "../../../examples/burndown/legacy/project-data.ts";
import { readSnapshots, writeSnapshots } from "../../../examples/burndown/legacy/snapshots.ts";
import { NOW, temporaryFolder, writeFiles } from "./support.ts";

/** What a folder of files means, and what is wrong with it. */
function read<T>(
  files: Readonly<Record<string, unknown>>,
  look: (folder: LegacyFolder) => T,
): { readonly result: T; readonly problems: readonly LegacyProblem[] } {
  using folder = temporaryFolder();
  writeFiles(folder.path, files);
  const problems: LegacyProblem[] = [];
  const legacy = new LegacyFolder(folder.path, (problem) => problems.push(problem));
  return { result: look(legacy), problems };
}

const EARLIER = "2025-12-01T10:00:00.000Z";

const refuse = (): never => {
  throw new Error("no problem was expected");
};

describe("a file of the old application", () => {
  it.each([
    ["breaks off", '{\n  "a": 1,\n  "b": [1, 2', 3],
    ["has a comma too many", '{\n"a": 1,\n}', 3],
    ["has a wrong token", '{\n"a": 1,\n\n"b": tru }', 4],
    ["has a text that is not closed", '{\n"a": "b\n}', 2],
    ["is empty", "", 1],
    ["is not UTF-8", Buffer.from([0x7b, 0x0a, 0x22, 0xe4, 0x22]), 2],
    ["is UTF-16", Buffer.from("\uFEFF{}", "utf16le"), 1],
  ])("is told of with its name and line when it %s", (_, content, line) => {
    const { result, problems } = read({ "task_progress.json": content }, (folder) => folder.task());

    expect(result).toBeUndefined();
    expect(problems).toMatchObject([{ file: "task_progress.json", line }]);
    expect(problems[0]?.reason).toMatch(/^is not (?:JSON|UTF-8)/);
  });

  it("may begin with a byte order mark", () => {
    const { result, problems } = read(
      { "task_progress.json": '\uFEFF{"task_name": "a"}' },
      (folder) => folder.task()?.name,
    );

    expect(result).toBe("a");
    expect(problems).toEqual([]);
  });

  it("says in which line a value is that cannot be used", () => {
    const text =
      '{\n "name": "a",\n "created_at": "2025-02-30",\n "show_points": "maybe",\n' +
      ' "forecast_settings": {"deadline": null},\n "jira_config": [1, {"a": "}"}]\n}';
    const { problems } = read({ "profiles/p/profile.json": text }, (folder) =>
      folder.profile("p", folder.registry()),
    );

    expect(problems.toSorted((a, b) => a.line - b.line)).toEqual(
      [
        [3, 'created_at is "2025-02-30", not a moment such as 2025-12-23T10:00:00Z'],
        [4, 'show_points is "maybe", neither true nor false'],
        [6, "jira_config is a list, not an object"],
      ].map(([line, reason]) => ({ file: "profiles/p/profile.json", line, reason })),
    );
  });
});

describe("a profile", () => {
  it("is read as version 2.4 wrote it, without its token and with every unknown key", () => {
    const { result, problems } = read(
      {
        "profiles/p_1/profile.json": {
          id: "p_1",
          name: "Team",
          description: "us",
          created_at: "2025-11-01T09:30:00.123456+01:00",
          last_used: "2025-12-01T08:00:00",
          jira_config: {
            base_url: "https://j",
            token: "s3cret",
            points_field: "cf",
            configured: true,
          },
          field_mappings: { dora: { a: "b" } },
          forecast_settings: { pert_factor: 1.5 },
          project_classification: { devops: ["X"] },
          flow_type_mappings: { Feature: ["Story"] },
          queries: ["q_1"],
          show_milestone: true,
          show_points: 0,
          theme: "dark",
        },
      },
      (folder) => folder.profile("p_1", folder.registry()),
    );

    expect(problems).toEqual([]);
    expect(result).toEqual({
      token: "s3cret",
      leftOut: [],
      profile: {
        id: "p_1",
        name: "Team",
        description: "us",
        createdAt: "2025-11-01T08:30:00.123Z",
        lastUsed: "2025-12-01T08:00:00.000Z",
        jiraConfig: { base_url: "https://j", points_field: "cf", configured: true },
        fieldMappings: { dora: { a: "b" } },
        forecastSettings: { pert_factor: 1.5, deadline: null, data_points_count: 12 },
        projectClassification: { devops: ["X"] },
        flowTypeMappings: { Feature: ["Story"] },
        showMilestone: true,
        showPoints: false,
        extras: { theme: "dark" },
      },
    });
  });

  it("is read in the older flat form, with the lists of checkboxes as booleans", () => {
    const { result } = read(
      {
        "profiles/old/profile.json": {
          name: "Old",
          jira_url: "https://j",
          jira_token: "s3cret",
          jira_configured: true,
          show_milestone: [],
          show_points: ["show"],
        },
      },
      (folder) => folder.profile("old", folder.registry()),
    );

    expect(result).toMatchObject({
      token: "s3cret",
      profile: {
        jiraConfig: { base_url: "https://j", configured: true },
        showMilestone: false,
        showPoints: true,
        extras: {},
        createdAt: NOW,
      },
    });
  });

  it.each([
    ["an object by id", { a: { name: "A", last_used: NOW }, b: { name: "B" } }],
    [
      "a list",
      [
        { id: "a", name: "A", last_used: NOW },
        { id: "b", name: "B" },
      ],
    ],
  ])("is found in a registry that is %s, with a file or without one", (_, profiles) => {
    const { result, problems } = read(
      {
        "profiles/profiles.json": { version: "3.0", active_profile_id: "a", profiles },
        "profiles/a/profile.json": { description: "from the file" },
      },
      (folder) => {
        const registry = folder.registry();
        return {
          selection: registry.selection,
          a: folder.profile("a", registry).profile,
          b: folder.profile("b", registry).profile,
        };
      },
    );

    expect(problems).toEqual([]);
    expect(result).toMatchObject({
      selection: { profileId: "a", queryId: null },
      a: { name: "A", description: "from the file", lastUsed: NOW },
      b: { name: "B" },
    });
  });

  it("is a folder with a profile or queries, and nothing else that lies beside it", () => {
    const { result } = read(
      {
        "profiles/burndown.db": "x",
        "profiles/burndown.db-wal": "x",
        "profiles/backups/profile.json": {},
        "profiles/notes/readme.txt": "x",
        "profiles/a/profile.json": {},
        "profiles/b/queries/main/query.json": {},
      },
      (folder) => folder.profileIds(),
    );

    expect(result).toEqual(["a", "b"]);
  });

  it("cannot have an id that is no name of a folder", () => {
    const { result, problems } = read(
      { "profiles/profiles.json": { profiles: { "../etc": { name: "x" } } } },
      (folder) => [...folder.registry().profiles.keys()],
    );

    expect(result).toEqual([]);
    expect(problems).toMatchObject([{ file: "profiles/profiles.json", line: 3 }]);
  });
});

describe("a query", () => {
  it.each([
    ["jql", { name: "All", jql: "a = b", created_at: NOW }],
    ["jql_query", { name: "All", jql_query: "a = b", created_at: NOW }],
  ])("is read with its search under the key %s", (_, value) => {
    const { result } = read({ "profiles/p/queries/q/query.json": value }, (folder) =>
      folder.query("p", "q"),
    );

    expect(result).toEqual({
      profileId: "p",
      id: "q",
      name: "All",
      jql: "a = b",
      description: "",
      createdAt: NOW,
      lastUsed: NOW,
      extras: {},
    });
  });

  it("takes its name from its folder when its file is missing", () => {
    const { result, problems } = read({ "profiles/p/queries/main/jira_cache.json": {} }, (folder) =>
      folder.query("p", "main", "project = X"),
    );

    expect(result).toMatchObject({ id: "main", name: "main", jql: "project = X" });
    expect(problems).toEqual([]);
  });
});

describe("project data", () => {
  const STATISTIC = {
    completed_items: 1,
    completed_points: 2,
    created_items: 3,
    created_points: 4,
  };

  it.each(["project_scope", "scope"])("has its scope under the key %s", (key) => {
    const value = {
      [key]: { total_items: 9, remaining_items: 4, remaining_total_points: 7, mood: "good" },
      statistics: [{ date: "2025-12-01", ...STATISTIC }],
      metadata: { version: "2.0", last_updated: "2025-12-02T00:00:00Z" },
    };

    const project = readProjectData(value, NOW, refuse);

    expect(project).toMatchObject({
      scope: { totalItems: 9, remainingItems: 4, remainingPoints: 7, extras: { mood: "good" } },
      statistics: [{ date: "2025-12-01", createdPoints: 4, velocityItems: 1, velocityPoints: 2 }],
      updatedAt: "2025-12-02T00:00:00.000Z",
    });
  });

  it("has one week for a day that was written in two ways, and the last one counts", () => {
    const value = {
      statistics: [
        { date: "2025-12-08", ...STATISTIC },
        { date: "2025-12-01T00:00:00", ...STATISTIC },
        { date: "2025-12-01", ...STATISTIC, completed_items: 5 },
      ],
    };

    const { statistics } = readProjectData(value, NOW, refuse);

    expect(statistics.map(({ date, completedItems }) => [date, completedItems])).toEqual([
      ["2025-12-01", 5],
      ["2025-12-08", 1],
    ]);
  });

  it("says what is no number and what is no day", () => {
    const complaints: string[] = [];

    readProjectData(
      { statistics: [{ date: "soon", completed_items: "many" }] },
      NOW,
      (path, reason) => complaints.push(`${path.join(".")} ${reason}`),
    );

    expect(complaints).toEqual([
      'statistics.0.date is "soon", not a day such as 2025-12-23',
      "statistics.0.date is missing or no day",
      'statistics.0.completed_items is "many", not a number',
    ]);
  });
});

describe("snapshots of metrics", () => {
  it("are read by week, in any way that weeks were written, and the later of two counts", () => {
    const points = readSnapshots(
      {
        "2025-4": { flow_load: { wip: 1, timestamp: "2025-01-20T00:00:00Z" } },
        "2025-W44": { flow_load: { wip: 2, timestamp: "2025-10-31T17:00:00Z" } },
        "2025-44": {
          flow_load: { wip: 3, timestamp: "2025-10-30T17:00:00Z" },
          deployment_frequency: { value: 7 },
          trends: { up: true },
        },
      },
      NOW,
      refuse,
    );

    expect(points).toEqual([
      point("2025-W04", "flow", "flow_load", { wip: 1 }, "2025-01-20T00:00:00.000Z"),
      point("2025-W44", "dora", "deployment_frequency", { value: 7 }, NOW),
      point("2025-W44", "flow", "flow_load", { wip: 2 }, "2025-10-31T17:00:00.000Z"),
      point("2025-W44", "flow", "trends", { up: true }, NOW),
    ]);
  });

  it("are read as the list that the plan had in mind, with forecasts", () => {
    const points = readSnapshots(
      [
        {
          snapshot_date: "2025-W12",
          metric_type: "dora",
          metrics: { lead_time: { hours: 3 } },
          forecast: { lead_time: { hours: 4 } },
          created_at: NOW,
        },
        { snapshot_date: "2025-03-19", metrics: { flow_load: 3 }, created_at: NOW },
      ],
      NOW,
      refuse,
    );

    expect(points).toEqual([
      point("2025-W12", "dora", "lead_time", { hours: 3, forecast: { hours: 4 } }, NOW),
      point("2025-W12", "flow", "flow_load", 3, NOW),
    ]);
  });

  it("lose nothing of a list: forecasts of no metric and unknown members keep their names", () => {
    const [snapshot_date, created_at] = ["2025-W12", NOW];
    const list = [
      { snapshot_date, created_at, metric_type: "dora", metrics: { x: 1 }, forecast: { f: 2 } },
      { snapshot_date, created_at, metrics: { v: { timestamp: "t" } }, zzz: 1 },
      { snapshot_date: "2025-W13", created_at, metric_type: "dora", data: { v: 3 } },
    ];

    const points = readSnapshots(list, NOW, refuse);

    expect(points).toEqual([
      point("2025-W12", "dora", "f", { forecast: 2 }, NOW),
      point("2025-W12", "dora", "x", 1, NOW),
      point("2025-W12", "flow", "v", { timestamp: "t" }, NOW),
      point("2025-W12", "flow", "zzz", 1, NOW),
      point("2025-W13", "dora", "data", { v: 3 }, NOW),
    ]);
    expect(readSnapshots(writeSnapshots(points), EARLIER, refuse)).toEqual(points);
  });

  it("say of a list what cannot be kept", () => {
    const complaints: string[] = [];

    readSnapshots(
      [{ snapshot_date: "2025-W12", metric_type: "other", metrics: { x: 1 }, x: 2 }],
      NOW,
      (path, reason) => complaints.push(`${path.join(".")} ${reason}`),
    );

    expect(complaints).toEqual([
      '0.metric_type is "other", neither dora nor flow',
      "0.x is the name of a metric as well",
    ]);
  });

  it("refuse a week that its year does not have", () => {
    const complaints: string[] = [];

    readSnapshots({ "2025-W53": {}, "2026-W53": {} }, NOW, (path, reason) =>
      complaints.push(`${path.join(".")} ${reason}`),
    );

    expect(complaints).toEqual(["2025-W53 is not a week such as 2025-W44"]);
  });
});

function point(
  week: string,
  type: string,
  name: string,
  value: unknown,
  createdAt: string,
): object {
  return { week, type, name, value, createdAt };
}
