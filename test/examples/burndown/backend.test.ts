import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { MoveProblem, MoveStage } from "springhouse/import";
import { describe, expect, it } from "vitest";
import type { PersistenceBackend } from "../../../examples/burndown/backend/backend.ts";
import { openJsonBackend } from "../../../examples/burndown/backend/json-backend.ts";
import { openSqliteBackend } from "../../../examples/burndown/backend/sqlite-backend.ts";
import type { MetricPoint, Task } from "../../../examples/burndown/model.ts";
import { openFolder } from "../../../examples/burndown/open.ts";
import {
  changelog,
  NOW,
  profile,
  project,
  query,
  response,
  temporaryFolder,
  writeFiles,
} from "./support.ts";

const EARLIER = "2025-12-01T10:00:00.000Z";
const LATER = "2025-12-26T10:00:00.000Z";

const BACKENDS: Readonly<Record<string, (folder: string) => Promise<PersistenceBackend>>> = {
  SQLite: (folder) => openSqliteBackend(join(folder, "burndown.db")),
  JSON: async (folder) => openJsonBackend(folder),
  shadowed: (folder) => openMoving(folder, "shadow"),
  reversed: (folder) => openMoving(folder, "reversed"),
};

/** Both backends behind one; that they say the same is held when it is closed. */
async function openMoving(folder: string, stage: MoveStage): Promise<PersistenceBackend> {
  const problems: MoveProblem[] = [];
  const stages = Object.fromEntries(PARTS.map((part) => [part, stage]));
  const backend = await openFolder(
    folder,
    { backend: "move", stages },
    { onProblem: (problem) => problems.push(problem) },
  );
  return {
    ...backend,
    close: async () => {
      await backend.close();
      expect(problems).toEqual([]);
    },
  };
}

const PARTS = [
  "profiles",
  "queries",
  "caches",
  "changelogs",
  "projects",
  "snapshots",
  "state",
  "tasks",
  "calculations",
];

const POINT: MetricPoint = {
  week: "2025-W50",
  type: "flow",
  name: "flow_load",
  value: { wip_count: 12 },
  createdAt: NOW,
};
const TASK: Task = {
  name: "update",
  percent: 40,
  status: "running",
  message: "Fetching",
  updatedAt: NOW,
  extras: { phase: "fetch" },
};

