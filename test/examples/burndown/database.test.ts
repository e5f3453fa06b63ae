import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  openSqliteBackend,
  type SqliteBackend,
} from "../../../examples/burndown/backend/sqlite-backend.ts";
import { checkIntegrity } from "../../../examples/burndown/database.ts";
import { changelog, NOW, profile, project, query, response, temporaryFolder } from "./support.ts";

/** Runs a test on a database with one query that has everything. */
async function withDatabase(run: (backend: SqliteBackend) => Promise<void>): Promise<void> {
  using folder = temporaryFolder();
  const backend = await openSqliteBackend(join(folder.path, "burndown.db"));
  try {
    await backend.profiles.save(profile("a"));
    await backend.queries.save(query("a", "main"));
    await backend.caches.save("a", "main", [response("k")]);
    await backend.changelogs.save("a", "main", [changelog("ALOY-1")]);
    await backend.projects.save("a", "main", project());
    const point = { week: "2025-W44", type: "flow", createdAt: NOW } as const;
    await backend.snapshots.save("a", "main", [
      { ...point, name: "load", value: { wip: 1, forecast: { wip: 2 } } },
      { ...point, name: "velocity", value: { done: 3 } },
    ]);
    await run(backend);
    expect(await checkIntegrity(backend.database)).toEqual([]);
  } finally {
    await backend.close();
  }
}

describe("the tables of the plan", () => {
  it("have its columns and types", () =>
    withDatabase(async ({ database }) => {
      const columnsOf = async (table: string): Promise<string> => {
        const { rows } = await database.execute("SELECT name FROM pragma_table_info(?)", [table]);
        return rows.map((row) => row["name"]).join(" ");
      };

      expect(await columnsOf("profiles")).toBe(
        "id name description created_at last_used jira_config field_mappings forecast_settings " +
          "project_classification flow_type_mappings show_milestone show_points extras",
      );
      expect(await columnsOf("queries")).toBe(
        "id profile_id name jql description created_at last_used extras",
      );
      expect(await columnsOf("app_state")).toBe("key value");
      expect(await columnsOf("task_progress")).toBe(
        "task_name progress_percent status message updated_at extras",
      );
      expect(await columnsOf("jira_cache")).toBe(
        "id profile_id query_id cache_key response expires_at created_at",
      );
      expect(await columnsOf("jira_changelog_cache")).toBe(
        "id profile_id query_id issue_key changelog expires_at created_at",
      );
      expect(await columnsOf("project_data")).toBe("id profile_id query_id data updated_at");
      expect(await columnsOf("metrics_snapshots")).toBe(
        "id profile_id query_id snapshot_date metric_type metrics forecast created_at",
      );
    }));

  it("have its indexes", () =>
    withDatabase(async ({ database }) => {
      const { rows } = await database.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'index' AND name LIKE 'idx%'",
      );

      expect(rows.map((row) => row["name"])).toEqual(
        expect.arrayContaining([
          "idx_profiles_last_used",
          "idx_queries_profile",
          "idx_jira_cache_expiry",
          "idx_jira_cache_query",
          "idx_changelog_expiry",
          "idx_changelog_query",
          "idx_snapshots_query_date",
        ]),
      );
    }));

  it("give whole files again, as views on the rows they are made of", () =>
    withDatabase(async ({ database }) => {
      const read = async (sql: string): Promise<unknown> => {
        const { rows } = await database.execute<{ value: string }>(sql);
        return JSON.parse(rows[0]?.value ?? "null");
      };

      expect(await read("SELECT response AS value FROM jira_cache")).toEqual(
        response("k").response,
      );
      expect(await read("SELECT changelog AS value FROM jira_changelog_cache")).toEqual({
        histories: [
          {
            id: "10",
            author: { name: "a" },
            created: NOW,
            items: [
              { field: "status", fromString: "Open", toString: "Closed", from: "1", to: "6" },
            ],
          },
          {
            id: "10",
            author: { name: "a" },
            created: NOW,
            items: [{ field: "resolution", fromString: null, toString: "Fixed" }],
          },
        ],
      });
      expect(await read("SELECT data AS value FROM project_data")).toMatchObject({
        project_scope: { total_points: 60.5, unknown: 1 },
        statistics: [{ date: "2025-12-08" }, { date: "2025-12-15", note: "x" }],
        metadata: { source: "jira" },
      });
      expect(await read("SELECT metrics AS value FROM metrics_snapshots")).toEqual({
        load: { wip: 1, forecast: { wip: 2 } },
        velocity: { done: 3 },
      });
      expect(await read("SELECT forecast AS value FROM metrics_snapshots")).toEqual({
        load: { wip: 2 },
      });
    }));

  it("take no moment of another form, whoever writes it", () =>
    withDatabase(async ({ database }) => {
      const wrong = ["2025-12-23 10:00:00", "2025-12-23T10:00:00Z", "2025-02-30T10:00:00.000Z", ""];

      for (const moment of wrong) {
        const write = database.execute("UPDATE profiles SET last_used = ?", [moment]);
        await expect(write).rejects.toMatchObject({ code: "CONSTRAINT" });
      }
    }));

  it("take no percent beyond 100, no other status and no week of another form", () =>
    withDatabase(async ({ database }) => {
      const task = "INSERT INTO task_progress (task_name, progress_percent, status, updated_at)";
      const refused = [
        `${task} VALUES ('a', 101, 'running', '${NOW}')`,
        `${task} VALUES ('a', 1, 'in_progress', '${NOW}')`,
        "UPDATE metrics_data_points SET snapshot_date = '2025-44'",
      ];

      for (const sql of refused) {
        await expect(database.execute(sql)).rejects.toMatchObject({ code: "CONSTRAINT" });
      }
    }));

  it("answer by their indexes: what has expired, and the queries of a profile", () =>
    withDatabase(async ({ database }) => {
      const plan = async (sql: string): Promise<string> => {
        const { rows } = await database.execute(`EXPLAIN QUERY PLAN ${sql}`);
        return rows.map((row) => row["detail"]).join("; ");
      };

      expect(await plan("SELECT id FROM jira_responses WHERE expires_at <= '2025'")).toContain(
        "idx_jira_cache_expiry",
      );
      expect(
        await plan("SELECT id FROM queries WHERE profile_id = 'a' ORDER BY last_used DESC"),
      ).toBe("SEARCH queries USING INDEX idx_queries_profile (profile_id=?)");
    }));
});