describe.each(Object.entries(BACKENDS))("the %s backend", (_, open) => {
  async function withBackend(run: (backend: PersistenceBackend) => Promise<void>): Promise<void> {
    using folder = temporaryFolder();
    const backend = await open(folder.path);
    try {
      await run(backend);
    } finally {
      await backend.close();
    }
  }

  it("keeps a profile as it was saved, and gives nothing for one that is not there", () =>
    withBackend(async ({ profiles }) => {
      await profiles.save(profile("a"));

      expect(await profiles.get("a")).toEqual(profile("a"));
      expect(await profiles.get("b")).toBeUndefined();
    }));

  it("changes a profile without touching its queries, its data or when it was made", () =>
    withBackend(async ({ profiles, queries, caches }) => {
      await profiles.save(profile("a", { createdAt: EARLIER }));
      await queries.save(query("a", "main"));
      await caches.save("a", "main", [response("k")]);

      await profiles.save(profile("a", { name: "Renamed" }));

      expect(await profiles.get("a")).toMatchObject({ name: "Renamed", createdAt: EARLIER });
      expect(await queries.list("a")).toEqual([query("a", "main")]);
      expect(await caches.list("a", "main")).toHaveLength(1);
    }));

  it("refuses a name that is taken, for profiles and for queries of one profile", () =>
    withBackend(async ({ profiles, queries }) => {
      await profiles.save(profile("a"));
      await profiles.save(profile("b"));
      await queries.save(query("a", "main"));

      await expect(profiles.save(profile("c", { name: "Profile a" }))).rejects.toMatchObject({
        code: "CONSTRAINT",
      });
      await expect(queries.save(query("a", "other", { name: "Query main" }))).rejects.toMatchObject(
        { code: "CONSTRAINT" },
      );
      await queries.save(query("b", "main"));
      expect(await queries.list("b")).toEqual([query("b", "main")]);
    }));

  it("lists what was used last first", () =>
    withBackend(async ({ profiles, queries }) => {
      await profiles.save(profile("a", { lastUsed: EARLIER }));
      await profiles.save(profile("b"));
      await queries.save(query("a", "x", { lastUsed: EARLIER }));
      await queries.save(query("a", "y"));

      expect((await profiles.list()).map(({ id }) => id)).toEqual(["b", "a"]);
      expect((await queries.list("a")).map(({ id }) => id)).toEqual(["y", "x"]);
    }));

  it("deletes a profile with its queries and their data", () =>
    withBackend(async ({ profiles, queries, caches, projects }) => {
      await profiles.save(profile("a"));
      await queries.save(query("a", "main"));
      await caches.save("a", "main", [response("k")]);
      await projects.save("a", "main", project());

      await profiles.delete("a");

      expect(await profiles.list()).toEqual([]);
      expect(await queries.list("a")).toEqual([]);
      expect(await caches.list("a", "main")).toEqual([]);
      expect(await projects.get("a", "main")).toBeUndefined();
      await profiles.delete("a");
    }));

  it("refuses data of a query that is not there", () =>
    withBackend(async ({ profiles, projects }) => {
      await profiles.save(profile("a"));

      await expect(projects.save("a", "main", project())).rejects.toThrow();
    }));

  it("gives an answer of JIRA until the moment at which it expires", () =>
    withBackend(async ({ profiles, queries, caches }) => {
      await profiles.save(profile("a"));
      await queries.save(query("a", "main"));
      await caches.save("a", "main", [response("k")]);

      expect(await caches.get("a", "main", "k", "2025-12-24T09:59:59.999Z")).toEqual(response("k"));
      expect(await caches.get("a", "main", "k", "2025-12-24T10:00:00.000Z")).toBeUndefined();
      expect(await caches.get("a", "main", "other", NOW)).toBeUndefined();
      expect(await caches.deleteExpired("2025-12-24T09:59:59.999Z")).toBe(0);
      expect(await caches.deleteExpired("2025-12-24T10:00:00.000Z")).toBe(1);
      expect(await caches.list("a", "main")).toEqual([]);
    }));

  it("keeps every change of every issue", () =>
    withBackend(async ({ profiles, queries, changelogs }) => {
      await profiles.save(profile("a"));
      await queries.save(query("a", "main"));
      await changelogs.save("a", "main", [changelog("ALOY-2"), changelog("ALOY-1")]);
      await changelogs.save("a", "main", [changelog("ALOY-2", { entries: [] })]);

      expect(await changelogs.list("a", "main")).toEqual([
        changelog("ALOY-1"),
        changelog("ALOY-2", { entries: [] }),
      ]);
      expect(await changelogs.get("a", "main", "ALOY-1", NOW)).toEqual(changelog("ALOY-1"));
      expect(await changelogs.get("a", "main", "ALOY-1", LATER)).toBeUndefined();
      expect(await changelogs.deleteExpired(LATER)).toBe(2);
    }));

  it("keeps figures, metrics, tasks and computed results", () =>
    withBackend(async ({ profiles, queries, projects, snapshots, tasks, calculations }) => {
      await profiles.save(profile("a"));
      await queries.save(query("a", "main"));
      await projects.save("a", "main", project());
      await projects.save("a", "main", project());
      await snapshots.save("a", "main", [POINT, { ...POINT, week: "2025-W09" }]);
      await snapshots.save("a", "main", [{ ...POINT, value: { wip_count: 13 } }]);
      await tasks.save(TASK);
      const calculation = { cacheKey: "k", configHash: "c1", data: [1], createdAt: NOW };
      await calculations.save(calculation);
      await calculations.save({ ...calculation, configHash: "c2", data: [2] });
      await calculations.save({ ...calculation, data: [3] });

      expect(await projects.get("a", "main")).toEqual(project());
      expect(await snapshots.list("a", "main")).toEqual([
        { ...POINT, week: "2025-W09" },
        { ...POINT, value: { wip_count: 13 } },
      ]);
      expect(await tasks.get("update")).toEqual(TASK);
      expect(await calculations.get("k", "c1")).toEqual({ ...calculation, data: [3] });
      expect(await calculations.list()).toHaveLength(2);
      await tasks.delete("update");
      expect(await tasks.list()).toEqual([]);
    }));

  it("uses the profile and query that were chosen, and another when they are gone", () =>
    withBackend(async ({ profiles, queries, state }) => {
      expect(await state.selection()).toEqual({ profileId: null, queryId: null });
      await profiles.save(profile("a", { lastUsed: EARLIER }));
      await profiles.save(profile("b"));
      await queries.save(query("a", "main"));
      await queries.save(query("a", "bugs", { lastUsed: EARLIER }));

      await state.select("a", "bugs", LATER);
      const chosen = await state.selection();
      await queries.delete("a", "bugs");
      const without = await state.selection();
      await profiles.delete("a");

      expect(chosen).toEqual({ profileId: "a", queryId: "bugs" });
      expect(without).toEqual({ profileId: "a", queryId: "main" });
      expect(await state.selection()).toEqual({ profileId: "b", queryId: null });
    }));

  it("refuses to use what is not there, and changes nothing then", () =>
    withBackend(async ({ profiles, queries, state }) => {
      await profiles.save(profile("a"));
      await queries.save(query("a", "main"));
      await state.select("a", "main", NOW);

      await expect(state.select("a", "gone", LATER)).rejects.toThrow("Query 'gone' not found");
      await expect(state.select("gone", null, LATER)).rejects.toThrow("Profile 'gone' not found");

      expect(await state.selection()).toEqual({ profileId: "a", queryId: "main" });
      expect(await profiles.get("a")).toEqual(profile("a"));
    }));

  it("remembers other facts by key", () =>
    withBackend(async ({ state }) => {
      await state.set("last_report", "weekly.html");

      expect(await state.get("last_report")).toBe("weekly.html");
      expect(await state.get("unknown")).toBeUndefined();
      expect(await state.list()).toEqual([["last_report", "weekly.html"]]);
    }));

  it("does everything of a transaction or nothing", () =>
    withBackend(async (backend) => {
      await backend.profiles.save(profile("a"));

      const given = await backend.withTransaction(async ({ profiles, queries }) => {
        await queries.save(query("a", "main"));
        await profiles.save(profile("b"));
        return (await profiles.list()).length;
      });
      const failed = backend.withTransaction(async ({ profiles, queries }) => {
        await profiles.delete("a");
        await queries.save(query("b", "main"));
        expect(await queries.list("a")).toEqual([]);
        throw new Error("changed my mind");
      });

      await expect(failed).rejects.toThrow("changed my mind");
      expect(given).toBe(2);
      expect(await backend.queries.list("a")).toEqual([query("a", "main")]);
      expect(await backend.queries.list("b")).toEqual([]);
    }));

  it("keeps it all for whoever opens it next", async () => {
    using folder = temporaryFolder();
    const first = await open(folder.path);
    await first.profiles.save(profile("a"));
    await first.queries.save(query("a", "main"));
    await first.projects.save("a", "main", project());
    await first.close();

    const second = await open(folder.path);

    expect(await second.profiles.get("a")).toEqual(profile("a"));
    expect(await second.projects.get("a", "main")).toEqual(project());
    await second.close();
  });
});

describe("the old files", () => {
  it("keep the secrets that were in them, which nobody is shown, when they are written", async () => {
    using folder = temporaryFolder();
    const flat = { jira_url: "https://u:pw@j", jira_token: "t", headers: { Authorization: "a" } };
    writeFiles(folder.path, {
      "profiles/profiles.json": { proxy_password: "p", profiles: { a: { name: "A" } } },
      "profiles/a/profile.json": flat,
      "profiles/a/queries/q/query.json": { name: "Q", jql: "x", api_key: "k" },
    });
    const backend = openJsonBackend(folder.path);

    await backend.state.select("a", "q", NOW);

    expect(await backend.profiles.get("a")).toMatchObject({
      jiraConfig: { base_url: "https://u:***@j" },
      extras: { headers: {} },
    });
    const read = (file: string): unknown =>
      JSON.parse(readFileSync(join(folder.path, "profiles", file), "utf8"));
    const { jira_token, headers } = flat;
    expect(read("a/profile.json")).toMatchObject({
      jira_config: { base_url: "https://u:pw@j" },
      jira_token,
      headers,
      last_used: NOW,
    });
    expect(read("a/queries/q/query.json")).toMatchObject({ api_key: "k", last_used: NOW });
    expect(read("profiles.json")).toMatchObject({ proxy_password: "p", active_query_id: "q" });
  });
});
